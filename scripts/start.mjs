/** `npm start`: builds, then serves the chat example and its delivery server until Ctrl-C. `PORT` chooses the port. */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { freePort } from "./lib/port.mjs";
import { root } from "./lib/root.mjs";

const HOST = "127.0.0.1";
const DEFAULT_PORT = 8484;

/** @returns {Promise<number>} */
async function choosePort() {
  const named = process.env["PORT"];
  if (named === undefined || named === "") return freePort(DEFAULT_PORT, HOST);
  const port = Number(named);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`PORT is "${named}": not a port number.`);
  if ((await freePort(port, HOST)) !== port) throw new Error(`PORT ${port} is in use.`);
  return port;
}

/** @param {number} port */
function serve(port) {
  const data = join(root, ".data");
  mkdirSync(data, { recursive: true });
  const server = spawn(
    process.execPath,
    [
      join(root, "packages/server/dist/bin.js"),
      ...["--port", String(port), "--host", HOST, "--origin", `http://localhost:${port}`, "--log", "error"],
      ...["--data", join(data, "coppice.db"), "--static", join(root, "examples/chat/dist")],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let isStopping = false;
  server.stdout.once("data", () => {
    console.log(`\n  Coppice chat: http://localhost:${port}\n`);
    console.log("  Open it in two browser profiles, sign in under two names, and write to each other.");
    console.log("  The server keeps its data in .data/. Ctrl-C stops it.\n");
  });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      isStopping = true;
      server.kill("SIGTERM"); // In a terminal it got the signal itself; a second one is harmless.
    });
  }
  server.once("exit", (code) => {
    if (!isStopping) console.error(`The server stopped by itself (exit code ${code ?? "none"}).`);
    process.exit(isStopping ? 0 : 1);
  });
}

try {
  console.log("Building the packages and the chat example …");
  const { ok, output } = await build();
  if (!ok) throw new Error(`${output}\nThe build failed (see above).`);
  serve(await choosePort());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
