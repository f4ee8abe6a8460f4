/** The changes of one transaction, collected until they are written together. */
import {
  diffGroupRecords,
  erase,
  type Bytes,
  type GroupState,
  type Rules,
  type StagedCommit,
  type Transition,
} from "@coppice/core";
import type { LogEntry } from "@coppice/delivery";
import type { PartitionWrite } from "@coppice/storage";
import type { HistoryItem } from "../api.ts";
import type { Session } from "../account/authentication.ts";
import {
  ECHO,
  FUTURE,
  futureRecord,
  ITEM,
  itemRecord,
  META,
  metaRecord,
  OUTBOX,
  outboxRecord,
  PENDING,
  pendingRecord,
  type Meta,
  type OutboxEntry,
  type PendingRecord,
} from "../records/conversation.ts";
import { ordinal } from "../records/primitives.ts";
import { partitionOf, type Held } from "./held.ts";

type WithoutSeq<T> = T extends unknown ? Omit<T, "seq"> : never;

/** An item that is not in the history yet. */
export type NewItem = WithoutSeq<HistoryItem>;

export class Draft {
  readonly before: Held;
  readonly session: Session;
  /** Items that were added or changed, oldest first. */
  readonly items: HistoryItem[] = [];
  /** Items that were discarded. */
  readonly discarded: number[] = [];
  /** The pending commit as core made it, if it was made in this transaction. */
  staged: StagedCommit | undefined;
  #state: GroupState;
  #meta: Meta;
  #pending: PendingRecord | undefined;
  readonly #outbox: Map<number, OutboxEntry>;
  readonly #echoes: Set<string>;
  readonly #future: Map<number, LogEntry>;
  readonly #put = new Map<string, Uint8Array>();
  readonly #delete = new Set<string>();
  readonly #consumed: Bytes[] = [];

  constructor(before: Held, session: Session) {
    this.before = before;
    this.session = session;
    this.#state = before.state;
    this.#meta = before.meta;
    this.#pending = before.pending;
    this.#outbox = new Map(before.outbox);
    this.#echoes = new Set(before.echoes);
    this.#future = new Map(before.future);
  }

  get state(): GroupState {
    return this.#state;
  }

  get meta(): Meta {
    return this.#meta;
  }

  get pending(): PendingRecord | undefined {
    return this.#pending;
  }

  get outbox(): ReadonlyMap<number, OutboxEntry> {
    return this.#outbox;
  }

  get echoes(): ReadonlySet<string> {
    return this.#echoes;
  }

  get future(): ReadonlyMap<number, LogEntry> {
    return this.#future;
  }

  get rules(): Rules {
    return this.session.rules;
  }

  /** Takes a step of the group; what it consumed is erased once the draft is stored. */
  step({ state, consumed }: Transition): void {
    this.#state = state;
    this.#consumed.push(...consumed);
  }

  setMeta(change: Partial<Meta>): void {
    this.#meta = { ...this.#meta, ...change };
    this.#set(META, metaRecord.encode(this.#meta));
  }

  setPending(pending: PendingRecord | undefined): void {
    if (pending === undefined && this.#pending === undefined) return;
    this.#pending = pending;
    this.#set(PENDING, pending && pendingRecord.encode(pending));
  }

  addItem(item: NewItem): HistoryItem {
    const seq = this.#meta.lastItem + 1;
    this.setMeta({ lastItem: seq });
    const added: HistoryItem = { ...item, seq };
    this.changeItem(added);
    return added;
  }

  changeItem(item: HistoryItem): void {
    this.#set(ITEM + ordinal(item.seq), itemRecord.encode(item));
    this.items.push(item);
  }

  discardItem(seq: number): void {
    this.#set(ITEM + ordinal(seq), undefined);
    this.discarded.push(seq);
  }

  enqueue(entry: OutboxEntry): number {
    const number = this.#meta.nextOutbox;
    this.setMeta({ nextOutbox: number + 1 });
    this.setOutbox(number, entry);
    return number;
  }

  setOutbox(number: number, entry: OutboxEntry | undefined): void {
    if (entry === undefined) this.#outbox.delete(number);
    else this.#outbox.set(number, entry);
    this.#set(OUTBOX + ordinal(number), entry && outboxRecord.encode(entry));
  }

  expectEcho(hash: string): void {
    this.#echoes.add(hash);
    this.#set(ECHO + hash, new Uint8Array(0));
  }

  forgetEcho(hash: string): void {
    this.#echoes.delete(hash);
    this.#set(ECHO + hash, undefined);
  }

  buffer(entry: LogEntry): void {
    this.#future.set(entry.seq, entry);
    this.#set(FUTURE + ordinal(entry.seq), futureRecord.encode(entry));
  }

  unbuffer(seq: number): void {
    this.#future.delete(seq);
    this.#set(FUTURE + ordinal(seq), undefined);
  }

  get isChanged(): boolean {
    return this.#state !== this.before.state || this.#put.size > 0 || this.#delete.size > 0;
  }

  toWrite(id: string): PartitionWrite {
    const put = new Map(this.#put);
    const removed = new Set(this.#delete);
    if (this.#state !== this.before.state) {
      const changes = diffGroupRecords(this.before.state, this.#state);
      for (const [name, bytes] of changes.put) put.set(name, bytes);
      for (const name of changes.delete) removed.add(name);
    }
    return { partition: partitionOf(id), expectedVersion: this.before.version, put, delete: [...removed] };
  }

  /** What the store holds once the draft is written. */
  toHeld(): Held {
    return {
      version: this.before.version + 1,
      state: this.#state,
      meta: this.#meta,
      pending: this.#pending,
      outbox: this.#outbox,
      echoes: this.#echoes,
      future: this.#future,
    };
  }

  eraseConsumed(): void {
    erase(...this.#consumed);
  }

  #set(name: string, value: Uint8Array | undefined): void {
    if (value === undefined) {
      this.#put.delete(name);
      this.#delete.add(name);
    } else {
      this.#delete.delete(name);
      this.#put.set(name, value);
    }
  }
}
