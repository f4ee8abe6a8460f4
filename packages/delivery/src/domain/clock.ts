/** The service's own times, which a clock that jumps does not carry away. */
import type { Time } from "@coppice/kit";

/** How many times faster than real time the service's clock may follow the device's when that is ahead. */
const FASTEST_CATCH_UP = 60;

/** How much of real time the service's clock may lose while the device's is behind. */
const SLOWEST_SHARE = 0.5;

export class DomainClock {
  readonly #time: Time;
  readonly #ageBefore: number;
  readonly #startedAt: number;
  #elapsed: number;
  #now: number;

  /** `ageBefore`: the service's age when it was started, as stored. */
  constructor(time: Time, ageBefore: number) {
    this.#time = time;
    this.#ageBefore = ageBefore;
    this.#startedAt = this.#elapsed = time.elapsed();
    this.#now = time.now();
  }

  /**
   * Milliseconds since 1970, never going back. Follows the device's clock, but a jump only little by little: a clock that
   * is 100 days ahead for a minute makes this one an hour fast, not 100 days.
   */
  now(): number {
    const elapsed = this.#time.elapsed();
    const passed = Math.max(0, elapsed - this.#elapsed);
    this.#elapsed = elapsed;
    const drift = this.#time.now() - (this.#now + passed);
    this.#now += passed + Math.min(Math.max(drift, -passed * SLOWEST_SHARE), passed * FASTEST_CATCH_UP);
    return Math.floor(this.#now);
  }

  /**
   * How long the service has been running in all its lives, milliseconds. What is due for deletion is measured by this
   * alone: neither a clock that jumps nor a time switched off makes anything older.
   */
  age(): number {
    return Math.floor(this.#ageBefore + Math.max(0, this.#time.elapsed() - this.#startedAt));
  }
}
