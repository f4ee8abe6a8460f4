#!/usr/bin/env node
/** The command `coppice-server`. */
import { existsSync } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemTime } from "@coppice/kit";
import { pino, type Logger } from "pino";
import { ADMIN_HELP, Refusal, runCommand } from "./admin/commands.ts";
import { askServer } from "./admin/socket.ts";
import { commandLineMistake, HELP, parseCommandLine } from "./command-line.ts";
import { printSettings, type Settings } from "./config/settings.ts";
import { backUp, findDamage, restore } from "./database/backup.ts";
import { repair } from "./database/repair.ts";
import { resolveLimits } from "./limits.ts";
import { createServer } from "./server.ts";
import { openService } from "./service.ts";

/** How long ending may take, milliseconds, whatever holds it up. */
const END_TIMEOUT = 4500;

async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
}

/** Lines of JSON on standard error. They name calls, codes and errors of the server, never users, groups or contents. */
const makeLog = ({ log }: Settings): Logger =>
  pino({ level: log, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));

async function serve(settings: Settings, newIncarnations: boolean): Promise<void> {
  const { options } = settings;
  const log = makeLog(settings);
  if (options.database !== ":memory:") await mkdir(dirname(options.database), { recursive: true });
  const server = await createServer({
    ...options,
    newIncarnations,
    onError: (error) => {
      log.error({ err: error }, "failed");
    },
    onRequest: ({ call, status, milliseconds }) => {
      log.debug({ call, status, milliseconds: Math.round(milliseconds) }, "request");
    },
  });
  console.log(`Coppice Delivery Service: ${server.url}`);
  log.info({ url: server.url, monitorPort: server.monitorPort, version: await version() }, "started");
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      log.info({ signal }, "stopping");
      systemTime.after(END_TIMEOUT, () => {
        log.error("stopped before everything had ended");
        process.exit(1);
      });
      server.close().then(
        () => {
          log.info("stopped");
          process.exit(0);
        },
        (error: unknown) => {
          log.error({ err: error }, "failed to stop in order");
          process.exit(1);
        },
      );
    });
  }
}

/** Says what is wrong with configuration and database; configuration mistakes have been found before. */
async function check({ options: { database, staticDirectory } }: Settings): Promise<readonly string[]> {
  const findings: string[] = [];
  const folder = staticDirectory === undefined ? undefined : await stat(staticDirectory).catch(() => undefined);
  if (staticDirectory !== undefined && folder?.isDirectory() !== true) findings.push(`${staticDirectory} is no folder`);
  if (database !== ":memory:" && existsSync(database)) findings.push(...findDamage(database));
  return findings;
}

/** By a running server, or on the database of one that has stopped. */
async function administer({ options }: Settings, command: string, words: readonly string[]): Promise<unknown> {
  if (command === "help") return ADMIN_HELP;
  const { adminSocket, database } = options;
  const answer = adminSocket === undefined ? undefined : await askServer(adminSocket, [command, ...words]);
  if (answer !== undefined) return answer.result;
  if (!existsSync(database))
    throw new Refusal(`No server listens at ${adminSocket ?? "a socket"}, no database is at ${database}`);
  const service = await openService({
    database,
    limits: resolveLimits(options.limits),
    time: systemTime,
    newIncarnations: false,
    onError: (error) => {
      console.error(error);
    },
  });
  return runCommand(service.administration, command, words).finally(() => service.close());
}

async function main(): Promise<void> {
  const { task, settings } = parseCommandLine(process.argv.slice(2), process.env);
  const { database } = settings.options;
  switch (task.do) {
    case "help":
      console.log(HELP);
      return;
    case "version":
      console.log(`coppice-server ${await version()}`);
      return;
    case "print-config":
      console.log(printSettings(settings));
      return;
    case "check":
      report(await check(settings));
      return;
    case "repair":
      report(repair(database));
      return;
    case "backup":
      backUp(database, task.to);
      console.log(`The backup is ${task.to}`);
      return;
    case "restore": {
      const before = restore(task.from, database, new Date(systemTime.now()));
      console.log(`${database} is the backup now${before === undefined ? "" : `; what was there is ${before}`}`);
      return;
    }
    case "admin": {
      const result = await administer(settings, task.command, task.words);
      console.log(typeof result === "string" ? result : JSON.stringify(result ?? "done", undefined, 2));
      return;
    }
    case "serve":
      await serve(settings, task.newIncarnations);
  }
}

function report(findings: readonly string[]): void {
  for (const finding of findings) console.error(finding);
  if (findings.length === 0) console.log("ok");
  else process.exitCode = 1;
}

main().catch((error: unknown) => {
  const mistake = commandLineMistake(error) ?? (error instanceof Refusal ? error.message : undefined);
  console.error(mistake ?? (error instanceof Error ? error.message : String(error)));
  process.exitCode = mistake === undefined ? 1 : 2;
});
