/** The `Time` port: the only place where a clock is read, a timer set and a wait made random. */

/** Everything that waits, retries, expires or spreads itself out takes one of these. Tests give a virtual one. */
export interface Time {
  /** Milliseconds since 1970, by the device's clock: it may jump. For lifetimes and what people see. */
  now(): number;
  /** Milliseconds from an arbitrary moment; never goes back. For measuring how long something takes. */
  elapsed(): number;
  /** Calls back once after `milliseconds`; returns what cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
  /** A number from 0 (included) to 1 (excluded): spreads work out, makes no secrets. */
  random(): number;
}

/** The longest delay that engines' timers keep: 2^31 - 1 ms, not 25 days. Longer ones they take for none. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The platform's clock, timers and random numbers. */
export const systemTime: Time = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (milliseconds, callback) => {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (left: number): void => {
      const part = Math.min(Math.max(0, left), MAX_TIMER_MS);
      timer = setTimeout(() => {
        if (left > part) wait(left - part);
        else callback();
      }, part);
    };
    wait(milliseconds);
    return () => {
      clearTimeout(timer);
    };
  },
  random: () => {
    const [value = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1));
    return value / 2 ** 32;
  },
};

/** From 0 (included) to `limit` (excluded), to keep clients from acting in step. */
export function jitter(time: Time, limit: number): number {
  return time.random() * limit;
}
