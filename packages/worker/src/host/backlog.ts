/** Events that wait for the page. */
import type { HistoryItem } from "@coppice/client";
import { BATCH_BYTES, BATCH_EVENTS } from "../limits.ts";
import type { ItemEvent, WireEvent } from "../protocol.ts";

/** Events and bytes from which on the backlog is full. */
const MAX_EVENTS = 1024;
const MAX_BYTES = 4 * 1024 * 1024;
/** History items that are read again at once. */
const PAGE = BATCH_EVENTS;

/** Sequence numbers of a conversation's items whose events were dropped, to be made again from the history. */
interface Gap {
  from: number;
  to: number;
}

export type ReadHistory = (
  conversation: string,
  query: { readonly before: number; readonly limit: number },
) => Promise<readonly HistoryItem[]>;

/**
 * A queue of bounded size that loses nothing. An event takes the place of an older one about the same thing. Of `item`
 * events that do not fit only the range of sequence numbers is kept: the items are in the history. `message` events stop
 * coming by themselves when the backlog is full, see `MessageTap`.
 */
export class Backlog {
  readonly #read: ReadHistory;
  /** In order; the key says what an event is about. */
  readonly #queue = new Map<string, WireEvent>();
  readonly #gaps = new Map<string, Gap>();
  #bytes = 0;
  #failures = 0;

  constructor(read: ReadHistory) {
    this.#read = read;
  }

  get isEmpty(): boolean {
    return this.#queue.size === 0 && this.#gaps.size === 0;
  }

  get isFull(): boolean {
    return this.#queue.size >= MAX_EVENTS || this.#bytes >= MAX_BYTES;
  }

  /** Times in a row that nothing could be taken because the history could not be read: to try again at once would be of no use. */
  get failures(): number {
    return this.#failures;
  }

  push(event: WireEvent): void {
    switch (event.type) {
      case "item":
        this.#pushItem(event);
        return;
      case "message":
        this.#set(itemKey("message", event.conversation, event.value.seq), event);
        return;
      case "discarded":
        this.#drop(itemKey("item", event.conversation, event.value.seq));
        this.#set(itemKey("discarded", event.conversation, event.value.seq), event);
        return;
      case "conversation":
        this.#set(`conversation ${event.value.id}`, event);
        return;
      case "connection":
        this.#set("connection", event);
        return;
      case "problem":
        this.#set(`problem ${event.value.code} ${event.value.conversation ?? ""}`, event);
    }
  }

  /** The next events, at most a batch, in order. */
  async take(): Promise<readonly WireEvent[]> {
    if (this.#queue.size === 0) await this.#refill();
    const batch: WireEvent[] = [];
    let bytes = 0;
    for (const [key, event] of this.#queue) {
      bytes += sizeOf(event);
      if (batch.length === BATCH_EVENTS || (batch.length > 0 && bytes > BATCH_BYTES)) break;
      batch.push(event);
      this.#drop(key);
    }
    return batch;
  }

  /** Forgets what waits for a listener that is gone. Messages stay: the engine will not report them again. */
  forget(conversation: string, type: Exclude<ItemEvent, "message">): void {
    if (type === "item") this.#gaps.delete(conversation);
    for (const [key, event] of this.#queue) {
      if (event.type === type && event.conversation === conversation) this.#drop(key);
    }
  }

  #pushItem(event: Extract<WireEvent, { readonly type: "item" }>): void {
    const { conversation, value } = event;
    const key = itemKey("item", conversation, value.seq);
    const gap = this.#gaps.get(conversation);
    if (this.#queue.has(key)) {
      this.#set(key, event);
    } else if (gap !== undefined) {
      gap.from = Math.min(gap.from, value.seq);
      gap.to = Math.max(gap.to, value.seq);
    } else if (this.isFull) {
      this.#gaps.set(conversation, { from: value.seq, to: value.seq });
    } else {
      this.#set(key, event);
    }
  }

  /** Makes a page of dropped events again. The gap of a conversation that cannot be read now stays, and holds up no other. */
  async #refill(): Promise<void> {
    let failed = false;
    for (const [conversation, gap] of this.#gaps) {
      const { from } = gap;
      const end = Math.min(gap.to, from + PAGE - 1);
      const items = await this.#read(conversation, { before: end + 1, limit: PAGE }).catch(() => undefined);
      if (items === undefined) {
        failed = true;
        continue;
      }
      if (this.#gaps.get(conversation) !== gap) continue;
      // The gap stays while it is read, so that newer events queue up behind it; one that grew downwards is read anew.
      if (gap.from === from) {
        if (end >= gap.to) this.#gaps.delete(conversation);
        else gap.from = end + 1;
      }
      for (const value of items) {
        if (value.seq < from || value.seq > end) continue;
        this.#set(itemKey("item", conversation, value.seq), { type: "item", conversation, value });
      }
      if (this.#queue.size > 0) break;
    }
    this.#failures = failed && this.#queue.size === 0 ? this.#failures + 1 : 0;
  }

  #set(key: string, event: WireEvent): void {
    const previous = this.#queue.get(key);
    this.#bytes += sizeOf(event) - (previous === undefined ? 0 : sizeOf(previous));
    this.#queue.set(key, event);
  }

  #drop(key: string): void {
    const event = this.#queue.get(key);
    if (event === undefined) return;
    this.#bytes -= sizeOf(event);
    this.#queue.delete(key);
  }
}

const itemKey = (type: ItemEvent, conversation: string, seq: number): string => `${type} ${conversation} ${seq}`;

/** Roughly; only a message's data can be large. */
function sizeOf(event: WireEvent): number {
  return event.type === "discarded" || !("kind" in event.value) || event.value.kind !== "message"
    ? 256
    : 256 + event.value.data.length;
}
