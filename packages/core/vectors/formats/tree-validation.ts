import { fromHex } from "../../src/codec/bytes.ts";
import { verifyLeafNodeSignature } from "../../src/tree/leaf-node.ts";
import { verifyParentHashes } from "../../src/tree/parent-hash.ts";
import { treeHash } from "../../src/tree/tree-hash.ts";
import { nodeCount, toNodeIndex } from "../../src/tree/tree-math.ts";
import { verifyUnmergedLeaves } from "../../src/tree/validate-tree.ts";
import type { Format } from "../case.ts";
import { expectBytes, expectEqual } from "../case.ts";
import { readTree } from "./tree-operations.ts";

export const treeValidation: Format = {
  name: "tree-validation",
  fields: ["resolutions", "tree_hashes"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const tree = readTree(vector.hex("tree"));
    const resolutions = vector.array("resolutions");
    const hashes = vector.array("tree_hashes");
    expectEqual("nodes", nodeCount(tree.leafCount), resolutions.length);
    for (let i = 0; i < resolutions.length; i++) {
      const node = toNodeIndex(i, tree.leafCount);
      expectEqual(`resolution of ${String(i)}`, tree.resolution(node).join(), String(resolutions[i]));
      expectBytes(`tree hash of ${String(i)}`, treeHash(suite.hash, tree.subtree(node)), fromHex(String(hashes[i])));
    }
    verifyUnmergedLeaves(tree);
    verifyParentHashes(suite.hash, tree);
    const groupId = vector.hex("group_id");
    await Promise.all(
      [...tree.members()].map(([leafIndex, leaf]) => verifyLeafNodeSignature(suite, leaf, { groupId, leafIndex })),
    );
  },
};
