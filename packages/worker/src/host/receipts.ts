/** What the engine waits for until the page has taken the messages that it was told of. */
export class Receipts {
  /** What acknowledges each message, by conversation, in the order of their numbers. */
  readonly #waiting = new Map<string, Map<number, () => void>>();

  /** Resolves once the page says that it has the message; never if it ends before that. */
  wait(conversation: string, seq: number): Promise<void> {
    const waiting = this.#waiting.get(conversation) ?? new Map<number, () => void>();
    this.#waiting.set(conversation, waiting);
    return new Promise((resolve) => waiting.set(seq, resolve));
  }

  /** The page has all messages of the conversation up to this number. */
  take(conversation: string, upTo: number): void {
    const waiting = this.#waiting.get(conversation);
    for (const [seq, acknowledge] of waiting ?? []) {
      if (seq > upTo) return;
      waiting?.delete(seq);
      acknowledge();
    }
    this.#waiting.delete(conversation);
  }
}
