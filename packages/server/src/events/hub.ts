/** The event connections: who is connected, what they are told, and when they are given up. */
import type { Time } from "@coppice/kit";
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
import { ByteBudget, type Holding } from "../guard/byte-budget.ts";
import { Tally } from "../guard/tally.ts";
import type { ServerLimits } from "../limits.ts";
import type { Accounts, UserId } from "../store/accounts.ts";
import { endSocket } from "./end-socket.ts";

interface Connection {
  readonly socket: WebSocket;
  readonly holding: Holding;
  /** Bytes that were handed to the socket and have not left it. */
  waiting: number;
}

export class EventHub {
  readonly #accounts: Accounts;
  readonly #limits: ServerLimits;
  readonly #time: Time;
  readonly #byUser = new Map<UserId, Set<Connection>>();
  readonly #pending: Tally;
  readonly #budget: ByteBudget;

  constructor(accounts: Accounts, limits: ServerLimits, time: Time) {
    this.#accounts = accounts;
    this.#limits = limits;
    this.#time = time;
    this.#pending = new Tally({ total: limits.pendingSockets, perKey: limits.pendingSocketsPerAddress });
    const total = limits.eventsInFlightBytes;
    this.#budget = new ByteBudget({ total, share: total, time });
  }

  /** Tells all connections of these users. */
  publish(users: Iterable<UserId>, frame: ServerFrame): void {
    const bytes = encode(serverFrame, frame);
    for (const user of users) {
      for (const connection of this.#byUser.get(user) ?? []) this.#send(connection, bytes);
    }
  }

  /** Takes over a new connection, which has to authenticate first. */
  accept(socket: WebSocket, address: string): void {
    // The library closes the connection after an error; what it was says nothing that could be acted on.
    socket.on("error", () => undefined);
    const joined = this.#pending.take(address);
    if (joined === undefined) {
      endSocket(this.#time, socket, CLOSE_TOO_MANY);
      return;
    }
    const end = (code: number): void => {
      endSocket(this.#time, socket, code);
    };
    const holding = this.#budget.open(address, () => {
      socket.terminate();
    });
    const connection: Connection = { socket, holding, waiting: 0 };
    let user: UserId | undefined;
    let unanswered = 0;
    const timers = new Set<() => void>();
    const after = (milliseconds: number, action: () => void): void => {
      const cancel = this.#time.after(milliseconds, () => {
        timers.delete(cancel);
        action();
      });
      timers.add(cancel);
    };
    const ping = (): void => {
      if (unanswered === 2) {
        socket.terminate();
        return;
      }
      unanswered += 1;
      this.#send(connection, encode(serverFrame, { type: "ping" }));
      after(this.#limits.heartbeat, ping);
    };

    after(this.#limits.authenticateTimeout, () => {
      if (user === undefined) end(CLOSE_UNAUTHENTICATED);
    });
    socket.on("close", () => {
      for (const cancel of timers) cancel();
      joined();
      holding.release();
      if (user !== undefined) this.#remove(user, connection);
    });
    // Peers have no use for pings of their own, and an answer to each would be memory that they choose.
    socket.on("ping", () => {
      socket.terminate();
    });
    socket.on("message", (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return;
      const frame = isBinary && data instanceof ArrayBuffer ? readFrame(data) : undefined;
      if (frame?.type === "pong" && unanswered > 0) {
        unanswered -= 1;
      } else if (frame?.type === "authenticate" && user === undefined) {
        const session = this.#authenticate(connection, frame.token);
        if (typeof session === "number") {
          end(session);
          return;
        }
        joined();
        user = session.user;
        after(session.expiresAt - this.#time.now(), () => {
          end(CLOSE_UNAUTHENTICATED);
        });
        after(this.#limits.heartbeat, ping);
        this.#send(connection, encode(serverFrame, { type: "ready", heartbeat: this.#limits.heartbeat }));
      } else {
        end(CLOSE_PROTOCOL);
      }
    });
  }

  /** The session, or the code to close with. */
  #authenticate(connection: Connection, token: string): { readonly user: UserId; readonly expiresAt: number } | number {
    try {
      const session = this.#accounts.authenticate(token);
      const connections = this.#byUser.get(session.user) ?? new Set();
      if (connections.size >= this.#limits.socketsPerUser) return CLOSE_TOO_MANY;
      this.#byUser.set(session.user, connections.add(connection));
      return session;
    } catch {
      return CLOSE_UNAUTHENTICATED;
    }
  }

  /** A client that does not read fast enough is cut off: it will connect again and read the log, which waits. */
  #send(connection: Connection, bytes: Uint8Array): void {
    const { socket, holding } = connection;
    if (socket.readyState !== socket.OPEN) return;
    const waiting = connection.waiting + bytes.length;
    if (waiting > this.#limits.socketBufferBytes || !holding.resize(waiting)) {
      socket.terminate();
      return;
    }
    connection.waiting = waiting;
    socket.send(bytes, () => {
      connection.waiting -= bytes.length;
      holding.resize(connection.waiting);
    });
  }

  #remove(user: UserId, connection: Connection): void {
    const connections = this.#byUser.get(user);
    connections?.delete(connection);
    if (connections?.size === 0) this.#byUser.delete(user);
  }
}

function readFrame(data: ArrayBuffer): ClientFrame | undefined {
  try {
    return decode(clientFrame, new Uint8Array(data));
  } catch {
    return undefined;
  }
}
