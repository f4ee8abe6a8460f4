/** Token buckets by key, in memory: a restart forgives. */
import { deliveryError } from "@coppice/delivery/wire";
import type { Rate } from "./limits.ts";

/** Buckets that are remembered; the ones used longest ago are forgotten first. */
const MAX_BUCKETS = 50_000;

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

export class RateLimiter {
  readonly #rate: Rate;
  readonly #clock: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: () => number) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes `cost` tokens, at most a full bucket, or throws `ERR_DS_RATE_LIMITED` with `retryAfter` and these details. */
  take(key: string, cost = 1, detail: Readonly<Record<string, string>> = {}): void {
    const { burst, perSecond } = this.#rate;
    const now = this.#clock();
    const wanted = Math.min(cost, burst);
    const last = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, last.tokens + (Math.max(0, now - last.at) / 1000) * perSecond);
    // Deleting first moves the key to the end of the map's order.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens >= wanted ? tokens - wanted : tokens, at: now });
    if (this.#buckets.size > MAX_BUCKETS) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    if (tokens < wanted) {
      const retryAfter = Math.min(86_400, Math.ceil((wanted - tokens) / perSecond));
      throw deliveryError("ERR_DS_RATE_LIMITED", "too many requests", { detail: { ...detail, retryAfter } });
    }
  }
}
