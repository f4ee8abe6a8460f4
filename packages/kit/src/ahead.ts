/** How much may begin before what began first has ended, where several have a say. */

/** The most that anybody may ask for. */
export const MAX_AHEAD = 64;

/** Wishes of how much goes on at once: the smallest counts. */
export class Ahead {
  readonly #wishes = new Set<{ readonly ahead: number }>();

  /** The smallest wish; 0 without any. */
  get smallest(): number {
    return this.#wishes.size === 0 ? 0 : Math.min(...[...this.#wishes].map(({ ahead }) => ahead));
  }

  /** Adds a wish; returns what takes it back. `RangeError` for what is no integer from 1 to 64. */
  add(ahead = 1): () => void {
    if (!Number.isInteger(ahead) || ahead < 1 || ahead > MAX_AHEAD) {
      throw new RangeError(`Between 1 and ${MAX_AHEAD} messages are told ahead`);
    }
    const wish = { ahead };
    this.#wishes.add(wish);
    return () => {
      this.#wishes.delete(wish);
    };
  }

  clear(): void {
    this.#wishes.clear();
  }
}
