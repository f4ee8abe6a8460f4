/** The stored history: pages and single items. */
import type { PartitionSnapshot, RecordRange, Store, StoreCallOptions } from "@coppice/storage";
import type { HistoryItem } from "../api.ts";
import { CONVERSATION, ITEM, itemRecord } from "../records/conversation.ts";
import { fromOrdinal, ordinal } from "../records/primitives.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const HAND_OVER_PAGE = 200;

export const partitionOf = (id: string): string => CONVERSATION + id;

export const itemName = (seq: number): string => ITEM + ordinal(seq);

/** Items after number `after`, to number `last`. */
export const itemsBetween = (after: number, last: number): RecordRange => ({
  prefix: ITEM,
  after: itemName(after),
  before: itemName(last + 1),
});

export interface HistoryQuery {
  readonly before?: number;
  readonly limit?: number;
}

/** Reads items of one conversation. A damaged item is left out: it costs only itself. */
export class History {
  readonly #store: Store;
  readonly #partition: string;

  constructor(store: Store, id: string) {
    this.#store = store;
    this.#partition = partitionOf(id);
  }

  /** The newest `limit` items before `before`, oldest first. */
  async page(
    { before = Number.MAX_SAFE_INTEGER, limit = DEFAULT_LIMIT }: HistoryQuery,
    options?: StoreCallOptions,
  ): Promise<HistoryItem[]> {
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
      throw new RangeError(`The limit is 1 to ${MAX_LIMIT}`);
    }
    if (!Number.isSafeInteger(before) || before < 0) {
      throw new RangeError("Pages end before a sequence number");
    }
    let found: HistoryItem[] = [];
    // Numbers begin at 1 and are seldom missing: mostly the first range has all.
    for (let end = before; found.length < limit;) {
      const last = await newestItem(this.#store, this.#partition, end, options);
      if (last === 0) break;
      const after = Math.max(0, last - (limit - found.length));
      found = [...(await this.#read([itemsBetween(after, last)], options)), ...found];
      if (after === 0) break;
      end = after + 1;
    }
    return found;
  }

  /** Items after `after`, oldest first, at most a page. */
  async after(after: number): Promise<readonly HistoryItem[]> {
    return this.#read([{ prefix: ITEM, after: itemName(after), limit: HAND_OVER_PAGE }]);
  }

  /** The items of these numbers that exist. */
  async items(seqs: readonly number[]): Promise<ReadonlyMap<number, HistoryItem>> {
    if (seqs.length === 0) return new Map();
    const items = await this.#read(
      seqs.map((seq) => {
        const name = itemName(seq);
        return { prefix: name, before: `${name}\0` };
      }),
    );
    return new Map(items.map((item) => [item.seq, item]));
  }

  async #read(ranges: readonly RecordRange[], options?: StoreCallOptions): Promise<HistoryItem[]> {
    return decodeItems((await this.#store.read(this.#partition, ranges, options)).records);
  }
}

/** The number of a partition's newest item before number `before`; 0 without one. */
export async function newestItem(
  store: Store,
  partition: string,
  before: number,
  options?: StoreCallOptions,
): Promise<number> {
  const range = { prefix: ITEM, before: itemName(before), last: true };
  const { records, damaged } = await store.read(partition, [range], options);
  const [name] = [...records.keys(), ...damaged];
  return name === undefined ? 0 : fromOrdinal(name);
}

/** The items among records, in their order. */
export function decodeItems(records: PartitionSnapshot["records"]): HistoryItem[] {
  const items: HistoryItem[] = [];
  for (const [name, bytes] of records) {
    if (name.startsWith(ITEM)) items.push(itemRecord.decode(bytes));
  }
  return items;
}
