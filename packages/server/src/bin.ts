#!/usr/bin/env node
/** The command `coppice-server`. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { createServer } from "./server.ts";

const USAGE = `Usage: coppice-server [options]

  --port PORT            port to listen on (default 8080)
  --host ADDRESS         address to listen on (default 127.0.0.1; 0.0.0.0 for all)
  --data FILE            database file (default .data/coppice.db)
  --static FOLDER        also serve this built web application
  --origin ORIGIN        an origin under which clients reach this server, for example https://chat.example
                         behind a proxy that ends TLS; may be repeated
  --allow-origin ORIGIN  let web pages of this origin use the server; may be repeated
  --retention DAYS       delete messages after this many days (default: never)
  --trust-proxy          take the client's address from X-Forwarded-For
  --help
`;

function parse(): ReturnType<typeof parseCommandLine> | undefined {
  try {
    return parseCommandLine();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return undefined;
  }
}

const parseCommandLine = () =>
  parseArgs({
    options: {
      port: { type: "string", default: "8080" },
      host: { type: "string", default: "127.0.0.1" },
      data: { type: "string", default: ".data/coppice.db" },
      static: { type: "string" },
      origin: { type: "string", multiple: true, default: [] },
      "allow-origin": { type: "string", multiple: true, default: [] },
      retention: { type: "string" },
      "trust-proxy": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;

async function main(): Promise<void> {
  const flags = parse();
  if (flags === undefined) {
    process.exitCode = 2;
    return;
  }
  if (flags.help) {
    console.log(USAGE);
    return;
  }
  await mkdir(dirname(flags.data), { recursive: true });
  const server = await createServer({
    port: Number(flags.port),
    host: flags.host,
    database: flags.data,
    origins: flags.origin,
    allowedOrigins: flags["allow-origin"],
    trustProxy: flags["trust-proxy"],
    ...(flags.static === undefined ? {} : { staticDirectory: flags.static }),
    ...(flags.retention === undefined ? {} : { limits: { messageRetention: Number(flags.retention) * 86_400_000 } }),
    onError: (error) => {
      console.error(error);
    },
  });
  console.log(`Coppice Delivery Service: ${server.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void server.close();
    });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
