/** `npm run size`: what each entry weighs, against its budget. Exit code 1 if one is over it. */
import { buildPackages } from "./lib/build.mjs";
import { measure } from "./lib/measure.mjs";
import { root } from "./lib/root.mjs";
import { BUDGETS } from "./size-budgets.mjs";

/** @param {number} bytes */
const kB = (bytes) => (bytes / 1_000).toFixed(1);

const { ok, output } = await buildPackages();
if (!ok) {
  console.error(output);
  process.exit(1);
}
/** @type {string[][]} */
const rows = [["entry", "minified", "gzip", "brotli", "budget (gzip)", ""]];
for (const { name, entries, loads = [], gzip: budget } of BUDGETS) {
  const sizes = await Promise.all(entries.map((entry) => measure({ root, entry, loads })));
  /** @param {"minified" | "gzip" | "brotli"} key */
  const sum = (key) => sizes.reduce((total, size) => total + size[key], 0);
  const isOver = sum("gzip") > budget * 1_000;
  if (isOver) process.exitCode = 1;
  rows.push([
    name,
    kB(sum("minified")),
    kB(sum("gzip")),
    kB(sum("brotli")),
    budget.toFixed(1),
    isOver ? "OVER BUDGET" : "",
  ]);
}
const width = Math.max(...rows.map(([name = ""]) => name.length));
for (const [name = "", ...cells] of rows) {
  console.log(`${name.padEnd(width)} ${cells.map((cell) => cell.padStart(14)).join("")}`.trimEnd());
}
console.log("kB = 1,000 bytes");
