import { expect, test } from "vitest";
import { draw } from "../boundaries/draw.mjs";
import { houseOf } from "../boundaries/house.mjs";

const sources = new Map([
  ["a/low.ts", "export const low = 1;\n"],
  ["b/middle.ts", `import { low } from "../a/low.ts";\n`],
  ["b/other.ts", `import { low } from "../a/low.ts";\nimport type {} from "../c/top.ts";\n`],
  ["c/top.ts", `import "../b/middle.ts";\nimport "./beside.ts";\nexport * from "../a/low.ts";\n`],
  ["c/beside.ts", `import "../b/middle.ts";\nimport("../elsewhere.ts");\n`],
]);

const house = houseOf(sources, (path) => (path.includes("/") ? path.split("/")[0] : undefined));

test("a room stands above all that it imports, and what a longer way says is no arrow", () => {
  expect(house.floors.map((floor) => floor.map(({ name }) => name))).toEqual([["a"], ["b"], ["c"]]);
  expect(house.floors[2]).toEqual([{ name: "c", lines: 5 }]);
  expect(house.down.map(({ from, to }) => from + to).sort()).toEqual(["ba", "cb"]);
});

test("an import against the order runs upward, and the picture says so", () => {
  expect(house.up.map(({ from, to }) => from + to)).toEqual(["bc"]);
  const svg = draw("A < B", [{ caption: "now", house }]);
  expect(svg).toContain('3 rooms on 3 floors, <tspan class="warn">1 arrow runs upward');
  expect(svg.match(/class="up"/g)).toHaveLength(1);
  expect(svg).toContain("A &lt; B");
});
