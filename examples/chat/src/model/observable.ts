/** A thing whose changes can be listened to. */
export class Observable {
  readonly #listeners = new Set<() => void>();

  /** Calls `listener` after each change. Returns the release function. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  protected changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
