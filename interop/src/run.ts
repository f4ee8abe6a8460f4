/** `npm run interop`: Coppice with Coppice, by the scenarios beside this folder. Suite 1 plays all, the others one of each file. */
import { readdirSync, readFileSync } from "node:fs";
import { SUPPORTED_CIPHER_SUITES } from "@coppice/core";
import { InteropClient } from "./client.ts";
import { type Step, play } from "./runner.ts";

const folder = new URL("../scenarios/", import.meta.url);

/** By the name of their file, then by their own. */
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => {
    const { scripts } = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as {
      scripts: Readonly<Record<string, readonly Step[]>>;
    };
    return { file: name.replace(/\.json$/, ""), scripts: Object.entries(scripts) };
  });

let [passed, failed] = [0, 0];

async function playOnce(name: string, script: readonly Step[], cipherSuite: number): Promise<void> {
  const otherSuite = cipherSuite === 1 ? 3 : 1;
  const errors: string[] = [];
  for (const encryptHandshake of [true, false]) {
    const clients = new Map<string, InteropClient>();
    const clientOf = (actor: string): InteropClient => {
      const client = clients.get(actor) ?? new InteropClient();
      clients.set(actor, client);
      return client;
    };
    try {
      await play(script, { cipherSuite, otherSuite, encryptHandshake, clientOf });
      passed++;
    } catch (error) {
      failed++;
      errors.push(`${encryptHandshake ? "private" : "public"} handshakes: ${String(error)}`);
    }
  }
  const verdict = errors.length === 0 ? "passed" : `FAILED\n  ${errors.join("\n  ")}`;
  console.log(`suite ${String(cipherSuite)} ${name}: ${verdict}`);
}

for (const cipherSuite of SUPPORTED_CIPHER_SUITES) {
  for (const { file, scripts } of scenarios) {
    const chosen = cipherSuite === 1 ? scripts : file === "commit" ? scripts.slice(0, 1) : [];
    for (const [name, script] of chosen) await playOnce(`${file}/${name}`, script, cipherSuite);
  }
}
console.log(`interop: ${String(passed)} passed, ${String(failed)} failed`);
if (failed > 0) process.exitCode = 1;
