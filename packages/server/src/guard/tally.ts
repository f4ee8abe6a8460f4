/** How many of something there are, in all and by key: connections by address, sockets by user. */

export class Tally {
  readonly #total: number;
  readonly #perKey: number;
  readonly #counts = new Map<string, number>();
  #all = 0;

  /** At most `total` in all, at most `perKey` for one key. */
  constructor({ total = Infinity, perKey }: { readonly total?: number; readonly perKey: number }) {
    this.#total = total;
    this.#perKey = perKey;
  }

  get all(): number {
    return this.#all;
  }

  /** Counts one more for `key` and returns what takes it back (once), or `undefined` where there are too many. */
  take(key: string): (() => void) | undefined {
    const count = this.#counts.get(key) ?? 0;
    if (this.#all >= this.#total || count >= this.#perKey) return undefined;
    this.#all += 1;
    this.#counts.set(key, count + 1);
    let taken = true;
    return () => {
      if (taken) this.#giveBack(key);
      taken = false;
    };
  }

  #giveBack(key: string): void {
    this.#all -= 1;
    const count = (this.#counts.get(key) ?? 0) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
