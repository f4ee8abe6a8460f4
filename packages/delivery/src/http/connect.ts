/** The Delivery Service over HTTP, with one WebSocket for events. */
import { isCoppiceError } from "@coppice/core";
import type { DeliveryErrorCode, DeliveryService, Identity } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import { deliveryService } from "../service.ts";
import { isValidName } from "../wire/names.ts";
import { PUBLIC_KEY_BYTES } from "../wire/sign-in.ts";
import { EventStream, type WebSocketConstructor } from "./event-stream.ts";
import { Session } from "./session.ts";

/** Milliseconds for one exchange. */
const DEFAULT_TIMEOUT_MS = 20_000;

/** The longest that `connectDelivery` waits for a silent server, milliseconds; signing in goes on behind it. */
const CONNECT_WAIT_MS = 3000;

/** Failures to sign in that trying again later may mend. */
const TEMPORARY: ReadonlySet<string> = new Set<DeliveryErrorCode>([
  "ERR_DS_UNREACHABLE",
  "ERR_DS_RATE_LIMITED",
  "ERR_DS_INTERNAL",
]);

/** Node before version 22 has no WebSocket. */
const platform: { readonly WebSocket?: WebSocketConstructor } = globalThis;

/** Options of `connectDelivery`. */
export interface ConnectDeliveryOptions {
  /** The server's absolute `http:` or `https:` URL; a path is kept as prefix. */
  readonly url: string | URL;
  readonly identity: Identity;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** Default: the global one. Node before version 22 has none: pass that of the `ws` package. Only `subscribe` needs it. */
  readonly WebSocket?: WebSocketConstructor;
  /** Milliseconds after which an exchange counts as failed. Default 20,000. */
  readonly timeout?: number;
}

/**
 * Connects to a Delivery Service and signs in, registering the name on first use.
 *
 * A server that cannot be reached, or is silent for three seconds, is no error: the service is returned all the same,
 * its calls reject with
 * `ERR_DS_UNREACHABLE` until the server is back, and it signs in by itself then.
 *
 * @example
 * ```ts
 * const delivery = await connectDelivery({ url: "https://chat.example", identity });
 * const release = delivery.subscribe((event) => console.log(event.type));
 * ```
 *
 * @throws `CoppiceError` `ERR_DS_NAME_INVALID`, `ERR_DS_NAME_TAKEN`, `ERR_DS_SIGN_IN`. Where the server was away at
 * first, later calls reject with these.
 * @throws `TypeError` for a URL that is not HTTP, a key of the wrong length or an identity that fails to sign.
 */
export async function connectDelivery(options: ConnectDeliveryOptions): Promise<DeliveryService> {
  const url = serverUrl(options.url);
  const { identity, timeout = DEFAULT_TIMEOUT_MS } = options;
  if (identity.publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new TypeError(
      `the public key is ${String(identity.publicKey.length)} bytes, not ${String(PUBLIC_KEY_BYTES)}`,
    );
  }
  if (!isValidName(identity.user)) throw deliveryError("ERR_DS_NAME_INVALID", "the name is not allowed");

  // Called as a method of anything else, browsers' fetch throws.
  const fetch: typeof globalThis.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const closing = new AbortController();
  const session = new Session({ url, fetch, timeout }, identity, closing.signal);
  let events: EventStream | undefined;

  const patience = new AbortController();
  const timer = setTimeout(() => {
    patience.abort(deliveryError("ERR_DS_UNREACHABLE", "the Delivery Service has not answered yet"));
  }, CONNECT_WAIT_MS);
  try {
    await session.token(patience.signal);
  } catch (error) {
    if (!isCoppiceError(error) || !TEMPORARY.has(error.code)) throw error;
  } finally {
    clearTimeout(timer);
  }

  return deliveryService({
    send: ({ path }, body, signal) => session.post(path, body, signal),
    subscribe: (listener) => {
      const { WebSocket = platform.WebSocket } = options;
      if (WebSocket === undefined) throw new TypeError("no WebSocket here: pass one to connectDelivery");
      events ??= new EventStream({ url, session, WebSocket, timeout });
      return events.subscribe(listener);
    },
    close: () => {
      events?.close();
      closing.abort(deliveryError("ERR_DS_CLOSED", "this client of the Delivery Service was closed"));
    },
  });
}

/** The base for relative paths. */
function serverUrl(input: string | URL): URL {
  const url = new URL(input);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError("an http or https URL is expected");
  if (url.username !== "" || url.password !== "") throw new TypeError("the URL holds credentials");
  url.search = "";
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}
