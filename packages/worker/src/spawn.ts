/** Starting the worker, and what a connection is made of. */
import { workerError } from "./errors.ts";
import type { Connection } from "./page/link.ts";
import { PROTOCOL } from "./calls.ts";

/** Where an engine may run: a worker of its own, a shared worker, or behind a port to either. */
export type EngineWorker = Worker | SharedWorker | MessagePort;

export interface SpawnOptions {
  /** How the application starts the worker; undefined to start the one that this package brings. */
  readonly worker: (() => EngineWorker) | undefined;
  /** Whether the package's worker is to be a shared one, where there are any. */
  readonly shared: boolean;
}

/** Starts a worker and connects to it. `ERR_WORKER_UNSUPPORTED` if there are none here, or the browser refuses it. */
export function connectWorker({ worker, shared }: SpawnOptions): Connection {
  if (worker !== undefined) return connect(started(worker), undefined);
  if (typeof Worker === "undefined") {
    throw workerError("ERR_WORKER_UNSUPPORTED", "This context cannot start workers; use openHere of the direct entry");
  }
  const script = locateScript();
  if (!(script instanceof Script)) return connect(script, undefined);
  return connect(
    started(() => startScript(script, shared)),
    String(script.url),
  );
}

/** What `new Worker` was called with, instead of a worker. */
class Script {
  readonly url: string | URL;
  readonly options: WorkerOptions | undefined;

  constructor(url: string | URL, options?: WorkerOptions) {
    this.url = url;
    this.options = options;
  }
}

/**
 * Where the worker's script is. Bundlers look for exactly this expression, with the global `Worker`, and put the address of the
 * chunk that they make in its place; nothing else tells it. So it is run with a class in the place of `Worker` that only takes
 * notes, for as long as the expression takes. Where globals are frozen, the expression has started a plain worker.
 */
function locateScript(): Script | Worker {
  const { Worker: native } = globalThis;
  const replaced = Reflect.set(globalThis, "Worker", Script);
  try {
    // From sources, Vite finds `worker.ts` under the name that the compiler will give it.
    return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "coppice" });
  } finally {
    if (replaced) Reflect.set(globalThis, "Worker", native);
  }
}

function startScript({ url, options }: Script, shared: boolean): EngineWorker {
  const trusted = trustedUrl(url);
  if (!shared || typeof SharedWorker === "undefined") return new Worker(trusted, options);
  // Builds that would not understand each other must not meet in one worker.
  return new SharedWorker(trusted, { ...options, name: `coppice-${PROTOCOL}` });
}

/** The part of Trusted Types that is used here; the DOM library knows none of it yet. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { readonly createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): URL };
}

let policy: ReturnType<TrustedTypes["createPolicy"]> | undefined;

/**
 * The address as a page with `require-trusted-types-for 'script'` demands it: through the policy `coppice`. Where that is not
 * allowed, the address itself; the browser then decides.
 */
function trustedUrl(url: string | URL): string | URL {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
  try {
    // The only address that it is ever given is that of the package's own script.
    policy ??= trustedTypes?.createPolicy("coppice", { createScriptURL: (own) => own });
  } catch {
    return url;
  }
  return policy?.createScriptURL(String(url)) ?? url;
}

function started(start: () => EngineWorker): EngineWorker {
  try {
    return start();
  } catch (error) {
    // A content security policy, a script of another origin (DOMException), or trusted types (TypeError).
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
    throw workerError(
      "ERR_WORKER_UNSUPPORTED",
      "The browser refused to start the worker: allow its script in worker-src and, where trusted types are required, the " +
        "policy coppice (trusted-types coppice) of the content security policy",
      { cause: error },
    );
  }
}

function connect(worker: EngineWorker, url: string | undefined): Connection {
  if ("terminate" in worker) {
    return {
      port: worker,
      errors: [worker],
      url,
      release: () => {
        worker.terminate();
      },
    };
  }
  const port = "port" in worker ? worker.port : worker;
  return {
    port,
    errors: worker === port ? [port] : [worker, port],
    url,
    release: () => {
      port.close();
    },
  };
}
