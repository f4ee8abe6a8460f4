/** The event connections: who is connected, what they are told, and when they are given up. */
import {
  clientFrame,
  CLOSE_PROTOCOL,
  CLOSE_TOO_MANY,
  CLOSE_UNAUTHENTICATED,
  decode,
  encode,
  serverFrame,
  type ClientFrame,
  type ServerFrame,
} from "@coppice/delivery/wire";
import type { WebSocket } from "ws";
import type { ServerLimits } from "../limits.ts";
import type { Accounts, UserId } from "../store/accounts.ts";

/** Longest delay of a Node timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class EventHub {
  readonly #accounts: Accounts;
  readonly #limits: ServerLimits;
  readonly #clock: () => number;
  readonly #byUser = new Map<UserId, Set<WebSocket>>();

  constructor(accounts: Accounts, limits: ServerLimits, clock: () => number) {
    this.#accounts = accounts;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Tells all connections of these users. */
  publish(users: Iterable<UserId>, frame: ServerFrame): void {
    const bytes = encode(serverFrame, frame);
    for (const user of users) {
      for (const socket of this.#byUser.get(user) ?? []) this.#send(socket, bytes);
    }
  }

  /** Takes over a new connection, which has to authenticate first. */
  accept(socket: WebSocket): void {
    let user: UserId | undefined;
    let unanswered = 0;
    const timers = new Set<NodeJS.Timeout>();
    const after = (milliseconds: number, action: () => void): void => {
      timers.add(setTimeout(action, Math.min(milliseconds, MAX_TIMER_MS)));
    };
    const ping = (): void => {
      if (unanswered === 2) {
        socket.terminate();
        return;
      }
      unanswered += 1;
      this.#send(socket, encode(serverFrame, { type: "ping" }));
    };

    after(this.#limits.authenticateTimeout, () => {
      if (user === undefined) socket.close(CLOSE_UNAUTHENTICATED);
    });
    // The library closes the connection after an error; what it was says nothing that could be acted on.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      for (const timer of timers) clearTimeout(timer);
      if (user !== undefined) this.#remove(user, socket);
    });
    socket.on("message", (data, isBinary) => {
      const frame = isBinary && data instanceof ArrayBuffer ? readFrame(data) : undefined;
      if (frame?.type === "pong" && user !== undefined) {
        unanswered = 0;
      } else if (frame?.type === "authenticate" && user === undefined) {
        const session = this.#authenticate(socket, frame.token);
        if (session === undefined) return;
        user = session.user;
        after(session.expiresAt - this.#clock(), () => {
          socket.close(CLOSE_UNAUTHENTICATED);
        });
        timers.add(setInterval(ping, this.#limits.heartbeat));
        this.#send(socket, encode(serverFrame, { type: "ready", heartbeat: this.#limits.heartbeat }));
      } else {
        socket.close(CLOSE_PROTOCOL);
      }
    });
  }

  #authenticate(socket: WebSocket, token: string): { readonly user: UserId; readonly expiresAt: number } | undefined {
    try {
      const session = this.#accounts.authenticate(token);
      const sockets = this.#byUser.get(session.user) ?? new Set();
      if (sockets.size >= this.#limits.socketsPerUser) {
        socket.close(CLOSE_TOO_MANY);
        return undefined;
      }
      this.#byUser.set(session.user, sockets.add(socket));
      return session;
    } catch {
      socket.close(CLOSE_UNAUTHENTICATED);
      return undefined;
    }
  }

  /** A client that does not read fast enough is cut off: it will connect again and read the log, which waits. */
  #send(socket: WebSocket, bytes: Uint8Array): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > this.#limits.socketBufferBytes) socket.terminate();
    else socket.send(bytes);
  }

  #remove(user: UserId, socket: WebSocket): void {
    const sockets = this.#byUser.get(user);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#byUser.delete(user);
  }
}

function readFrame(data: ArrayBuffer): ClientFrame | undefined {
  try {
    return decode(clientFrame, new Uint8Array(data));
  } catch {
    return undefined;
  }
}
