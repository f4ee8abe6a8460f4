/** Virtual time: what waits for a day is done in a microsecond, and the same seed gives the same run. */
import type { Time } from "./time.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A `Time` that stands still until it is told to go on. */
export class VirtualTime implements Time {
  readonly #timers = new Set<Timer>();
  #elapsed = 0;
  #offset: number;
  #seed: number;

  /** `start`: milliseconds since 1970. The same `seed` gives the same random numbers. */
  constructor({ start = Date.UTC(2026, 0, 1), seed = 1 }: { readonly start?: number; readonly seed?: number } = {}) {
    this.#offset = start;
    this.#seed = seed >>> 0;
    watchCryptography();
  }

  now(): number {
    return this.#offset + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#elapsed + Math.max(0, milliseconds), callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Mulberry32. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** The device's clock jumps by `milliseconds`; timers do not notice. */
  jump(milliseconds: number): void {
    this.#offset += milliseconds;
  }

  /** Goes on by `milliseconds`, running what is due in its order, each with all that follows from it at once. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#elapsed = next.at;
      next.callback();
      await settle();
    }
    this.#elapsed = end;
  }

  /**
   * Goes on, timer by timer, until `condition` holds (is truthy). Fails after `limit` milliseconds of virtual time (default:
   * an hour), or when nothing waits any more.
   */
  async until(condition: () => unknown, limit = 3_600_000): Promise<void> {
    const end = this.#elapsed + limit;
    for (;;) {
      await settle();
      const holds = Boolean(await condition());
      if (holds) return;
      const next = this.#next(end);
      if (next === undefined) throw new Error(`It did not happen within ${limit} ms: ${condition.toString()}`);
      this.#timers.delete(next);
      this.#elapsed = next.at;
      next.callback();
    }
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
    return first;
  }
}

/** Turns of the event loop without cryptography at work after which nothing more follows by itself. */
const QUIET_TURNS = 4;

/** Lets everything happen that follows without a timer: promises, messages between ports, and SubtleCrypto's work. */
async function settle(): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    });
    if (cryptographyAtWork > 0) quiet = -1;
  }
}

/** SubtleCrypto works in threads for as long as it takes: time would go on meanwhile, and other things be timed out. */
let cryptographyAtWork = 0;
let isWatched = false;

function watchCryptography(): void {
  if (isWatched) return;
  isWatched = true;
  const prototype = Object.getPrototypeOf(globalThis.crypto.subtle) as object;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const method: unknown = Reflect.get(prototype, name);
    if (typeof method !== "function" || name === "constructor") continue;
    Reflect.set(prototype, name, async function (this: unknown, ...input: readonly unknown[]): Promise<unknown> {
      cryptographyAtWork++;
      try {
        const result: unknown = Reflect.apply(method, this, input);
        return await result;
      } finally {
        cryptographyAtWork--;
      }
    });
  }
}
