/** What waits for one event connection to be read. */
import type { WebSocket } from "ws";
import type { ByteBudget, Holding } from "../guard/byte-budget.ts";

export class Outgoing {
  readonly #socket: WebSocket;
  readonly #holding: Holding;
  readonly #most: number;
  /** Bytes that were handed to the socket and have not left it. */
  #waiting = 0;

  /** `most`: bytes that may wait. */
  constructor(socket: WebSocket, budget: ByteBudget, most: number) {
    this.#socket = socket;
    this.#most = most;
    this.#holding = budget.open("", () => {
      socket.terminate();
    });
  }

  /** A client that does not read fast enough is cut off: it will connect again and read the log, which waits. */
  send(frame: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const waiting = this.#waiting + frame.length;
    if (waiting > this.#most || !this.#holding.resize(waiting)) {
      this.#socket.terminate();
      return;
    }
    this.#waiting = waiting;
    this.#socket.send(frame, () => {
      this.#waiting -= frame.length;
      this.#holding.resize(this.#waiting);
    });
  }

  release(): void {
    this.#holding.release();
  }
}
