/** The part of a history that is on the screen: pages read from the store, kept up to date by events. */
import type { HistoryItem } from "coppice";

/**
 * Holds a contiguous, newest part of a conversation's history, in order and without duplicates.
 *
 * Pages and events race: an event may overtake the page that was read before it. What an event said is newer than what
 * a page says, and what was discarded stays away.
 */
export class HistoryWindow {
  readonly #items = new Map<number, HistoryItem>();
  readonly #discarded = new Set<number>();
  #sorted: readonly HistoryItem[] | undefined;
  /** Lowest sequence number of the pages read; undefined before the first. */
  #floor: number | undefined;
  #reachesStart = false;

  /** Oldest first; the same array until something changes. */
  get items(): readonly HistoryItem[] {
    this.#sorted ??= [...this.#items.values()].sort((a, b) => a.seq - b.seq);
    return this.#sorted;
  }

  /** Whether the store may have items before the first one here. */
  get hasOlder(): boolean {
    return !this.#reachesStart;
  }

  /** Value for `before` of the next page; undefined for the newest page. */
  get before(): number | undefined {
    return this.#floor;
  }

  /** Adds a page that was asked for with `limit`. A shorter one reaches the start of the history. */
  addPage(page: readonly HistoryItem[], limit: number): void {
    for (const item of page) {
      if (!this.#items.has(item.seq) && !this.#discarded.has(item.seq)) this.#items.set(item.seq, item);
    }
    this.#reachesStart ||= page.length < limit;
    const lowest = page[0]?.seq;
    if (lowest !== undefined) this.#floor = Math.min(lowest, this.#floor ?? lowest);
    this.#dropBelowFloor();
    this.#sorted = undefined;
  }

  /** Adds or replaces an item that an event reported. */
  apply(item: HistoryItem): void {
    if (this.#discarded.has(item.seq) || this.#isBelowFloor(item.seq)) return;
    this.#items.set(item.seq, item);
    this.#sorted = undefined;
  }

  /** Takes an item away for good. */
  discard(seq: number): void {
    this.#discarded.add(seq);
    if (this.#items.delete(seq)) this.#sorted = undefined;
  }

  /** Forgets the oldest items beyond the newest `count`; they can be read again. */
  keepNewest(count: number): void {
    const first = this.items.at(-count);
    if (this.#items.size <= count || first === undefined) return;
    this.#floor = first.seq;
    this.#reachesStart = false;
    this.#dropBelowFloor();
    this.#sorted = undefined;
  }

  /** An item from below would leave a hole: it comes with its page, when that is read. */
  #isBelowFloor(seq: number): boolean {
    return !this.#reachesStart && this.#floor !== undefined && seq < this.#floor;
  }

  #dropBelowFloor(): void {
    for (const seq of [...this.#items.keys()]) if (this.#isBelowFloor(seq)) this.#items.delete(seq);
  }
}
