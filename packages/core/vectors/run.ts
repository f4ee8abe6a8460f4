/**
 * Verifies the official test vectors: `npm run vectors -- [DIR] [--kernel wasm|noble] [--suite N]`, in a browser with
 * `--engine chromium|firefox|webkit`.
 * DIR: else $MLS_TEST_VECTORS, else ../shared/test-vectors, else a pinned, checksummed download.
 */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { CipherSuite } from "../src/crypto/cipher-suite.ts";
import { getCipherSuite } from "../src/crypto/cipher-suite.ts";
import { Case, isOfKnownSuite } from "./case.ts";
import { recogniseFormat } from "./formats.ts";
import { findVectors, vectorFiles } from "./source.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kernel: { type: "string" }, suite: { type: "string" }, engine: { type: "string", default: "node" } },
});
function kernelOption(name: string | undefined): { readonly kernel?: "wasm" | "noble" } {
  if (name === undefined) return {};
  if (name !== "wasm" && name !== "noble") throw new TypeError("--kernel is wasm or noble");
  return { kernel: name };
}
const kernel = kernelOption(values.kernel);
const only = values.suite === undefined ? undefined : Number(values.suite);

const resolved = new Map<number, Promise<CipherSuite>>();
function suite(id: number): Promise<CipherSuite> {
  let found = resolved.get(id);
  if (found === undefined) {
    found = getCipherSuite(id, kernel);
    resolved.set(id, found);
  }
  return found;
}

/** Exit code for "there are no vectors to be had": `npm test` then says what it left out. */
const NO_VECTORS = 3;

const directory = await findVectors(positionals[0]).catch((error: unknown) => {
  console.error("no test vectors: name a folder, set MLS_TEST_VECTORS, or connect to the internet", error);
  process.exit(NO_VECTORS);
});
if (values.engine !== "node") {
  const runner = fileURLToPath(new URL("../../../wasm/test/engines/run.ts", import.meta.url));
  const part = ["--part", "vectors", "--engine", values.engine, "--kernel", values.kernel ?? "wasm"];
  const { status } = spawnSync(process.execPath, [...process.execArgv, runner, ...part, "--vectors", directory], {
    stdio: "inherit",
  });
  process.exit(status ?? 1);
}
console.log(`test vectors of ${directory}, kernel ${values.kernel ?? "default"}`);
const total = { passed: 0, leftOut: 0, failed: 0 };
for (const path of vectorFiles(directory)) {
  const file = basename(path);
  const cases: unknown = JSON.parse(await readFile(join(directory, path), "utf8"));
  if (!Array.isArray(cases)) throw new TypeError(`${file} is not a JSON array`);
  const format = recogniseFormat(file, cases);
  const count = { passed: 0, leftOut: 0, failed: 0 };
  const started = performance.now();
  for (const [i, value] of cases.entries()) {
    const vector = new Case(value);
    const isOther = only !== undefined && vector.has("cipher_suite") && vector.number("cipher_suite") !== only;
    if (isOther || !isOfKnownSuite(vector)) {
      count.leftOut++;
      continue;
    }
    try {
      if (format === undefined) throw new Error("unknown format");
      await format.verify(vector, suite);
      count.passed++;
    } catch (error) {
      count.failed++;
      console.error(
        `${file} case ${String(i)}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${file.padEnd(38)} ${String(count.passed).padStart(4)} passed ${String(count.leftOut).padStart(4)} left out ${String(count.failed).padStart(4)} failed  ${seconds} s`,
  );
  total.passed += count.passed;
  total.leftOut += count.leftOut;
  total.failed += count.failed;
}
console.log(
  `vectors: ${String(total.passed)} passed, ${String(total.leftOut)} left out, ${String(total.failed)} failed`,
);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
