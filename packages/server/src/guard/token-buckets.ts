/**
 * Token buckets by key in memory of a fixed size, from which no key can be evicted. Each key shares three slots with others,
 * chosen by a keyed hash, and counts as its emptiest one is full: what others do can only make a key's allowance smaller,
 * and does so only where all three slots are used up by others. A restart forgives.
 */
import { createHash, randomBytes } from "node:crypto";
import { deliveryError } from "@coppice/delivery/wire";
import type { Time } from "@coppice/kit";
import type { Rate } from "../limits.ts";

/** Slots of one row: while 20,000 keys have used up what they may take, one other key in 50 finds no slot of its three free. */
const SLOTS = 65_536;
const ROWS = 3;

/** The longest wait that is told, seconds. */
const MAX_RETRY_AFTER = 86_400;

export class TokenBuckets {
  readonly #rate: Rate;
  readonly #time: Time;
  readonly #secret = randomBytes(16);
  /** When each slot is full again, by the monotonic clock, milliseconds. */
  readonly #fullAt = new Float64Array(ROWS * SLOTS);

  constructor(rate: Rate, time: Time) {
    this.#rate = rate;
    this.#time = time;
  }

  /** Takes `cost` tokens, at most a full bucket, or throws `ERR_DS_RATE_LIMITED` with `retryAfter` and these details. */
  take(key: string, cost = 1, detail: Readonly<Record<string, string>> = {}): void {
    const { burst, perSecond } = this.#rate;
    const now = this.#time.elapsed();
    const slots = this.#slots(key);
    const perToken = 1000 / perSecond;
    const fullAt = Math.max(now, Math.min(...slots.map((slot) => this.#fullAt[slot] ?? 0)));
    const fullAfter = fullAt + Math.min(cost, burst) * perToken;
    const excess = fullAfter - now - burst * perToken;
    // A millionth of a token is rounding.
    if (excess > perToken / 1e6) {
      const retryAfter = Math.min(MAX_RETRY_AFTER, Math.ceil(excess / 1000));
      throw deliveryError("ERR_DS_RATE_LIMITED", "Too many requests", { detail: { ...detail, retryAfter } });
    }
    for (const slot of slots) this.#fullAt[slot] = Math.max(this.#fullAt[slot] ?? 0, fullAfter);
  }

  #slots(key: string): readonly number[] {
    const hash = createHash("sha256").update(this.#secret).update(key, "utf8").digest();
    return [0, 1, 2].map((row) => row * SLOTS + hash.readUInt16LE(row * 2));
  }
}
