/** The Delivery Service over HTTP, with one WebSocket for events, or long polling. */
import { isCoppiceError, systemTime, type Time } from "@coppice/kit";
import type { DeliveryErrorCode, DeliveryService, Identity } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import { closedError, deliveryService } from "../service.ts";
import { requireNormalName } from "../require-name.ts";
import { EventStream } from "./event-stream.ts";
import { Session } from "./session.ts";
import type { WebSocketConstructor } from "./socket.ts";
import { normalServerUrl } from "./url.ts";

/** Milliseconds for one exchange. */
const DEFAULT_TIMEOUT_MS = 20_000;

/** The longest that `connectDelivery` waits for a silent server, milliseconds; signing in goes on behind it. */
const CONNECT_WAIT_MS = 3000;

/** Failures to sign in that trying again later may mend. */
const TEMPORARY: readonly DeliveryErrorCode[] = ["ERR_DS_UNREACHABLE", "ERR_DS_RATE_LIMITED", "ERR_DS_INTERNAL"];

/** Node before version 22 has no WebSocket. */
const platform: { readonly WebSocket?: WebSocketConstructor } = globalThis;

/** Options of `connectDelivery`. */
export interface ConnectDeliveryOptions {
  /** The server's absolute `http:` or `https:` URL; see `normalServerUrl`. A path is kept as prefix. */
  readonly url: string | URL;
  readonly identity: Identity;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** Default: the global one. Where there is none (Node before version 22), events come by long polling. */
  readonly WebSocket?: WebSocketConstructor;
  /** Milliseconds after which an exchange counts as failed. Default 20,000. */
  readonly timeout?: number;
  /** Default: the platform's. */
  readonly time?: Time;
}

/**
 * Connects to a Delivery Service and signs in, registering the name on first use if the identity says so.
 *
 * A server that cannot be reached, or is silent for three seconds, is no error: the service is returned all the same,
 * its calls reject with `ERR_DS_UNREACHABLE` until the server is back, and it signs in by itself then.
 *
 * @example
 * ```ts
 * const delivery = await connectDelivery({ url: "https://chat.example", identity });
 * const release = delivery.subscribe((event) => console.log(event.type));
 * ```
 *
 * @throws `CoppiceError` `ERR_DS_NAME_INVALID`, `ERR_DS_NAME_TAKEN`, `ERR_DS_UNKNOWN_USER`, `ERR_DS_SIGN_IN`. Where the
 * server was away at first, later calls reject with these.
 * @throws `TypeError` for a URL that is not HTTP, an identity that is none or fails to sign.
 */
export async function connectDelivery(options: ConnectDeliveryOptions): Promise<DeliveryService> {
  const url = normalServerUrl(options.url);
  const { identity, timeout = DEFAULT_TIMEOUT_MS, time = systemTime } = options;
  requireNormalName(identity.client.user);
  // Called as a method of anything else, browsers' fetch throws.
  const fetch: typeof globalThis.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const closing = new AbortController();
  const session = new Session({ url, fetch, time, timeout }, identity, closing.signal);
  await signInForAWhile(session, time);

  let events: EventStream | undefined;
  return deliveryService({
    send: ({ path }, body, signal) => session.post(path, body, signal),
    subscribe: (listener) => {
      const { WebSocket = platform.WebSocket } = options;
      events ??= new EventStream({ url, session, WebSocket, time, timeout });
      return events.subscribe(listener);
    },
    close: () => {
      events?.close();
      closing.abort(closedError());
    },
  });
}

async function signInForAWhile(session: Session, time: Time): Promise<void> {
  const patience = new AbortController();
  const cancel = time.after(CONNECT_WAIT_MS, () => {
    patience.abort(deliveryError("ERR_DS_UNREACHABLE", "The Delivery Service has not answered yet"));
  });
  try {
    await session.token(patience.signal);
  } catch (error) {
    if (!isCoppiceError(error) || !TEMPORARY.some((code) => code === error.code)) throw error;
  } finally {
    cancel();
  }
}
