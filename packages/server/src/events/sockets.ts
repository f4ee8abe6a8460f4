/** Event connections over WebSockets: when they are let in, what they are told, and when they are given up. */
import type { EventHub } from "@coppice/delivery/domain";
import {
  clientFrame,
  CLOSE_PROTOCOL,
  CLOSE_TOO_MANY,
  CLOSE_UNAUTHENTICATED,
  decode,
  encode,
  serverFrame,
  type Bytes,
  type ClientFrame,
} from "@coppice/delivery/wire";
import type { Time } from "@coppice/kit";
import type { WebSocket } from "ws";
import type { Session, Sessions } from "../auth/sessions.ts";
import { ByteBudget } from "../guard/byte-budget.ts";
import { Tally } from "../guard/tally.ts";
import type { ServerLimits } from "../limits.ts";
import { endSocket } from "./end-socket.ts";
import { Outgoing } from "./outgoing.ts";

/** Pings that may be unanswered when the next one is due. */
const MOST_UNANSWERED = 2;

const PING = encode(serverFrame, { type: "ping" });

/** What event connections need. */
export interface EventSocketsOptions {
  readonly hub: EventHub;
  readonly sessions: Pick<Sessions, "authenticate">;
  readonly limits: ServerLimits;
  readonly time: Time;
  /** The service's clock. */
  readonly now: () => number;
}

export class EventSockets {
  readonly #options: EventSocketsOptions;
  readonly #pending: Tally;
  readonly #budget: ByteBudget;

  constructor(options: EventSocketsOptions) {
    const { limits, time } = options;
    this.#options = options;
    this.#pending = new Tally({ total: limits.pendingSockets, perKey: limits.pendingSocketsPerAddress });
    this.#budget = new ByteBudget({ total: limits.eventsInFlightBytes, share: limits.eventsInFlightBytes, time });
  }

  /** Bytes that wait for slow peers. */
  get waitingBytes(): number {
    return this.#budget.bytes;
  }

  /** Takes over a new connection, which has to authenticate first. */
  accept(socket: WebSocket, address: string): void {
    // The library closes the connection after an error; what it was says nothing that could be acted on.
    socket.on("error", () => undefined);
    const joined = this.#pending.take(address);
    if (joined === undefined) {
      endSocket(this.#options.time, socket, CLOSE_TOO_MANY);
      return;
    }
    const outgoing = new Outgoing(socket, this.#budget, this.#options.limits.socketBufferBytes);
    new EventSocket(this.#options, socket, outgoing, joined);
  }
}

/** One connection. It lives as long as its socket. */
class EventSocket {
  readonly #options: EventSocketsOptions;
  readonly #socket: WebSocket;
  readonly #outgoing: Outgoing;
  /** Undo what was set up: timers, subscriptions, counts. */
  readonly #releases = new Set<() => void>();
  #isAuthenticating = false;
  #unanswered = 0;

  constructor(options: EventSocketsOptions, socket: WebSocket, outgoing: Outgoing, joined: () => void) {
    this.#options = options;
    this.#socket = socket;
    this.#outgoing = outgoing;
    this.#releases.add(joined);
    const cancel = this.#after(options.limits.authenticateTimeout, () => {
      this.#end(CLOSE_UNAUTHENTICATED);
    });
    socket.on("close", () => {
      for (const release of this.#releases) release();
      outgoing.release();
    });
    // Peers have no use for pings of their own, and an answer to each would be memory that they choose.
    socket.on("ping", () => {
      socket.terminate();
    });
    socket.on("message", (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return;
      const frame = isBinary && data instanceof ArrayBuffer ? readFrame(data) : undefined;
      if (frame?.type === "pong" && this.#unanswered > 0) this.#unanswered -= 1;
      else if (frame?.type === "authenticate" && !this.#isAuthenticating) {
        this.#isAuthenticating = true;
        options.sessions.authenticate(frame.token).then(
          (session) => {
            if (socket.readyState !== socket.OPEN) return;
            cancel();
            joined();
            this.#start(session);
          },
          () => {
            this.#end(CLOSE_UNAUTHENTICATED);
          },
        );
      } else this.#end(CLOSE_PROTOCOL);
    });
  }

  #start(session: Session): void {
    const { hub, limits, now } = this.#options;
    const endSession = (): void => {
      this.#end(CLOSE_UNAUTHENTICATED);
    };
    this.#releases.add(session.onEnd(endSession));
    this.#after(session.expiresAt - now(), endSession);
    this.#after(limits.heartbeat, this.#ping);
    this.#send(encode(serverFrame, { type: "ready", heartbeat: limits.heartbeat }));
    this.#releases.add(
      hub.subscribe(session.client, {
        send: this.#send,
        end: () => {
          this.#end(CLOSE_TOO_MANY);
        },
      }),
    );
  }

  readonly #ping = (): void => {
    if (this.#unanswered === MOST_UNANSWERED) {
      this.#socket.terminate();
      return;
    }
    this.#unanswered += 1;
    this.#send(PING);
    this.#after(this.#options.limits.heartbeat, this.#ping);
  };

  readonly #send = (frame: Bytes): void => {
    this.#outgoing.send(frame);
  };

  #end(code: number): void {
    endSocket(this.#options.time, this.#socket, code);
  }

  /** Returns what cancels it; so does the end of the connection. */
  #after(milliseconds: number, action: () => void): () => void {
    const cancel = this.#options.time.after(milliseconds, () => {
      this.#releases.delete(cancel);
      action();
    });
    this.#releases.add(cancel);
    return () => {
      this.#releases.delete(cancel);
      cancel();
    };
  }
}

function readFrame(data: ArrayBuffer): ClientFrame | undefined {
  try {
    return decode(clientFrame, new Uint8Array(data));
  } catch {
    return undefined;
  }
}
