/**
 * `npm run bench -- [--engine node,chromium,firefox] [--filter TEXT] [--sizes N,N] [--large] [--json FILE] [--rounds N]`:
 * side by side with peers. `--filter tabs` and `--filter account` measure whole accounts in real tabs of a browser.
 * Exit code 1 if a promise is broken.
 */
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureAccount } from "./contexts/account.ts";
import { measureTabs } from "./contexts/tabs.ts";
import { bundle } from "./src/bundle.ts";
import { ENGINES } from "./src/engines.ts";
import { DEFAULT_EFFORT } from "./src/measure.ts";
import { formatRow, isBroken, machine, type Report } from "./src/report.ts";
import { serve } from "./src/server.ts";
import type { Row } from "./src/scenario.ts";

const PEERS = ["@noble/hashes", "@noble/ciphers", "ts-mls", "ts-mls-2", "@wireapp/core-crypto", "openmls-wasm"];

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "node" },
    filter: { type: "string", default: "" },
    sizes: { type: "string", default: "" },
    large: { type: "boolean", default: false },
    json: { type: "string" },
    rounds: { type: "string", default: String(DEFAULT_EFFORT.rounds) },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError("--rounds takes a number from 1");
const effort = { ...DEFAULT_EFFORT, rounds };

const sizes = values.sizes
  .split(",")
  .filter((size) => size !== "")
  .map(Number);
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
  const server = await serve(bundles.worker);
  console.log(`${machine()}\n${PEERS.map(versionOf).join(", ")}`);
  console.log(
    "Medians for one operation, then the bare public-key work of the step, and how many times that Coppice takes;",
  );
  console.log("without such work, how many times the fastest peer's time: below 1 is faster.");
  for (const name of names) {
    const engine = await ENGINES[name]?.({ bundles, url: server.url });
    if (engine === undefined) continue;
    versions.push(engine.version);
    console.log(`\n${engine.version}`);
    const report = (row: Row): void => {
      rows.push(row);
      console.log(formatRow(row));
    };
    try {
      const { browser } = engine;
      if (values.filter === "tabs" || values.filter === "account") {
        if (browser === undefined) throw new RangeError(`"${values.filter}" needs a browser: --engine chromium`);
        if (values.filter === "tabs") await measureTabs({ browser, engine: name, sizes }, report);
        else await measureAccount({ browser, engine: name }, report);
      } else {
        await engine.run(
          { engine: name, filter: values.filter, sizes, large: values.large, effort, origin: server.url },
          report,
        );
      }
    } finally {
      await engine.close();
    }
  }
  server.close();
} finally {
  await rm(folder, { recursive: true });
}

if (values.json !== undefined) {
  const date = new Date().toISOString().slice(0, 10);
  const report: Report = { date, machine: machine(), engines: versions, peers: PEERS.map(versionOf), rows };
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}
const broken = rows.filter(isBroken);
console.log(`\n${rows.length} rows, ${broken.length} with a broken promise`);
if (broken.length > 0 || rows.length === 0) process.exitCode = 1;
