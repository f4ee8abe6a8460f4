/** Every TCP connection of the server: counted by address, never without an error listener, ended when the server ends. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Tally } from "../guard/tally.ts";
import { addressKey } from "./address.ts";

/** Requests that one connection may have under way: browsers and proxies wait for an answer before they ask again. */
const MAX_PIPELINED = 4;

export class Sockets {
  readonly #open = new Set<Socket>();
  readonly #tally: Tally;
  readonly #underWay = new WeakMap<Socket, number>();

  constructor({ perAddress }: { readonly perAddress: number }) {
    this.#tally = new Tally({ perKey: perAddress });
  }

  /** How many there are. */
  get count(): number {
    return this.#open.size;
  }

  /** Takes over all connections of this server. */
  watch(http: Server): void {
    http.on("connection", (socket: Socket) => {
      this.#accept(socket);
    });
  }

  /** Counts a request. False, and the connection is ended, where a peer does not wait for its answers. */
  begin({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const count = (this.#underWay.get(socket) ?? 0) + 1;
    if (count > MAX_PIPELINED) {
      socket.destroy();
      return false;
    }
    this.#underWay.set(socket, count);
    response.once("close", () => {
      this.#underWay.set(socket, (this.#underWay.get(socket) ?? 1) - 1);
    });
    return true;
  }

  /** Ends all connections at once. */
  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #accept(socket: Socket): void {
    // Node takes its own listener away when a connection is upgraded, and an error without a listener ends the process.
    socket.on("error", () => undefined);
    const giveBack = this.#tally.take(addressKey(socket.remoteAddress));
    if (giveBack === undefined) {
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      giveBack();
    });
  }
}
