/** Own messages on their way, kept in memory so that their state can change without reading them again. */
import type { HistoryItem } from "../api.ts";

const MAX_ITEMS = 256;
const MAX_BYTES = 1024 * 1024;

export class RecentItems {
  readonly #items = new Map<number, HistoryItem>();
  #bytes = 0;

  /** Those of these that are in memory. */
  of(seqs: readonly number[]): ReadonlyMap<number, HistoryItem> {
    const known = new Map<number, HistoryItem>();
    for (const seq of seqs) {
      const item = this.#items.get(seq);
      if (item !== undefined) known.set(seq, item);
    }
    return known;
  }

  /** What an item is now. Those that are settled are not wanted again. */
  note(item: HistoryItem): void {
    this.drop(item.seq);
    if (item.kind !== "message" || item.state !== "sending") return;
    this.#items.set(item.seq, item);
    this.#bytes += item.data.length;
    for (const oldest of this.#items.keys()) {
      if (this.#items.size <= MAX_ITEMS && this.#bytes <= MAX_BYTES) break;
      this.drop(oldest);
    }
  }

  drop(seq: number): void {
    const item = this.#items.get(seq);
    if (item?.kind === "message") this.#bytes -= item.data.length;
    this.#items.delete(seq);
  }
}
