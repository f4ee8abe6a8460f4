/** How far works that begin in order and end in any are done. */

/**
 * Follows numbered works: they begin in the order of their numbers, end in any, and all up to `done` have ended.
 *
 * @example
 * const prefix = new Prefix(0);
 * prefix.begin(1);
 * prefix.begin(2);
 * prefix.end(2); // 0: the first is still going on
 * prefix.end(1); // 2
 */
export class Prefix {
  /** Numbers of the works that go on, in their order. */
  readonly #running = new Set<number>();
  #last: number;

  /** Everything up to number `done` is done. */
  constructor(done: number) {
    this.#last = done;
  }

  /** All works up to this number have ended, and one above is known to go on, or none is. */
  get done(): number {
    const [first] = this.#running;
    return first === undefined ? this.#last : first - 1;
  }

  /** The number of the newest work, or of what was passed over after it. */
  get last(): number {
    return this.#last;
  }

  /** Works that go on. */
  get running(): number {
    return this.#running.size;
  }

  begin(number: number): void {
    this.#last = number;
    this.#running.add(number);
  }

  /** What has this number, and all that was not begun before it, is none of the works. */
  pass(number: number): void {
    this.#last = Math.max(this.#last, number);
  }

  /** Ends one work; returns `done`. */
  end(number: number): number {
    this.#running.delete(number);
    return this.done;
  }

  /** Ends all works up to this number, also those that have not begun; returns `done`. */
  endUpTo(number: number): number {
    for (const running of this.#running) {
      if (running > number) break;
      this.#running.delete(running);
    }
    this.pass(number);
    return this.done;
  }
}
