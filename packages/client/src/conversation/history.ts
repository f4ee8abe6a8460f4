/** The stored history: pages, and handing messages over to the application. */
import type { Store } from "@coppice/storage";
import type { HistoryItem } from "../api.ts";
import { ITEM, itemRecord, type MessageItem } from "../records/conversation.ts";
import { ordinal } from "../records/primitives.ts";
import { partitionOf } from "./held.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const HAND_OVER_PAGE = 200;

export interface HistoryQuery {
  readonly before?: number;
  readonly limit?: number;
}

/** The newest `limit` items before `before`, oldest first. */
export async function readHistory(store: Store, id: string, query: HistoryQuery = {}): Promise<readonly HistoryItem[]> {
  const { before, limit = DEFAULT_LIMIT } = query;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new RangeError(`limit is 1 to ${MAX_LIMIT}`);
  }
  if (before !== undefined && !(Number.isSafeInteger(before) && before >= 0)) {
    throw new RangeError("before is a sequence number");
  }
  const bound = before === undefined ? {} : { before: ITEM + ordinal(before) };
  const { records } = await store.read(partitionOf(id), [{ prefix: ITEM, ...bound, limit, reverse: true }]);
  return [...records.values()].map((bytes) => itemRecord.decode(bytes)).reverse();
}

/** The items of these numbers that exist. */
export async function readItems(
  store: Store,
  id: string,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, HistoryItem>> {
  const ranges = seqs.map((seq) => {
    const name = ITEM + ordinal(seq);
    return { prefix: name, before: `${name}\0` };
  });
  const { records } = await store.read(partitionOf(id), ranges);
  return new Map([...records.values()].map((bytes) => itemRecord.decode(bytes)).map((item) => [item.seq, item]));
}

/** Items after `after`, oldest first, at most a page. */
export async function readAfter(store: Store, id: string, after: number): Promise<readonly HistoryItem[]> {
  const range = { prefix: ITEM, after: ITEM + ordinal(after), limit: HAND_OVER_PAGE };
  const { records } = await store.read(partitionOf(id), [range]);
  return [...records.values()].map((bytes) => itemRecord.decode(bytes));
}

/**
 * Hands every other member's message to the application once per client object, in order. It waits until somebody listens,
 * and starts after the last message that any client object on this store handed over.
 */
export class HandOver {
  readonly #read: (after: number) => Promise<readonly HistoryItem[]>;
  readonly #hasListener: () => boolean;
  readonly #deliver: (message: MessageItem) => void;
  #cursor: number;
  #newest: number;
  #running: Promise<void> | undefined;

  constructor(
    start: { readonly handedOver: number; readonly lastItem: number },
    options: {
      readonly read: (after: number) => Promise<readonly HistoryItem[]>;
      readonly hasListener: () => boolean;
      readonly deliver: (message: MessageItem) => void;
    },
  ) {
    this.#cursor = start.handedOver;
    this.#newest = start.lastItem;
    this.#read = options.read;
    this.#hasListener = options.hasListener;
    this.#deliver = options.deliver;
  }

  /** Items up to this one were handed over. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Starts handing over what there is up to `newest`. */
  wake(newest: number = this.#newest): void {
    this.#newest = Math.max(this.#newest, newest);
    this.#running ??= this.#run().then((complete) => {
      this.#running = undefined;
      // What came between the last look and now.
      if (complete && this.#cursor < this.#newest && this.#hasListener()) this.wake();
    });
  }

  /** Resolves when nothing is being handed over. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Whether it came to the end, rather than to a failure of the store, after which the next `wake` tries again. */
  async #run(): Promise<boolean> {
    // A listener that was just added is not called before `on` has returned.
    await Promise.resolve();
    while (this.#cursor < this.#newest && this.#hasListener()) {
      const upTo = this.#newest;
      const items = await this.#read(this.#cursor).catch(() => undefined);
      if (items === undefined) return false;
      for (const item of items) {
        if (!this.#hasListener()) return true;
        this.#cursor = item.seq;
        if (item.kind === "message" && !item.isSelf) this.#deliver(item);
      }
      if (items.length === 0) this.#cursor = upTo;
    }
    return true;
  }
}
