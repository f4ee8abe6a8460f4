/** What a browser does to the package's own worker script. */
import type { Route } from "playwright";
import { beforeAll, describe, expect, it } from "vitest";
import { call } from "./chromium.ts";
import { setUp, source } from "./serve.ts";

const { browser, serveBuilt } = setUp();
let url: string;

beforeAll(async () => {
  url = await serveBuilt("spawn", { resolve: source });
});

/** The page's answer when it opens a client, with what `change` does to the responses that it gets. */
async function fail(change: (route: Route) => Promise<void>): Promise<{ code: string; message: string; url: unknown }> {
  const context = await browser().newContext();
  try {
    await context.grantPermissions(["local-network-access"]);
    await context.route(({ pathname }) => !pathname.startsWith("/v1/"), change);
    const tab = await context.newPage();
    await tab.goto(url);
    return (await call(tab, "fail")) ?? expect.fail("it opened");
  } finally {
    await context.close();
  }
}

const isScript = (route: Route): boolean => /\/worker-[^/]*\.js$/.test(new URL(route.request().url()).pathname);

/** Serves the page under a content security policy. */
const under =
  (policy: string) =>
  async (route: Route): Promise<void> => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), "content-security-policy": policy } });
  };

describe("the worker's script", () => {
  it.each([
    ["is not there", { status: 404, body: "not found" }],
    ["has the wrong type", { status: 200, contentType: "text/html", body: "<html></html>" }],
  ])("that %s is an error that names it", async (_, response) => {
    const error = await fail((route) => (isScript(route) ? route.fulfill(response) : route.continue()));
    expect(error).toMatchObject({
      code: "ERR_WORKER_NOT_LOADED",
      url: expect.stringMatching(/\/worker-[^/]*\.js$/) as unknown,
    });
    expect(error.message).toContain(String(error.url));
  });

  it("that the content security policy forbids is an error with a code", async () => {
    const error = await fail(under("script-src 'self'; worker-src 'none'"));
    expect(["ERR_WORKER_NOT_LOADED", "ERR_WORKER_UNSUPPORTED"]).toContain(error.code);
    expect(error.message.toLowerCase()).toContain("content security policy");
  });

  it("that fails as it starts is ERR_WORKER_DIED", async () => {
    const error = await fail((route) =>
      isScript(route)
        ? route.fulfill({ contentType: "text/javascript", body: "throw new Error('x')" })
        : route.continue(),
    );
    expect(error.code).toBe("ERR_WORKER_DIED");
  });
});

describe("trusted types", () => {
  it("let the worker start through the policy coppice", async () => {
    // Nobody listens on port 9: the engine ran.
    const policy = "require-trusted-types-for 'script'; trusted-types coppice";
    expect(await fail(under(policy))).toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    expect(await fail(under("require-trusted-types-for 'script'"))).toMatchObject({ code: "ERR_DS_UNREACHABLE" });
  });

  it("without that policy are ERR_WORKER_UNSUPPORTED, in words", async () => {
    const error = await fail(under("require-trusted-types-for 'script'; trusted-types other"));
    expect(error.code).toBe("ERR_WORKER_UNSUPPORTED");
    expect(error.message).toContain("trusted-types coppice");
  });
});
