/** The way from one browser to the server: a proxy on a port of its own that can be cut, slowed down or silenced. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { connect } from "node:net";

/** `up`; `down`: connections are refused and the open ones cut; `silent`: bytes go in and nothing comes out. */
export type LinkState = "up" | "down" | "silent";

export class Link {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: number | undefined;
  #state: LinkState = "up";
  /** Milliseconds that each piece of data waits, in both directions. */
  delay = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.#accept(socket);
    });
  }

  static async open(): Promise<Link> {
    const link = new Link();
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    return link;
  }

  get origin(): string {
    return `http://localhost:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Leads to this port of the machine. */
  leadTo(port: number): void {
    this.#target = port;
  }

  get state(): LinkState {
    return this.#state;
  }

  set state(state: LinkState) {
    this.#state = state;
    if (state !== "silent") for (const socket of this.#sockets) if (state === "down") socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    if (this.#state === "down" || this.#target === undefined) {
      client.destroy();
      return;
    }
    const server = connect(this.#target, "127.0.0.1");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on("data", (bytes) => {
        this.#pass(bytes, to);
      });
    }
  }

  #pass(bytes: Buffer, to: Socket): void {
    if (this.#state !== "up") return;
    if (this.delay === 0) to.write(bytes);
    else {
      setTimeout(() => {
        if (!to.destroyed) to.write(bytes);
      }, this.delay);
    }
  }
}
