import { mkdir, symlink, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { startServer, temporaryFolder } from "./harness.ts";

/** `fetch` would tidy up the path. */
function get(
  url: string,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const { port, hostname } = new URL(url);
    const request = httpRequest({ hostname, port, path, ...options }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on("error", reject).end();
  });
}

describe("static files", () => {
  let url: string;
  let app: string;
  beforeEach(async () => {
    const folder = await temporaryFolder();
    app = join(folder, "app");
    await mkdir(join(app, "assets"), { recursive: true });
    await mkdir(join(folder, "app-secret"));
    await writeFile(join(folder, "secret.txt"), "secret");
    await writeFile(join(folder, "app-secret", "secret.txt"), "secret");
    await writeFile(join(app, "index.html"), "<!doctype html>");
    await writeFile(join(app, ".env"), "secret");
    await writeFile(join(app, "empty.txt"), "");
    await writeFile(join(app, "assets", "main.js"), "export {};");
    await writeFile(join(app, "assets", "kernel.wasm"), "wasm");
    await symlink(join(folder, "secret.txt"), join(app, "link.txt"));
    ({ url } = await startServer({ staticDirectory: app }));
  });

  test("files come with their type", async () => {
    expect(await get(url, "/")).toMatchObject({
      status: 200,
      body: "<!doctype html>",
      headers: { "content-type": "text/html; charset=utf-8" },
    });
    expect(await get(url, "/index.html?x=1")).toMatchObject({ status: 200 });
    expect(await get(url, "/assets/main.js")).toMatchObject({
      headers: { "content-type": "text/javascript; charset=utf-8" },
    });
    expect(await get(url, "/assets/kernel.wasm")).toMatchObject({ headers: { "content-type": "application/wasm" } });
    expect(await get(url, "/empty.txt")).toMatchObject({ status: 200, body: "" });
  });

  test("every answer has the security headers", async () => {
    for (const path of ["/", "/nothing"]) {
      const { headers } = await get(url, path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
      expect(policy).toContain(`connect-src 'self' ${url.replace("http", "ws")};`);
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe-inline");
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
      });
    }
  });

  test("issue 15 (19): a page may connect to the server's own host only", async () => {
    const { url: own } = await startServer({ staticDirectory: app, origins: ["https://chat.example"] });
    const sources = async (host: string) => {
      const { headers } = await get(own, "/", { headers: { host } });
      return /connect-src ([^;]*);/.exec(String(headers["content-security-policy"]))?.[1];
    };
    const { host } = new URL(own);
    expect(await sources(host)).toBe(`'self' ws://${host}`);
    expect(await sources("chat.example")).toBe("'self' wss://chat.example");
    expect(await sources("evil.example")).toBe("'self'");
    expect(await sources("x; script-src *")).toBe("'self'");
  });

  test("issue 15 (20): files are rate limited, also those that are not there", async () => {
    const { url: slow } = await startServer({
      staticDirectory: app,
      limits: { requestsPerAddress: { burst: 3, perSecond: 0.001 } },
    });
    const statuses: number[] = [];
    for (const path of ["/", "/nothing", "/", "/", "/nothing"]) statuses.push((await get(slow, path)).status);
    expect(statuses).toEqual([200, 404, 200, 429, 429]);
  });

  test.each([
    "/../secret.txt",
    "/assets/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/..%5csecret.txt",
    "/assets/..\\..\\secret.txt",
    "/../app-secret/secret.txt",
    "//etc/passwd",
    "/link.txt",
    "/.env",
    "/index.html%00.js",
    "/%",
    "/%ff",
    "/assets",
    "/assets/",
    "/constructor",
  ])("%s is not found", async (path) => {
    const { status, body } = await get(url, path);
    expect([status, body]).toEqual([404, "Not found\n"]);
  });

  test("HEAD has no body, an unchanged file is not sent again, other methods are refused", async () => {
    const { headers, body } = await get(url, "/assets/main.js", { method: "HEAD" });
    expect([headers["content-length"], body]).toEqual(["10", ""]);
    const again = { headers: { "if-none-match": String(headers["etag"]) } };
    expect(await get(url, "/assets/main.js", again)).toMatchObject({ status: 304, body: "" });
    expect(await get(url, "/assets/main.js", { method: "POST" })).toMatchObject({ status: 405 });
  });
});
