/** Where the vectors come from. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../../..");

/** Where the working group keeps them. What is accepted is pinned by the checksums in SHA256SUMS. */
const SOURCE = "https://raw.githubusercontent.com/mlswg/mls-implementations/main/test-vectors";

/** The first of: the argument, $MLS_TEST_VECTORS, ../shared/test-vectors, a download into .cache/. */
export async function findVectors(argument: string | undefined): Promise<string> {
  const given = argument ?? process.env["MLS_TEST_VECTORS"];
  if (given !== undefined) return resolve(given);
  const shared = join(ROOT, "..", "shared", "test-vectors");
  return existsSync(shared) ? shared : download();
}

/** Vector files in a folder and those below it, relative to it. */
export const vectorFiles = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .sort();

async function download(): Promise<string> {
  const checksums = await readFile(join(ROOT, "packages/core/vectors/SHA256SUMS"), "utf8");
  const directory = join(ROOT, ".cache", "test-vectors");
  await mkdir(directory, { recursive: true });
  for (const line of checksums.trim().split("\n")) {
    const [expected, name] = line.split(/\s+/);
    if (expected === undefined || name === undefined) throw new Error(`malformed checksum line: ${line}`);
    const path = join(directory, name);
    if (existsSync(path) && sha256(await readFile(path)) === expected) continue;
    const url = `${SOURCE}/${name}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
    if (!response.ok) throw new Error(`${url}: ${String(response.status)}`);
    const body = new Uint8Array(await response.arrayBuffer());
    if (sha256(body) !== expected) throw new Error(`${name}: the download does not have the pinned checksum`);
    await writeFile(`${path}.part`, body);
    await rename(`${path}.part`, path);
  }
  return directory;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
