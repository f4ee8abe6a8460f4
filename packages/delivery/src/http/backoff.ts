/** Waiting between attempts to connect. */

const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/**
 * Milliseconds to wait before attempt `attempt` (from 0): doubles up to half a minute, half of it random, so that
 * clients that lost a server together do not come back together.
 */
export function backoff(attempt: number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  const [random = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1));
  return ceiling / 2 + (random / 2 ** 32) * (ceiling / 2);
}

/** A sleep that can be cut short. */
export class Pause {
  #wake: (() => void) | undefined;

  /** Resolves after `milliseconds` or when woken, whichever is first. */
  async sleep(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  wake(): void {
    this.#wake?.();
  }
}
