/** One port, shared by two Comlink endpoints, that lets through only what the protocol allows. */
import type { Endpoint } from "comlink";
import { errorOfThrown, thrown, workerError } from "./errors.ts";
import { isRecord } from "./wire/primitives.ts";

/** What is needed of a `Worker`, a `MessagePort` or a dedicated worker's global scope. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
  start?(): void;
}

/** Comlink's ids have at most four numbers of 14 hex digits. */
const MAX_ID = 64;
const MAX_ARGUMENTS = 8;

/**
 * Comlink walks any property path, sets properties and calls constructors for whoever can post a message. Here a request
 * is a call of one of `methods` with plain arguments, a reply is a plain value or an error of ours; every message is
 * rebuilt from its checked parts. A malformed request is answered with `ERR_WORKER_MESSAGE`, a malformed reply rejects
 * its call with it, anything else on the port is ignored.
 */
export class Channel {
  /** For `expose`: sees requests. */
  readonly requests: Endpoint;
  /** For `wrap`: sees replies. */
  readonly replies: Endpoint;
  readonly #port: Port;
  readonly #methods: ReadonlySet<string>;
  readonly #onRequest = new Set<Listener>();
  readonly #onReply = new Set<Listener>();
  #closed = false;

  constructor(port: Port, methods: Readonly<Record<string, true>>) {
    this.#port = port;
    this.#methods = new Set(Object.keys(methods));
    this.requests = this.#endpoint(this.#onRequest);
    this.replies = this.#endpoint(this.#onReply);
    port.addEventListener("message", this.#receive);
    port.start?.();
  }

  /** Nothing is received or sent any more. */
  close(): void {
    this.#closed = true;
    this.#port.removeEventListener("message", this.#receive);
  }

  #endpoint(listeners: Set<Listener>): Endpoint {
    return {
      postMessage: (message: unknown, transfer: Transferable[] = []): void => {
        this.#post(message, transfer);
      },
      addEventListener: (_type, listener) => {
        listeners.add(listener);
      },
      removeEventListener: (_type, listener) => {
        listeners.delete(listener);
      },
    };
  }

  #post(message: unknown, transfer: Transferable[]): void {
    if (!this.#closed) this.#port.postMessage(message, transfer);
  }

  readonly #receive = (event: Event): void => {
    const data: unknown = event instanceof MessageEvent ? event.data : undefined;
    if (!isRecord(data)) return;
    const { id, type } = data;
    if (typeof id !== "string" || id === "" || id.length > MAX_ID) return;
    switch (type) {
      case "RAW":
        dispatch(this.#onReply, { id, type, value: data["value"] });
        return;
      case "HANDLER":
        dispatch(this.#onReply, errorOnly(data) ?? failure(id, "The worker sent a malformed reply"));
        return;
      case "RELEASE": // Comlink's answer to a collected proxy; who uses the port says so by `close`
        return;
      default: {
        const request = this.#parseRequest(id, data);
        if (request === undefined) this.#post(failure(id, "A malformed call was refused"), []);
        else dispatch(this.#onRequest, request);
      }
    }
  };

  #parseRequest(id: string, { type, path, argumentList }: Readonly<Record<string, unknown>>): object | undefined {
    if (type !== "APPLY" || !Array.isArray(path) || path.length !== 1) return undefined;
    const method: unknown = path[0];
    if (typeof method !== "string" || !this.#methods.has(method)) return undefined;
    if (!Array.isArray(argumentList) || argumentList.length > MAX_ARGUMENTS) return undefined;
    const given: readonly unknown[] = Array.from(argumentList);
    const values = given.flatMap((argument) =>
      isRecord(argument) && argument["type"] === "RAW" ? [{ type: "RAW", value: argument["value"] }] : [],
    );
    if (values.length !== given.length) return undefined;
    return { id, type, path: [method], argumentList: values };
  }
}

type Listener = Parameters<Endpoint["addEventListener"]>[1];

function dispatch(listeners: ReadonlySet<Listener>, data: object): void {
  const event = new MessageEvent("message", { data });
  for (const listener of [...listeners]) {
    if (typeof listener === "function") listener(event);
    else listener.handleEvent(event);
  }
}

/** A reply that throws an error of ours: the only handler of Comlink's that may answer. */
function errorOnly({ id, name, value }: Readonly<Record<string, unknown>>): object | undefined {
  return name === "throw" && errorOfThrown(value) !== undefined ? { id, type: "HANDLER", name, value } : undefined;
}

const failure = (id: string, message: string): object => ({
  id,
  type: "HANDLER",
  name: "throw",
  value: thrown(workerError("ERR_WORKER_MESSAGE", message)),
});
