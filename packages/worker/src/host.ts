/** The worker's end of the boundary: engines behind ports. */
import { Channel, type Port } from "./channel.ts";
import { registerErrorHandler } from "./errors.ts";
import { type OpenEngine, Session } from "./host/session.ts";
import { WORKER_METHODS } from "./protocol.ts";

/** Serves one connection; the engine ends with it. */
export function servePort(port: Port & { close?(): void }, openEngine: OpenEngine): Session {
  registerErrorHandler();
  const channel = new Channel(port, WORKER_METHODS);
  const session = new Session(channel, openEngine, () => {
    // The reply to `close` is posted after this returns.
    setTimeout(() => {
      channel.close();
      port.close?.();
    });
  });
  // A lost message is a call that would wait for ever; the page hears of it on its side of the port, too.
  for (const event of ["messageerror", "close"]) port.addEventListener(event, () => void session.end());
  return session;
}

/**
 * Serves whoever starts this worker: its page if it is a dedicated worker, every page that connects if it is a shared
 * one. Each connection opens an engine of its own, with the key that this page has; the store keeps them in step.
 */
export function serveWorker(openEngine: OpenEngine, scope: unknown = globalThis): void {
  if (isSharedScope(scope)) {
    scope.addEventListener("connect", ({ ports }) => {
      for (const port of ports) servePort(port, openEngine);
    });
  } else if (isDedicatedScope(scope)) {
    // Its `close` would end the worker: that is the page's decision.
    servePort(
      {
        postMessage: (message, transfer) => {
          scope.postMessage(message, transfer);
        },
        addEventListener: (type, listener) => {
          scope.addEventListener(type, listener);
        },
        removeEventListener: (type, listener) => {
          scope.removeEventListener(type, listener);
        },
      },
      openEngine,
    );
  } else {
    throw new TypeError("this is not a worker");
  }
}

/** What is used of a shared worker's scope; the DOM library knows only windows. */
interface SharedScope {
  addEventListener(type: "connect", listener: (event: { readonly ports: readonly MessagePort[] }) => void): void;
}

function isSharedScope(scope: unknown): scope is SharedScope {
  return typeof scope === "object" && scope !== null && "onconnect" in scope;
}

function isDedicatedScope(scope: unknown): scope is Port {
  return typeof scope === "object" && scope !== null && "postMessage" in scope && !("document" in scope);
}
