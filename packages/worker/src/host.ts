/** The worker's end of the boundary: sessions behind ports. */
import { systemTime, type Time } from "@coppice/kit";
import { expose } from "comlink";
import { callsOnly, type Port } from "./channel.ts";
import { workerError } from "./errors.ts";
import { Engines, type EngineSource } from "./host/engines.ts";
import { Session } from "./host/session.ts";
import type { Outcome } from "./protocol.ts";
import { encodeError } from "./wire/error.ts";

/** Serves one connection with the worker's engines. */
export function servePort(port: Port & { close?(): void }, engines: Engines, time: Time = systemTime): Session {
  const channel = callsOnly(port, refusal);
  const session = new Session(engines, time, () => {
    // The reply to `close` is posted after this returns.
    time.after(0, () => {
      channel.close();
      port.close?.();
    });
  });
  expose(session.call, channel);
  // A lost message is a call that would wait for ever; the page hears of it on its side of the port, too.
  for (const event of ["messageerror", "close"]) port.addEventListener(event, () => void session.end());
  return session;
}

const refusal = (): Outcome => ({
  ok: false,
  error: encodeError(workerError("ERR_WORKER_MESSAGE", "A malformed call was refused")),
});

/**
 * Serves whoever starts this worker: its page if it is a dedicated worker, every page that connects if it is a shared one. All
 * pages of a worker that open the same account have one engine, and with it one connection.
 */
export function serveWorker(source: EngineSource, scope: unknown = globalThis, time: Time = systemTime): void {
  const engines = new Engines(source, time);
  if (isSharedScope(scope)) {
    scope.addEventListener("connect", ({ ports }) => {
      for (const port of ports) servePort(port, engines, time);
    });
  } else if (isDedicatedScope(scope)) {
    // Its `close` would end the worker: that is the page's decision.
    const port: Port = {
      postMessage: (message, transfer) => {
        scope.postMessage(message, transfer);
      },
      addEventListener: (type, listener) => {
        scope.addEventListener(type, listener);
      },
      removeEventListener: (type, listener) => {
        scope.removeEventListener(type, listener);
      },
    };
    servePort(port, engines, time);
  } else {
    throw new TypeError("This is not a worker");
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
