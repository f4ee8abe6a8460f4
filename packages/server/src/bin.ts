#!/usr/bin/env node
/** The command `coppice-server`. */
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { systemTime } from "@coppice/kit";
import { commandLineMistake, HELP, parseCommandLine } from "./command-line.ts";
import { createServer } from "./server.ts";

/** How long ending may take, milliseconds, whatever holds it up. */
const END_TIMEOUT = 4500;

async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
}

async function main(): Promise<void> {
  const { help, version: showVersion, options } = parseCommandLine(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return;
  }
  if (showVersion) {
    console.log(`coppice-server ${await version()}`);
    return;
  }
  if (options.database !== ":memory:") await mkdir(dirname(options.database), { recursive: true });
  const server = await createServer({
    ...options,
    onError: (error) => {
      console.error(error);
    },
  });
  console.log(`Coppice Delivery Service: ${server.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      systemTime.after(END_TIMEOUT, () => process.exit(1));
      server.close().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}

main().catch((error: unknown) => {
  const mistake = commandLineMistake(error);
  console.error(mistake ?? (error instanceof Error ? error.message : String(error)));
  process.exitCode = mistake === undefined ? 1 : 2;
});
