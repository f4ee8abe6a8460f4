import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { createServer as createDeliveryServer } from "@coppice/server";
import { createServer as createViteServer } from "vite";
import { beforeAll, describe, expect, it } from "vitest";
import { call, openTab } from "./chromium.ts";
import { bundle, setUp, source } from "./serve.ts";

const repository = join(import.meta.dirname, "../../../..");
const { browser, folder, ends, serveBuilt } = setUp();

describe.each(["sources, built by Vite", "sources, served by Vite", "built packages, bundled by Vite"])(
  "from %s",
  (form) => {
    let url: string;

    beforeAll(async () => {
      switch (form) {
        case "sources, built by Vite":
          url = await serveBuilt("source", { resolve: source });
          return;
        case "built packages, bundled by Vite":
          await promisify(execFile)(process.execPath, [join(repository, "node_modules/typescript/bin/tsc"), "-b"], {
            cwd: join(repository, "packages/worker"),
          });
          url = await serveBuilt("dist", {});
          return;
        default: {
          const delivery = await createDeliveryServer({ port: 0, database: ":memory:" });
          const server = await createViteServer({
            ...bundle,
            resolve: source,
            cacheDir: join(folder(), "cache"),
            server: { port: 0, host: "127.0.0.1", proxy: { "/v1": { target: delivery.url, ws: true } } },
          });
          await server.listen();
          ends.push(
            () => server.close(),
            () => delivery.close(),
          );
          url = server.resolvedUrls?.local[0] ?? "";
        }
      }
    });

    it("opens the package's worker with the real engine", async () => {
      const tab = await openTab(browser(), url);
      // Nobody listens on port 9: the engine ran, and its error came back with class and code.
      expect(await call(tab, "open", "nobody", "http://127.0.0.1:9")).toBe("ERR_DS_UNREACHABLE");
      await tab.close();
    });
  },
);

describe("in Chromium", () => {
  let url: string;

  beforeAll(async () => {
    url = await serveBuilt("chromium", { resolve: source });
  });

  it("two clients in workers of their own talk", async () => {
    const tab = await openTab(browser(), url);
    expect(await call(tab, "open", "alice")).toBe("resolved");
    expect(await call(tab, "open", "bob")).toBe("resolved");
    expect(await call(tab, "talk", "alice", "bob", "Noodles?")).toEqual(["alice", "Noodles?"]);
    expect(await call(tab, "close", "alice")).toBe("resolved");
    expect(await call(tab, "open", "alice")).toBe("resolved");
    await tab.close();
  });

  it.each([
    ["terminate", "ERR_WORKER_DIED"],
    ["crash", "ERR_WORKER_DIED"],
    ["close", "ERR_CLIENT_CLOSED"],
  ] as const)("adversarial 42: %s rejects what waits and what comes after", async (end, code) => {
    const tab = await openTab(browser(), url);
    expect(await call(tab, "openFake", "alice")).toBe("resolved");
    expect(await call(tab, "waitAndEnd", "alice", end)).toEqual([code, code, code]);
    await tab.close();
  });

  it("clients talk under a content security policy that forbids WebAssembly", async () => {
    const context = await browser().newContext();
    const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'";
    // A response that was intercepted comes from nowhere: Chromium would keep its page from the local network.
    await context.grantPermissions(["local-network-access"]);
    const isFile = ({ pathname }: URL) => !pathname.startsWith("/v1/");
    await context.route(isFile, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), "content-security-policy": policy } });
    });
    const tab = await context.newPage();
    await tab.goto(url);
    expect(await call(tab, "open", "carol")).toBe("resolved");
    expect(await call(tab, "open", "dave")).toBe("resolved");
    const compiled = tab.workers()[0]?.evaluate(() => {
      new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    });
    await expect(compiled).rejects.toThrow("CompileError");
    expect(await call(tab, "talk", "carol", "dave", "Noodles?")).toEqual(["carol", "Noodles?"]);
    await context.close();
  });

  it("a worker whose script is missing is noticed", async () => {
    const tab = await openTab(browser(), url);
    expect(await call(tab, "openMissing")).toBe("ERR_WORKER_NOT_LOADED");
    await tab.close();
  });

  it("a shared worker has one engine for four tabs, and ends the session of a tab that was killed", async () => {
    const context = await browser().newContext();
    const open = async () => {
      const tab = await context.newPage();
      await tab.goto(url);
      expect(await call(tab, "openShared", "alice")).toBe("resolved");
      return tab;
    };
    const [first, second, third, fourth] = [await open(), await open(), await open(), await open()];
    expect(await call(second, "counts", "alice")).toEqual({ engines: 1, sessions: 4 });
    await first.close();
    await expect.poll(() => call(second, "counts", "alice")).toEqual({ engines: 1, sessions: 3 });
    await third.goto("about:blank");
    await expect.poll(() => call(second, "counts", "alice")).toEqual({ engines: 1, sessions: 2 });
    await call(fourth, "close", "alice");
    expect(await call(second, "counts", "alice")).toEqual({ engines: 1, sessions: 1 });
    await context.close();
  });
});
