/** The flags of `coppice-server`. */
import { parseArgs } from "node:util";
import { parseOrigin } from "./auth/origins.ts";
import type { ServerOptions } from "./server.ts";

export const HELP = `Usage: coppice-server [options]

  --port PORT            port to listen on; 0 picks a free one (default 8080)
  --host ADDRESS         address to listen on (default 127.0.0.1; 0.0.0.0 for all)
  --data FILE            database file (default .data/coppice.db)
  --static FOLDER        also serve this built web application
  --origin ORIGIN        an origin under which clients reach this server, for example https://chat.example
                         behind a proxy that ends TLS; may be repeated
  --allow-origin ORIGIN  let web pages of this origin use the server; may be repeated
  --retention DAYS       delete messages after this many days (default: never)
  --new-incarnations     the database was restored from a backup: let clients notice and resynchronise. For one start
  --trust-proxy          take the client's address from X-Forwarded-For
  --version              print the version
  --help                 print this
`;

const MS_PER_DAY = 86_400_000;

/** What the command line asks for. */
export interface CommandLine {
  readonly help: boolean;
  readonly version: boolean;
  readonly options: ServerOptions;
}

class CommandLineMistake extends Error {}

/** The words to print for an error that `parseCommandLine` threw; `undefined` for any other. */
export const commandLineMistake = (error: unknown): string | undefined =>
  error instanceof CommandLineMistake ? error.message : undefined;

/** Reads the arguments of the command. Throws what `commandLineMistake` knows. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const flags = asMistake(() => parseFlags(args), "\n\nSee coppice-server --help");
  const port = Number(flags.port);
  if (!/^\d+$/.test(flags.port) || port > 65_535) {
    throw new CommandLineMistake(`--port is a number from 0 to 65535, not "${flags.port}"`);
  }
  const options: ServerOptions = {
    port,
    host: flags.host,
    database: flags.data,
    origins: flags.origin.map((origin) => asMistake(() => parseOrigin(origin))),
    allowedOrigins: flags["allow-origin"].map((origin) => asMistake(() => parseOrigin(origin))),
    trustProxy: flags["trust-proxy"],
    newIncarnations: flags["new-incarnations"],
    ...(flags.static === undefined ? {} : { staticDirectory: flags.static }),
    ...(flags.retention === undefined ? {} : { limits: { messageRetention: days(flags.retention) } }),
  };
  return { help: flags.help, version: flags.version, options };
}

const parseFlags = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: {
      port: { type: "string", default: "8080" },
      host: { type: "string", default: "127.0.0.1" },
      data: { type: "string", default: ".data/coppice.db" },
      static: { type: "string" },
      origin: { type: "string", multiple: true, default: [] },
      "allow-origin": { type: "string", multiple: true, default: [] },
      retention: { type: "string" },
      "trust-proxy": { type: "boolean", default: false },
      "new-incarnations": { type: "boolean", default: false },
      version: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;

function days(text: string): number {
  const value = Number(text) * MS_PER_DAY;
  if (value > 0) return value;
  throw new CommandLineMistake(`--retention is a number of days greater than 0, not "${text}"`);
}

/** Runs `parse`; what it throws is the caller's mistake. */
function asMistake<T>(parse: () => T, hint = ""): T {
  try {
    return parse();
  } catch (error) {
    throw new CommandLineMistake(`${error instanceof Error ? error.message : String(error)}${hint}`);
  }
}
