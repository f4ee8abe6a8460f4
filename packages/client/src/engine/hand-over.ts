/** Handing messages over to the application: once per session, in order. */
import type { HistoryItem } from "../api.ts";
import type { MessageItem } from "../records/conversation.ts";

export interface HandOverOptions {
  /** Items after a sequence number, oldest first, at most a page. */
  readonly read: (after: number) => Promise<readonly HistoryItem[]>;
  readonly hasListener: () => boolean;
  readonly deliver: (message: MessageItem) => void;
}

/**
 * Hands every other member's message to the application once per session, in order. It waits until somebody listens, and
 * starts after the last message that any session on this store handed over.
 */
export class HandOver {
  readonly #options: HandOverOptions;
  #cursor: number;
  #newest: number;
  #running: Promise<void> | undefined;

  constructor(start: { readonly handedOver: number; readonly lastItem: number }, options: HandOverOptions) {
    this.#cursor = start.handedOver;
    this.#newest = start.lastItem;
    this.#options = options;
  }

  /** Items up to this one were handed over. */
  get cursor(): number {
    return this.#cursor;
  }

  /** New items, oldest first, up to `newest`: those that come next go out at once, without a look into the store. */
  offer(items: readonly HistoryItem[], newest: number): void {
    if (this.#running === undefined && this.#cursor === this.#newest) {
      for (const item of items) {
        if (item.seq !== this.#cursor + 1 || !this.#options.hasListener()) continue;
        this.#newest = item.seq;
        this.#handOver(item);
      }
    }
    this.wake(newest);
  }

  /** Starts handing over what there is up to `newest`. */
  wake(newest: number = this.#newest): void {
    this.#newest = Math.max(this.#newest, newest);
    if (this.#cursor === this.#newest || this.#running !== undefined) return;
    this.#running = this.#run().then((complete) => {
      this.#running = undefined;
      // What came between the last look and now.
      if (complete && this.#cursor < this.#newest && this.#options.hasListener()) this.wake();
    });
  }

  /** Resolves when nothing is being handed over. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Whether it came to the end, rather than to a failure of the store, after which the next `wake` tries again. */
  async #run(): Promise<boolean> {
    const { read, hasListener } = this.#options;
    // A listener that was just added is not called before `on` has returned.
    await Promise.resolve();
    while (this.#cursor < this.#newest && hasListener()) {
      const upTo = this.#newest;
      const items = await read(this.#cursor).catch(() => undefined);
      if (items === undefined) return false;
      for (const item of items) {
        if (!hasListener()) return true;
        this.#handOver(item);
      }
      if (items.length === 0) this.#cursor = upTo;
    }
    return true;
  }

  #handOver(item: HistoryItem): void {
    this.#cursor = item.seq;
    if (item.kind === "message" && !item.isSelf) this.#options.deliver(item);
  }
}
