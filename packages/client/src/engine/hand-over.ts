/** Handing messages over to the application: in order, each until it is acknowledged. */
import { Prefix } from "@coppice/kit";
import type { HistoryItem } from "../api.ts";
import type { MessageItem } from "../records/conversation.ts";

export interface HandOverOptions {
  /** Items after a sequence number, oldest first, at most a page. */
  readonly read: (after: number) => Promise<readonly HistoryItem[]>;
  /** Messages that may be told before the first of them is acknowledged; 0 while nobody listens. */
  readonly ahead: () => number;
  /** Tells the application; undefined if that acknowledges the message, otherwise a promise that does when it resolves. */
  readonly deliver: (message: MessageItem) => Promise<void> | undefined;
  /** Told whenever more is acknowledged. */
  readonly onAcknowledged: () => void;
}

/**
 * Hands every other member's message to the application, in order. It waits until somebody listens, and starts after the last
 * message that any session on this store acknowledged. Within a session each is told once; those that were not acknowledged
 * when it ended are told to the next.
 */
export class HandOver {
  readonly #options: HandOverOptions;
  readonly #told: Prefix;
  #newest: number;
  #running: Promise<void> | undefined;

  constructor(start: { readonly handedOver: number; readonly lastItem: number }, options: HandOverOptions) {
    this.#told = new Prefix(start.handedOver);
    this.#newest = start.lastItem;
    this.#options = options;
  }

  /** All messages up to this item were acknowledged. */
  get acknowledged(): number {
    return this.#told.done;
  }

  /** New items, oldest first, up to `newest`: those that come next go out at once, without a look into the store. */
  offer(items: readonly HistoryItem[], newest: number): void {
    if (this.#running === undefined && this.#told.last === this.#newest) {
      for (const item of items) {
        if (item.seq !== this.#told.last + 1 || !this.#mayTell()) continue;
        this.#newest = item.seq;
        this.#handOver(item);
      }
    }
    this.wake(newest);
  }

  /** Starts handing over what there is up to `newest`. */
  wake(newest: number = this.#newest): void {
    this.#newest = Math.max(this.#newest, newest);
    if (this.#told.last === this.#newest || this.#running !== undefined) return;
    this.#running = this.#run().then((complete) => {
      this.#running = undefined;
      // What came between the last look and now.
      if (complete && this.#told.last < this.#newest && this.#mayTell()) this.wake();
    });
  }

  /** The application has all messages up to this item, whether they were told to it here or not. */
  acknowledge(seq: number): void {
    const before = this.#told.done;
    this.#moved(before, this.#told.endUpTo(seq));
    // What had to wait until fewer are on their way.
    this.wake();
  }

  /** Resolves when nothing is being handed over. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Whether it came to the end, rather than to a failure of the store, after which the next `wake` tries again. */
  async #run(): Promise<boolean> {
    // A listener that was just added is not called before `on` has returned.
    await Promise.resolve();
    while (this.#told.last < this.#newest && this.#mayTell()) {
      const upTo = this.#newest;
      const items = await this.#options.read(this.#told.last).catch(() => undefined);
      if (items === undefined) return false;
      for (const item of items) {
        if (!this.#mayTell()) return true;
        // What was acknowledged meanwhile is not told.
        if (item.seq > this.#told.last) this.#handOver(item);
      }
      if (items.length === 0) this.#pass(upTo);
    }
    return true;
  }

  #mayTell(): boolean {
    return this.#told.running < this.#options.ahead();
  }

  #handOver(item: HistoryItem): void {
    const { seq } = item;
    if (item.kind !== "message" || item.isSelf) {
      this.#pass(seq);
      return;
    }
    const before = this.#told.done;
    this.#told.begin(seq);
    const acknowledged = this.#options.deliver(item);
    if (acknowledged === undefined) this.#moved(before, this.#told.end(seq));
    else {
      void acknowledged.then(() => {
        this.#settle(seq);
      });
    }
  }

  #pass(seq: number): void {
    const before = this.#told.done;
    this.#told.pass(seq);
    this.#moved(before, this.#told.done);
  }

  #settle(seq: number): void {
    const before = this.#told.done;
    this.#moved(before, this.#told.end(seq));
    // What had to wait until fewer are on their way.
    this.wake();
  }

  #moved(before: number, now: number): void {
    if (now > before) this.#options.onAcknowledged();
  }
}
