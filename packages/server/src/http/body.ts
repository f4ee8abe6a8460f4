/** Request bodies: read within a limit, a budget for all of them together, and a time that follows their size. */
import type { IncomingMessage } from "node:http";
import { deliveryError } from "@coppice/delivery/wire";
import type { ByteBudget, Holding } from "../guard/byte-budget.ts";
import type { Pace } from "../guard/pace.ts";

/** Bytes that are set aside for a body when its first ones come; doubled when they are used up. */
const FIRST_BYTES = 4096;

/** Most bytes that are read and thrown away after a refusal, so that the client sees the answer. */
const MAX_WASTED_BYTES = 16 * 1024 * 1024;

/** A body that was read. Its bytes count until it is released. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

export class Bodies {
  readonly #budget: ByteBudget;
  readonly #pace: Pace;

  constructor(budget: ByteBudget, pace: Pace) {
    this.#budget = budget;
    this.#pace = pace;
  }

  /** Bytes that are held now. */
  get bytes(): number {
    return this.#budget.bytes;
  }

  /**
   * The whole body; `key` says whose share of the budget it takes. `ERR_DS_TOO_LARGE` as soon as it is known to be over
   * `maxBytes`, `ERR_DS_RATE_LIMITED` where there is no room. A peer that is too slow is disconnected.
   */
  async read(request: IncomingMessage, maxBytes: number, key: string): Promise<Body> {
    const announced = announcedLength(request);
    if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes);
    const end = (): void => {
      request.destroy();
    };
    const holding = this.#budget.open(key, end);
    const space = new Space(holding, announced ?? maxBytes);
    const endWatch = this.#pace.watch(() => space.length, end);
    try {
      await collect(request, space, maxBytes);
      return { bytes: space.content(), release: holding.release };
    } catch (error) {
      holding.release();
      throw error;
    } finally {
      endWatch();
    }
  }

  /** Reads what is left of a refused request's body and throws it away, within bounds: then the connection ends. */
  waste(request: IncomingMessage): void {
    if (request.complete || request.destroyed) return;
    let wasted = 0;
    const end = (): void => {
      request.destroy();
    };
    const endWatch = this.#pace.watch(() => 0, end);
    request
      .on("data", (chunk: Buffer) => {
        wasted += chunk.length;
        if (wasted > MAX_WASTED_BYTES) end();
      })
      .on("close", endWatch)
      .on("error", () => undefined)
      .resume();
  }
}

/**
 * Memory that grows with what comes: what is only announced takes none. A list of the pieces would cost a hundred times as
 * much where each has one byte.
 */
class Space {
  readonly #holding: Holding;
  readonly #most: number;
  #buffer = Buffer.alloc(0);
  #length = 0;

  constructor(holding: Holding, most: number) {
    this.#holding = holding;
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  /** False, and nothing is added, where there is no room. */
  add(chunk: Buffer): boolean {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length && !this.#grow(needed)) return false;
    chunk.copy(this.#buffer, this.#length);
    this.#length = needed;
    return true;
  }

  content(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #grow(needed: number): boolean {
    const size = Math.max(needed, Math.min(this.#most, Math.max(FIRST_BYTES, this.#buffer.length * 2)));
    if (!this.#holding.resize(size)) return false;
    const buffer = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(buffer, 0, 0, this.#length);
    this.#buffer = buffer;
    return true;
  }
}

function collect(request: IncomingMessage, space: Space, maxBytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      request.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onData = (chunk: Buffer): void => {
      if (space.length + chunk.length > maxBytes) settle(tooLarge(maxBytes));
      else if (!space.add(chunk)) settle(noRoom());
    };
    const onEnd = (): void => {
      settle();
    };
    const onGone = (): void => {
      settle(deliveryError("ERR_DS_BAD_REQUEST", "The request ended early"));
    };
    request.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
  });
}

const noRoom = (): Error =>
  deliveryError("ERR_DS_RATE_LIMITED", "Too many requests are under way: try again later", {
    detail: { retryAfter: 1 },
  });

const tooLarge = (maxBytes: number): Error =>
  deliveryError("ERR_DS_TOO_LARGE", `A request of this kind may have ${String(maxBytes)} bytes`);

/** `undefined` for a chunked body. Node refuses what is no number. */
function announcedLength({ headers }: IncomingMessage): number | undefined {
  const length = headers["content-length"];
  return length === undefined ? undefined : Number(length);
}
