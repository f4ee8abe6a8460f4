/**
 * The changes of one turn, collected until they are written together. Several tasks share a turn: each changes all that it wants
 * to, or nothing.
 */
import {
  diffGroupRecords,
  discardCommit,
  equalBytes,
  erase,
  isComplete,
  patchGroup,
  usedKeys,
  withRecords,
  type Bytes,
  type GroupState,
  type MessagingState,
  type Rules,
  type StagedCommit,
  type UsedKeys,
} from "@coppice/core";
import type { LogEntry } from "@coppice/delivery/contract";
import type { CoppiceError } from "@coppice/kit";
import type { PartitionWrite } from "@coppice/storage";
import type { NotingRules } from "../account/authentication.ts";
import type { HistoryItem } from "../api.ts";
import {
  FUTURE,
  futureRecord,
  itemRecord,
  OUTBOX,
  outboxRecord,
  PENDING,
  pendingRecord,
  SUMMARY,
  summaryRecord,
  WAIT,
  waitRecord,
  type OutboxEntry,
  type PendingRecord,
  type Summary,
} from "../records/conversation.ts";
import type { LogWait } from "../patience.ts";
import { ordinal } from "../records/primitives.ts";
import { itemName, partitionOf } from "./history.ts";
import type { Workable } from "./stored.ts";

type WithoutSeq<T> = T extends unknown ? Omit<T, "seq"> : never;

/** An item that is not in the history yet. */
export type NewItem = WithoutSeq<HistoryItem>;

/** What a transaction reads when it needs it. */
export interface TransactionReader {
  /** The group's state as it was stored. */
  readonly group: (whole: boolean) => Promise<MessagingState>;
  /** More of the group's records, as they were stored. */
  readonly groupRecords: (names: readonly string[]) => Promise<ReadonlyMap<string, Bytes>>;
  /** Tells that the stored records contradict each other; returns the error to throw. */
  readonly damaged: () => CoppiceError;
  /** The items of these numbers that exist, in one read. */
  readonly items: (seqs: readonly number[]) => Promise<ReadonlyMap<number, HistoryItem>>;
}

/** Names of records that are not loaded yet, for a purpose. */
export type NamesNeeded = (state: MessagingState) => readonly string[] | Promise<readonly string[]>;

/** The state after a step, with the secrets that it used up. */
export interface Step {
  readonly state: MessagingState;
  readonly consumed: readonly Bytes[];
}

/** Whether a stored group is not the one that the summary of the same version tells of: somebody set its records back. */
function isSetBack(state: MessagingState, { epoch, used: seen }: Summary): boolean {
  if (state.context.epoch !== epoch) return true;
  const used = usedKeys(state);
  if (used === undefined || used.epoch !== seen.epoch) return false;
  return used.handshake < seen.handshake || used.application < seen.application;
}

const isSameUse = (a: UsedKeys, b: UsedKeys): boolean =>
  a.epoch === b.epoch && a.handshake === b.handshake && a.application === b.application;

export class Transaction {
  readonly before: Workable;
  /** Items that were added or changed, in the order of the changes. */
  readonly items: HistoryItem[] = [];
  /** Items that were discarded. */
  readonly discarded: number[] = [];
  /** What a person should know once the turn is stored. */
  readonly problems: CoppiceError[] = [];
  readonly #reader: TransactionReader;
  readonly #noting: NotingRules;
  readonly #outbox: Map<number, OutboxEntry>;
  readonly #future: Map<number, LogEntry>;
  /** Stored items that were read ahead; undefined for those that do not exist. */
  readonly #loadedItems = new Map<number, HistoryItem | undefined>();
  readonly #put = new Map<string, Uint8Array>();
  readonly #delete = new Set<string>();
  readonly #consumed: Bytes[] = [];
  /** What takes each change of the running task back, newest last. */
  readonly #undo: (() => void)[] = [];
  #summary: Summary;
  #pending: PendingRecord | undefined;
  #wait: LogWait | undefined;
  #staged: StagedCommit | undefined;
  /** As it was stored, and as it is now: both have the same parts loaded. */
  #stored: MessagingState | undefined;
  #group: MessagingState | undefined;

  constructor(
    before: Workable,
    { reader, noting, staged }: { reader: TransactionReader; noting: NotingRules; staged: StagedCommit | undefined },
  ) {
    this.before = before;
    this.#reader = reader;
    this.#noting = noting;
    this.#summary = before.summary;
    this.#pending = before.work.pending;
    this.#wait = before.work.wait;
    this.#outbox = new Map(before.work.outbox);
    this.#future = new Map(before.work.future);
    this.#stored = before.group;
    this.#group = before.group;
    this.#staged = staged;
  }

