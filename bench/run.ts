/**
 * `npm run bench -- [--engine node,chromium,firefox] [--filter TEXT] [--json FILE] [--rounds N]`: side by side with peers.
 * Exit code 1 if a ratio is over its limit.
 */
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./src/bundle.ts";
import { ENGINES } from "./src/engines.ts";
import { DEFAULT_EFFORT } from "./src/measure.ts";
import { formatRow, isOverLimit, machine } from "./src/report.ts";
import type { Row } from "./src/scenario.ts";

const PEERS = ["@noble/hashes", "@noble/ciphers", "ts-mls"];

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "node" },
    filter: { type: "string", default: "" },
    json: { type: "string" },
    rounds: { type: "string", default: String(DEFAULT_EFFORT.rounds) },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError("--rounds takes a number from 1");
const effort = { ...DEFAULT_EFFORT, rounds };

const names = values.engine.split(",");
const unknown = names.find((name) => !(name in ENGINES));
if (unknown !== undefined) throw new RangeError(`no engine "${unknown}"; there are ${Object.keys(ENGINES).join(", ")}`);

/** Version of an installed package, from its manifest. */
function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  const folders = require.resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      const { version } = require(join(folder, name, "package.json")) as { readonly version: string };
      return `${name} ${version}`;
    } catch {
      continue;
    }
  }
  return `${name} unknown`;
}

const folder = await mkdtemp(join(tmpdir(), "coppice-bench-"));
const rows: Row[] = [];
const versions: string[] = [];
try {
  const bundles = await bundle(folder);
  console.log(`${machine()}\n${PEERS.map(versionOf).join(", ")}`);
  console.log("Medians for one operation; ratio = Coppice's time divided by the peer's, below 1 is faster.");
  for (const name of names) {
    const engine = await ENGINES[name]?.(bundles);
    if (engine === undefined) continue;
    versions.push(engine.version);
    console.log(`\n${engine.version}`);
    try {
      await engine.run({ engine: name, filter: values.filter, effort }, (row) => {
        rows.push(row);
        console.log(formatRow(row));
      });
    } finally {
      await engine.close();
    }
  }
} finally {
  await rm(folder, { recursive: true });
}

if (values.json !== undefined) {
  const report = { machine: machine(), engines: versions, peers: PEERS.map(versionOf), rows };
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}
const over = rows.filter(isOverLimit);
console.log(`\n${rows.length} rows, ${over.length} over their limit`);
if (over.length > 0 || rows.length === 0) process.exitCode = 1;
