/** Serves a built web application: the files of one folder, nothing above it, with the headers it needs to be safe. */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";

const TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".mjs", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".json", "application/json; charset=utf-8"],
  [".map", "application/json; charset=utf-8"],
  [".webmanifest", "application/manifest+json; charset=utf-8"],
  [".txt", "text/plain; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".png", "image/png"],
  [".jpg", "image/jpeg"],
  [".webp", "image/webp"],
  [".ico", "image/x-icon"],
  [".woff2", "font/woff2"],
  [".wasm", "application/wasm"],
]);

/** `ws:` and `wss:` are named because Safari's `'self'` does not include them. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' ws: wss:",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** A server of the files in `directory`. `Error` of the file system if the folder does not exist. */
export async function staticFiles(
  directory: string,
): Promise<(request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>> {
  const root = await realpath(directory);
  return async (request, response, path) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { ...SECURITY_HEADERS, allow: "GET, HEAD" }).end();
      return;
    }
    const file = await findFile(root, path);
    if (file === undefined) {
      response.writeHead(404, { ...SECURITY_HEADERS, "content-type": "text/plain; charset=utf-8" }).end("Not found\n");
      return;
    }
    const tag = `"${file.modified.toString(36)}-${file.bytes.toString(36)}"`;
    const headers = {
      ...SECURITY_HEADERS,
      "content-type": TYPES.get(extname(file.path).toLowerCase()) ?? "application/octet-stream",
      // An application that is out of date may lack a security fix, so caches ask each time.
      "cache-control": "no-cache",
      etag: tag,
    };
    if (request.headers["if-none-match"] === tag) {
      response.writeHead(304, headers).end();
      return;
    }
    response.writeHead(200, { ...headers, "content-length": file.bytes });
    if (request.method === "HEAD" || file.bytes === 0) response.end();
    // The file must not be longer than announced if somebody replaces it meanwhile.
    else await pipeline(createReadStream(file.path, { end: file.bytes - 1 }), response);
  };
}

interface FoundFile {
  readonly path: string;
  readonly bytes: number;
  readonly modified: number;
}

/** The regular file below `root` that the URL path means, symbolic links resolved. */
async function findFile(root: string, path: string): Promise<FoundFile | undefined> {
  const segments = decodeSegments(path);
  if (segments === undefined) return undefined;
  try {
    const found = await realpath(join(root, ...segments, ...(path.endsWith("/") ? ["index.html"] : [])));
    if (!found.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
    const status = await stat(found);
    return status.isFile() ? { path: found, bytes: status.size, modified: Math.floor(status.mtimeMs) } : undefined;
  } catch {
    return undefined;
  }
}

/** The path's segments; `undefined` if one is hidden, a step upwards, or holds what separates or ends file names. */
function decodeSegments(path: string): readonly string[] | undefined {
  try {
    const segments = path
      .split("/")
      .filter((segment) => segment !== "")
      .map(decodeURIComponent);
    return segments.every((segment) => !segment.startsWith(".") && !/[/\\:\0]/.test(segment)) ? segments : undefined;
  } catch {
    return undefined;
  }
}