  get summary(): Summary {
    return this.#summary;
  }

  get pending(): PendingRecord | undefined {
    return this.#pending;
  }

  /** The pending commit as core made it, if this context made it. */
  get staged(): StagedCommit | undefined {
    return this.#staged;
  }

  get outbox(): ReadonlyMap<number, OutboxEntry> {
    return this.#outbox;
  }

  get future(): ReadonlyMap<number, LogEntry> {
    return this.#future;
  }

  /** Where the log could not be read on the last time. */
  get wait(): LogWait | undefined {
    return this.#wait;
  }

  get rules(): Rules {
    return this.#noting.rules;
  }

  /** Device logs that are missing: what the running task did does not hold. */
  get needs(): ReadonlyMap<string, number> {
    return this.#noting.needs;
  }

  /** Device logs that the running task met, and that the directory does not show now. */
  get withheld(): readonly CoppiceError[] {
    return this.#noting.withheld;
  }

  get isChanged(): boolean {
    if (this.#group !== this.#stored || this.#summary !== this.before.summary) return true;
    return this.#put.size > 0 || this.#delete.size > 0;
  }

  /** Runs a task of the turn; if it throws, none of its changes stays. */
  async run<T>(task: () => T | Promise<T>): Promise<T> {
    const { items, discarded, problems } = this;
    const lengths = [items.length, discarded.length, problems.length, this.#consumed.length] as const;
    const [summary, pending, staged, wait] = [this.#summary, this.#pending, this.#staged, this.#wait];
    const [stored, group] = [this.#stored, this.#group];
    this.#undo.length = 0;
    this.#noting.needs.clear();
    this.#noting.withheld.length = 0;
    try {
      return await task();
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo();
      [items.length, discarded.length, problems.length, this.#consumed.length] = lengths;
      [this.#summary, this.#pending, this.#staged, this.#wait] = [summary, pending, staged, wait];
      [this.#stored, this.#group] = [stored, group];
      throw error;
    }
  }

  /** What is known of the group without reading. */
  get loadedGroup(): MessagingState | undefined {
    return this.#group;
  }

  /** All of the group's state. */
  async group(): Promise<GroupState> {
    const known = this.#group;
    if (known !== undefined && isComplete(known)) return known;
    const stored = await this.#reader.group(true);
    if (!isComplete(stored)) throw new RangeError("The whole state was asked for");
    const isSame = known === undefined || known === this.#stored;
    const group = isSame ? stored : await patchGroup(stored, diffGroupRecords(this.#stored, known));
    [this.#stored, this.#group] = [stored, group];
    return group;
  }

  /** The group's state for sending or opening: with the records that `names` says it needs. */
  async messaging(names: NamesNeeded): Promise<MessagingState> {
    this.#group ??= this.#stored = await this.#reader.group(false);
    if (isComplete(this.#group)) return this.#group;
    const missing = await names(this.#group);
    if (missing.length === 0) return this.#group;
    const records = await this.#reader.groupRecords(missing);
    const [stored, group] = [this.#stored ?? this.#group, this.#group];
    this.#stored = await withRecords(stored, missing, records);
    this.#group = stored === group ? this.#stored : await withRecords(group, missing, records);
    return this.#group;
  }

  /**
   * Takes a step of the group; what it consumed is erased once the turn is stored. `ERR_STORE_CORRUPT` if the group that it starts from
   * is of another epoch than the summary, or has used fewer of its own keys: one of them would seal a second message.
   */
  step({ state, consumed }: Step): void {
    if (this.#group !== undefined && isSetBack(this.#group, this.#summary)) throw this.#reader.damaged();
    const used = usedKeys(state);
    if (used !== undefined && !isSameUse(used, this.#summary.used)) this.setSummary({ used });
    this.#group = state;
    this.#consumed.push(...consumed);
  }

  setSummary(change: Partial<Summary>): void {
    this.#summary = { ...this.#summary, ...change };
  }

  setPending(pending: PendingRecord | undefined, staged?: StagedCommit): void {
    this.#staged = staged;
    if (pending === undefined && this.#pending === undefined) return;
    this.#pending = pending;
    this.#set(PENDING, pending && pendingRecord.encode(pending));
    this.setSummary({ pending: pending && { operation: pending.intent.operation, attempt: pending.attempt } });
  }

  /** Drops the pending commit, if there is one, and erases what this context has of its secrets (R-14-2). */
  async dropPending(): Promise<void> {
    const [pending, staged] = [this.#pending, this.#staged];
    if (staged !== undefined && pending !== undefined && equalBytes(staged.commit, pending.commit)) {
      const state = await this.group();
      this.step({ state, consumed: discardCommit(state, staged) });
    }
    this.setPending(undefined);
  }

  addItem(item: NewItem): HistoryItem {
    const seq = this.#summary.lastItem + 1;
    this.setSummary({ lastItem: seq });
    const added: HistoryItem = { ...item, seq };
    this.changeItem(added);
    return added;
  }

  changeItem(item: HistoryItem): void {
    this.#set(itemName(item.seq), itemRecord.encode(item));
    this.items.push(item);
  }

  discardItem(seq: number): void {
    this.#set(itemName(seq), undefined);
    this.discarded.push(seq);
  }

  /** Tells a person, once the turn is stored. */
  tell(problem: CoppiceError): void {
    this.problems.push(problem);
  }

  /** An item as it is now. */
  async item(seq: number): Promise<HistoryItem | undefined> {
    if (this.discarded.includes(seq)) return undefined;
    const changed = this.items.findLast((item) => item.seq === seq);
    if (changed !== undefined || this.#loadedItems.has(seq)) return changed ?? this.#loadedItems.get(seq);
    return (await this.#reader.items([seq])).get(seq);
  }

  /** Reads stored items at once that are asked for next, one by one. */
  async loadItems(seqs: readonly number[]): Promise<void> {
    const missing = seqs.filter((seq) => !this.#loadedItems.has(seq));
    const found = await this.#reader.items(missing);
    for (const seq of missing) this.#loadedItems.set(seq, found.get(seq));
  }

  /** Adds to the outbox; returns the entry's number. */
  enqueue(entry: OutboxEntry): number {
    const number = this.#summary.nextOutbox;
    this.setSummary({ nextOutbox: number + 1 });
    this.setOutbox(number, entry);
    return number;
  }

  setOutbox(number: number, entry: OutboxEntry | undefined): void {
    const before = this.#outbox.get(number);
    this.#undo.push(() => {
      setOrDelete(this.#outbox, number, before);
    });
    setOrDelete(this.#outbox, number, entry);
    this.#set(OUTBOX + ordinal(number), entry && outboxRecord.encode(entry));
    if (this.#outbox.size !== this.#summary.queued) this.setSummary({ queued: this.#outbox.size });
  }

  /** Keeps a log entry of a later epoch, or drops it. */
  setFuture(seq: number, entry: LogEntry | undefined): void {
    const before = this.#future.get(seq);
    this.#undo.push(() => {
      setOrDelete(this.#future, seq, before);
    });
    setOrDelete(this.#future, seq, entry);
    this.#set(FUTURE + ordinal(seq), entry && futureRecord.encode(entry));
  }

  /** Notes where the log cannot be read on, and for how long. */
  setWait(wait: LogWait): void {
    this.#wait = wait;
    this.#set(WAIT, waitRecord.encode(wait));
  }

  toWrite(id: string): PartitionWrite {
    const put = new Map(this.#put);
    if (this.#summary !== this.before.summary) put.set(SUMMARY, summaryRecord.encode(this.#summary));
    const removed = new Set(this.#delete);
    if (this.#group !== undefined && this.#group !== this.#stored) {
      const changes = diffGroupRecords(this.#stored, this.#group);
      for (const [name, bytes] of changes.put) {
        put.set(name, bytes);
        removed.delete(name);
      }
      for (const name of changes.delete) removed.add(name);
    }
    return { partition: partitionOf(id), expectedVersion: this.before.version, put, delete: [...removed] };
  }

  /** What the store holds once the turn is written; without a write, what is known of it now. */
  toStored(version: number): Workable {
    const work = { pending: this.#pending, outbox: this.#outbox, future: this.#future, wait: this.#wait };
    return { version, summary: this.#summary, work, group: this.#group };
  }

  eraseConsumed(): void {
    erase(...this.#consumed);
  }

  #set(name: string, value: Uint8Array | undefined): void {
    const [put, deleted] = [this.#put.get(name), this.#delete.has(name)];
    this.#undo.push(() => {
      setOrDelete(this.#put, name, put);
      if (deleted) this.#delete.add(name);
      else this.#delete.delete(name);
    });
    setOrDelete(this.#put, name, value);
    if (value === undefined) this.#delete.add(name);
    else this.#delete.delete(name);
  }
}

function setOrDelete<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
