/**
 * What may pass between a port and Comlink: the one place that knows Comlink's messages. Comlink walks any property path, sets
 * properties and calls constructors for whoever can post a message. Here a request is a call of the one function that is
 * exposed, with one plain argument; a reply is a plain value. Every message is rebuilt from its checked parts, so that neither
 * Comlink's handlers nor those that an application registered see one of the other side's.
 */
import type { Endpoint } from "comlink";
import { isRecord } from "./wire/codec.ts";

/** What is needed of a `Worker`, a `MessagePort` or a dedicated worker's global scope. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
  start?(): void;
}

/** A port as Comlink sees it. */
export interface Channel extends Endpoint {
  /** Nothing is received or sent any more. */
  readonly close: () => void;
}

/** Comlink's ids have four numbers of at most 14 hex digits. */
const MAX_ID = 64;

type Message = Readonly<Record<string, unknown>>;

/** For `expose`: lets calls in. One that is malformed is answered by what `refuse` returns. */
export function callsOnly(port: Port, refuse: () => unknown): Channel {
  return filtered(port, (id, { type, path, argumentList }) => {
    const given: readonly unknown[] = Array.isArray(argumentList) ? argumentList : [];
    const [argument, ...more] = given;
    if (type === "APPLY" && isEmpty(path) && more.length === 0 && isRecord(argument) && argument["type"] === "RAW") {
      return { id, type, path: [], argumentList: [{ type: "RAW", value: argument["value"] }] };
    }
    // Comlink says so when a proxy was collected; the page closes its session in words.
    if (type !== "RELEASE") port.postMessage({ id, type: "RAW", value: refuse() }, []);
    return undefined;
  });
}

/** For `wrap`: lets replies in. One that is not a plain value, such as an exception, becomes `undefined`. */
export function repliesOnly(port: Port): Channel {
  return filtered(port, (id, { type, value }) => ({ id, type: "RAW", value: type === "RAW" ? value : undefined }));
}

function filtered(port: Port, rebuild: (id: string, message: Message) => object | undefined): Channel {
  const listeners = new Set<Parameters<Endpoint["addEventListener"]>[1]>();
  const receive = (event: Event): void => {
    const data: unknown = event instanceof MessageEvent ? event.data : undefined;
    if (!isRecord(data)) return;
    const { id } = data;
    if (typeof id !== "string" || id === "" || id.length > MAX_ID) return;
    const message = rebuild(id, data);
    if (message === undefined) return;
    const passed = new MessageEvent("message", { data: message });
    for (const listener of [...listeners]) {
      if (typeof listener === "function") listener(passed);
      else listener.handleEvent(passed);
    }
  };
  let closed = false;
  port.addEventListener("message", receive);
  port.start?.();
  return {
    postMessage: (message: unknown, transfer: Transferable[] = []) => {
      if (!closed) port.postMessage(message, transfer);
    },
    addEventListener: (_type, listener) => {
      listeners.add(listener);
    },
    removeEventListener: (_type, listener) => {
      listeners.delete(listener);
    },
    close: () => {
      closed = true;
      port.removeEventListener("message", receive);
    },
  };
}

const isEmpty = (path: unknown): boolean => Array.isArray(path) && path.length === 0;
