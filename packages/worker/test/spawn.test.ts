/** Starting workers: what is asked of the browser, and what its refusals become. */
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { PROTOCOL } from "../src/calls.ts";
import { changeKeyInWorker, openInWorker, wipeInWorker } from "../src/index.ts";
import { connectWorker } from "../src/spawn.ts";
import { rejection, serve, settled } from "./connect.ts";
import { FakeSource } from "./fake-engine.ts";

type Started = [kind: string, url: unknown, options: WorkerOptions | undefined];

const account = { name: "alice", server: "https://chat.example" };
const script = expect.stringMatching(/\/packages\/worker\/src\/worker\.js$/) as unknown;

/** A browser's constructors; `refuse` throws what they refuse with. */
function browser({ refuse = () => undefined }: { refuse?: (url: unknown) => void } = {}) {
  const started: Started[] = [];
  const begin = (kind: string, url: unknown, options?: WorkerOptions) => {
    refuse(url);
    started.push([kind, url instanceof URL ? url.href : url, options]);
  };
  class FakeWorker extends EventTarget {
    constructor(url: unknown, options?: WorkerOptions) {
      super();
      begin("Worker", url, options);
    }
    postMessage(): void {}
    terminate(): void {}
  }
  class FakeSharedWorker extends EventTarget {
    readonly port = new MessageChannel().port1;
    constructor(url: unknown, options?: WorkerOptions) {
      super();
      begin("SharedWorker", url, options);
    }
  }
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("SharedWorker", FakeSharedWorker);
  return { started, Worker: FakeWorker };
}

/** Trusted types as a browser has them; the policy `coppice` is created once for all these tests. */
class TrustedScriptURL {
  readonly #url: string;
  constructor(url: string) {
    this.#url = url;
  }
  toString(): string {
    return this.#url;
  }
}

beforeEach(() => {
  onTestFinished(() => void vi.unstubAllGlobals());
  vi.resetModules();
});

describe("the package's own worker", () => {
  it("is a dedicated module worker by default", () => {
    const { started, Worker } = browser();
    connectWorker({ worker: undefined, shared: false });
    expect(started).toEqual([["Worker", script, { type: "module", name: "coppice" }]]);
    expect(globalThis.Worker).toBe(Worker);
  });

  it("is shared on request, under a name that only builds with the same protocol have", () => {
    const { started } = browser();
    connectWorker({ worker: undefined, shared: true });
    expect(started).toEqual([["SharedWorker", script, { type: "module", name: `coppice-${PROTOCOL}` }]]);
  });

  it("is a dedicated one where there are no shared workers", () => {
    const { started } = browser();
    vi.stubGlobal("SharedWorker", undefined);
    connectWorker({ worker: undefined, shared: true });
    expect(started).toEqual([["Worker", script, { type: "module", name: "coppice" }]]);
  });

  it("starts where globals are frozen", () => {
    const { started } = browser();
    vi.spyOn(Reflect, "set").mockReturnValue(false);
    connectWorker({ worker: undefined, shared: false });
    vi.restoreAllMocks();
    expect(started).toEqual([["Worker", script, { type: "module", name: "coppice" }]]);
  });

  it("that cannot be loaded is an error that names its address and where to read", async () => {
    const { started, Worker } = browser();
    const workers: EventTarget[] = [];
    vi.stubGlobal(
      "Worker",
      class extends Worker {
        constructor(url: unknown, options?: WorkerOptions) {
          super(url, options);
          workers.push(this);
        }
      },
    );
    const opening = rejection(openInWorker(account));
    await settled();
    workers[0]?.dispatchEvent(new Event("error"));
    const error = await opening;
    const [, url] = started[0] ?? [];
    expect(error).toMatchObject({ code: "ERR_WORKER_NOT_LOADED", detail: { url } });
    expect((error as Error).message).toContain(`${String(url)}. See "Bundlers"`);
  });
});

describe("trusted types", () => {
  const createPolicy = vi.fn((_name: string, rules: { createScriptURL: (url: string) => string }) => ({
    createScriptURL: (url: string) => new TrustedScriptURL(rules.createScriptURL(url)),
  }));
  /** What a page with `require-trusted-types-for 'script'` does to a plain address. */
  const refuse = (url: unknown): void => {
    if (!(url instanceof TrustedScriptURL))
      throw new TypeError("This document requires 'TrustedScriptURL' assignment.");
  };

  it("get the address through the policy coppice, which is created once", async () => {
    const { started } = browser({ refuse });
    vi.stubGlobal("trustedTypes", { createPolicy });
    const fresh = await import("../src/spawn.ts");
    fresh.connectWorker({ worker: undefined, shared: false });
    fresh.connectWorker({ worker: undefined, shared: true });
    expect(started.map(([kind, url]) => [kind, String(url)])).toEqual([
      ["Worker", script],
      ["SharedWorker", script],
    ]);
    expect(createPolicy.mock.calls.map(([name]) => name)).toEqual(["coppice"]);
  });

  it("that do not allow the policy are ERR_WORKER_UNSUPPORTED, in words", async () => {
    browser({ refuse });
    const denied = new TypeError("Policy coppice disallowed");
    vi.stubGlobal("trustedTypes", {
      createPolicy: () => {
        throw denied;
      },
    });
    const fresh = await import("../src/spawn.ts");
    const start = () => fresh.connectWorker({ worker: undefined, shared: false });
    expect(start).toThrow("trusted-types coppice");
    expect(start).toThrow(expect.objectContaining({ code: "ERR_WORKER_UNSUPPORTED" }) as Error);
  });

  it("that have no such policy, but are not required, change nothing", async () => {
    const { started } = browser();
    vi.stubGlobal("trustedTypes", {
      createPolicy: () => {
        throw new TypeError("Policy coppice disallowed");
      },
    });
    const fresh = await import("../src/spawn.ts");
    fresh.connectWorker({ worker: undefined, shared: false });
    expect(started).toEqual([["Worker", script, { type: "module", name: "coppice" }]]);
  });
});

describe("changing the key", () => {
  it("changes that of the account's database, whether it is open or not; then only the new one opens it", async () => {
    const source = new FakeSource();
    const ports = Array.from({ length: 4 }, () => serve(source).pagePort);
    const worker = () => ports.shift() ?? expect.fail();
    const to = { kind: "passphrase", passphrase: "correct horse" } as const;
    const client = await openInWorker({ ...account, worker });
    await changeKeyInWorker({ ...account, to, worker });
    const again = changeKeyInWorker({ ...account, to: { kind: "device" }, worker });
    await expect(again).rejects.toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
    const other = await openInWorker({ ...account, key: to, worker });
    await Promise.all([client.close(), other.close()]);
  });
});

describe("wiping", () => {
  it("deletes the account's database without opening it, and lets the worker go", async () => {
    const source = new FakeSource();
    const { pagePort } = serve(source);
    const closed = vi.spyOn(pagePort, "close");
    await wipeInWorker({ ...account, worker: () => pagePort });
    expect(source.wiped).toEqual(["https://chat.example alice"]);
    expect(source.engines).toEqual([]);
    expect(closed).toHaveBeenCalled();
  });
});
