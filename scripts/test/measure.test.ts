import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { measure } from "../lib/measure.mjs";

const large = (name: string): string => `export const ${name} = ${JSON.stringify("x".repeat(10_000))};`;
let root = "";

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "coppice-size-"));
  mkdirSync(join(root, "lazy"));
  writeFileSync(join(root, "shared.js"), large("shared"));
  writeFileSync(
    join(root, "lazy/one.js"),
    `import { shared } from "../shared.js"; ${large("one")} console.log(shared, one);`,
  );
  writeFileSync(join(root, "lazy/two.js"), `${large("two")} console.log(two);`);
  writeFileSync(
    join(root, "entry.js"),
    `import { shared } from "./shared.js"; console.log(shared); import("./lazy/one.js"); import("./lazy/two.js");`,
  );
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

test("counts static imports, and dynamic ones only if named", async () => {
  const sizes = await Promise.all(
    [[], ["lazy/one"], ["lazy/"]].map((loads) => measure({ root, entry: "entry.js", loads })),
  );
  expect(sizes.map(({ minified }) => Math.floor(minified / 10_000))).toEqual([1, 2, 3]);
  for (const { minified, gzip } of sizes) expect(gzip).toBeLessThan(minified / 10);
});
