/** Bundles the suite and serves a page with it: SubtleCrypto exists in secure contexts only, of which localhost is one. */
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The suite as one module, minified as in production. */
export async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("inside.ts", import.meta.url))],
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

const PAGE = `<!doctype html><title>kernel</title>
<script type="module">globalThis.suite = await import("/suite.mjs");</script>`;

export async function serve(script: string): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer((request, response) => {
    const isScript = request.url === "/suite.mjs";
    response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
    response.end(isScript ? script : PAGE);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}
