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

const policy = (connectSources: string): string =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    `connect-src ${connectSources}`,
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Most bytes of a file that are in memory at once for one reader. */
const CHUNK_BYTES = 64 * 1024;

/** What a file is served with. */
export interface FileOptions {
  /** The `connect-src` of the Content-Security-Policy. */
  readonly connectSources: string;
  /** Sets memory aside for the response (two chunks: one read, one written), or says that there is none. */
  readonly reserve: (bytes: number, length: number) => boolean;
}

/** Answers a request for the file at `path`. */
export type FileHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  options: FileOptions,
) => Promise<void>;

/** A server of the files in `directory`. `Error` of the file system if the folder does not exist. */
export async function staticFiles(directory: string): Promise<FileHandler> {
  const root = await realpath(directory);
  return async (request, response, path, { connectSources, reserve }) => {
    const secure = { ...SECURITY_HEADERS, "content-security-policy": policy(connectSources) };
    const refuse = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { ...secure, ...headers, "content-type": "text/plain; charset=utf-8" }).end(text);
    };
    if (request.method !== "GET" && request.method !== "HEAD") {
      refuse(405, "Only GET and HEAD\n", { allow: "GET, HEAD" });
      return;
    }
    const file = await findFile(root, path);
    if (file === undefined) {
      refuse(404, "Not found\n");
      return;
    }
    const tag = `"${file.modified.toString(36)}-${file.bytes.toString(36)}"`;
    const headers = {
      ...secure,
      "content-type": TYPES.get(extname(file.path).toLowerCase()) ?? "application/octet-stream",
      // An application that is out of date may lack a security fix, so caches ask each time.
      "cache-control": "no-cache",
      etag: tag,
    };
    if (request.headers["if-none-match"] === tag) {
      response.writeHead(304, headers).end();
      return;
    }
    if (!reserve(Math.min(file.bytes, 2 * CHUNK_BYTES), file.bytes)) {
      refuse(503, "Too busy\n", { "retry-after": "1" });
      return;
    }
    response.writeHead(200, { ...headers, "content-length": file.bytes });
    if (request.method === "HEAD" || file.bytes === 0) response.end();
    // The file must not be longer than announced if somebody replaces it meanwhile.
    else {
      const content = createReadStream(file.path, { end: file.bytes - 1, highWaterMark: CHUNK_BYTES });
      await pipeline(content, response);
    }
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
