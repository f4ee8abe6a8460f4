/** Bundles a suite and serves a page with it: SubtleCrypto exists in secure contexts only, of which localhost is one. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { build } from "esbuild";

/** The suite as one module, minified as in production. */
export async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@coppice/source"],
    logLevel: "error",
  });
  const [{ text } = { text: "" }] = outputFiles;
  return text;
}

/** A page with a suite, and the files of a folder beside it. */
export interface Site {
  readonly script: string;
  readonly url: string;
  readonly close: () => void;
}

const PAGE = `<!doctype html><title>suite</title>
<script type="module">globalThis.suite = await import("/suite.mjs");</script>`;

/** Files are under `files/`; any page may read them, Node as well. */
export async function serve(script: string, folder: string | undefined): Promise<Site> {
  const send = (response: ServerResponse, type: string, body: string | Uint8Array): void => {
    response.writeHead(200, { "content-type": type }).end(body);
  };
  const respond = async (path: string, response: ServerResponse): Promise<void> => {
    if (path === "/suite.mjs") send(response, "text/javascript", script);
    else if (folder !== undefined && path.startsWith("/files/"))
      // A URL has no ".." left in its path, so that this stays in the folder.
      send(response, "application/json", await readFile(join(folder, path.slice("/files/".length))));
    else send(response, "text/html", PAGE);
  };
  const server = createServer(({ url = "/" }, response) => {
    respond(new URL(url, "http://localhost").pathname, response).catch(() => response.writeHead(404).end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { script, url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}
