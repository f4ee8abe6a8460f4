import { left, nodeCount, parent, right, root, sibling, toNodeIndex } from "../../src/tree/tree-math.ts";
import type { Format } from "../case.ts";
import { expectEqual } from "../case.ts";

export const treeMath: Format = {
  name: "tree-math",
  fields: ["n_leaves", "n_nodes", "root"],
  verify: (vector) => {
    const leaves = vector.number("n_leaves");
    expectEqual("n_nodes", nodeCount(leaves), vector.number("n_nodes"));
    expectEqual("root", root(leaves), vector.number("root"));
    for (let i = 0; i < nodeCount(leaves); i++) {
      const node = toNodeIndex(i, leaves);
      const relatives = {
        left: left(node),
        right: right(node),
        parent: parent(node, leaves),
        sibling: sibling(node, leaves),
      };
      for (const [name, actual] of Object.entries(relatives)) {
        expectEqual(`${name} of ${String(i)}`, actual ?? null, vector.array(name)[i]);
      }
    }
    return Promise.resolve();
  },
};
