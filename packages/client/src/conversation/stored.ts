/**
 * A conversation as its partition held it at one version, as far as it was read: the summary always, what waits once there is
 * work, the group's state once a message needs it, the ratchet tree once a Commit does. Immutable.
 */
import {
  GROUP_RECORDS,
  patchGroup,
  restoreGroup,
  restoreMessaging,
  type MessagingState,
  type RecordChanges,
} from "@coppice/core";
import type { LogEntry } from "@coppice/delivery/contract";
import { CoppiceError } from "@coppice/kit";
import type { PartitionChanges, PartitionSnapshot, RecordRange, Store } from "@coppice/storage";
import type { HistoryItem } from "../api.ts";
import {
  FUTURE,
  futureRecord,
  ITEM,
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
import { fromOrdinal } from "../records/primitives.ts";
import { decodeItems, partitionOf } from "./history.ts";

/** What waits: for the Delivery Service's answer, or for a later epoch. */
export interface Work {
  readonly pending: PendingRecord | undefined;
  /** By number, in the order of sending. */
  readonly outbox: ReadonlyMap<number, OutboxEntry>;
  /** By `seq`. */
  readonly future: ReadonlyMap<number, LogEntry>;
  readonly wait: LogWait | undefined;
}

export interface Stored {
  readonly version: number;
  readonly summary: Summary;
  /** Undefined while it was not needed. */
  readonly work: Work | undefined;
  /** With the ratchet tree or without; undefined while it was not needed. */
  readonly group: MessagingState | undefined;
}

/** A stored conversation of which the work is known. */
export type Workable = Stored & { readonly work: Work };

export const only = (name: string): RecordRange => ({ prefix: name, before: `${name}\0` });

const WORK_RANGES: readonly RecordRange[] = [
  ...[SUMMARY, PENDING, WAIT].map(only),
  ...[OUTBOX, FUTURE].map((prefix) => ({ prefix })),
];

/** All of a partition. */
const RANGES: readonly RecordRange[] = [...WORK_RANGES, { prefix: ITEM }, { prefix: GROUP_RECORDS.all }];

export const damagedError = (cause?: unknown): CoppiceError =>
  new CoppiceError(
    "ERR_STORE_CORRUPT",
    "Stored records of this conversation were changed by someone else: rejoin it, or forget it",
    { cause },
  );

/** `ERR_STORE_CORRUPT` if a record is damaged without which the conversation cannot go on: of the history, none is. */
export function checkDamage({ damaged }: PartitionSnapshot): void {
  if (damaged.some((name) => !name.startsWith(ITEM))) throw damagedError();
}

/** Undefined if there is no such conversation. `ERR_STORE_CORRUPT` if its summary is damaged. */
export async function readSummary(store: Store, id: string): Promise<Stored | undefined> {
  const snapshot = await store.read(partitionOf(id), [only(SUMMARY)]);
  checkDamage(snapshot);
  const summary = snapshot.records.get(SUMMARY);
  if (summary === undefined) return undefined;
  return { version: snapshot.version, summary: summaryRecord.decode(summary), work: undefined, group: undefined };
}

/** Reads what waits, and the summary of the same moment. */
export async function readWork(store: Store, id: string): Promise<Workable | undefined> {
  const snapshot = await store.read(partitionOf(id), WORK_RANGES);
  checkDamage(snapshot);
  const summary = snapshot.records.get(SUMMARY);
  if (summary === undefined) return undefined;
  const none: Work = { pending: undefined, outbox: new Map(), future: new Map(), wait: undefined };
  return {
    version: snapshot.version,
    summary: summaryRecord.decode(summary),
    work: patchWork(none, { ...snapshot, deleted: [] }),
    group: undefined,
  };
}

/** Reads the group's state, all of it or what messages need. Undefined if the store has moved on from `version`. */
export async function readGroup(
  store: Store,
  id: string,
  { version, whole }: { readonly version: number; readonly whole: boolean },
): Promise<MessagingState | undefined> {
  const snapshot = await store.read(partitionOf(id), [{ prefix: whole ? GROUP_RECORDS.all : GROUP_RECORDS.messaging }]);
  if (snapshot.version !== version) return undefined;
  checkDamage(snapshot);
  try {
    return await (whole ? restoreGroup : restoreMessaging)(snapshot.records);
  } catch (cause) {
    throw damagedError(cause);
  }
}

/** Some of the group's records. Undefined if the store has moved on from `version`. */
export async function readGroupRecords(
  store: Store,
  id: string,
  { version, names }: { readonly version: number; readonly names: readonly string[] },
): Promise<PartitionSnapshot["records"] | undefined> {
  const snapshot = await store.read(partitionOf(id), names.map(only));
  if (snapshot.version !== version) return undefined;
  checkDamage(snapshot);
  return snapshot.records;
}

/** What another context changed. */
export interface Foreign {
  readonly stored: Stored;
  /** Items that were added or changed, oldest first. */
  readonly items: readonly HistoryItem[];
  readonly discarded: readonly number[];
}

/**
 * Follows what other contexts wrote since, at the cost of what they changed. Undefined if that cannot be told: read the whole
 * then. `ERR_STORE_CORRUPT` for damage.
 */
export async function readForeign(store: Store, id: string, known: Stored): Promise<Foreign | undefined> {
  const changes = await store.readChanges(partitionOf(id), known.version, RANGES);
  if (changes === undefined || changes.deleted.includes(SUMMARY)) return undefined;
  checkDamage(changes);
  const summary = changes.records.get(SUMMARY);
  return {
    stored: {
      version: changes.version,
      summary: summary === undefined ? known.summary : summaryRecord.decode(summary),
      work: known.work && patchWork(known.work, changes),
      group: known.group && (await patchedGroup(known.group, changes)),
    },
    items: decodeItems(changes.records),
    discarded: changes.deleted.filter((name) => name.startsWith(ITEM)).map(fromOrdinal),
  };
}

function patchWork(work: Work, { records, deleted }: PartitionChanges): Work {
  let { pending, wait } = work;
  const outbox = new Map(work.outbox);
  const future = new Map(work.future);
  for (const name of deleted) {
    if (name === PENDING) pending = undefined;
    else if (name === WAIT) wait = undefined;
    else if (name.startsWith(OUTBOX)) outbox.delete(fromOrdinal(name));
    else if (name.startsWith(FUTURE)) future.delete(fromOrdinal(name));
  }
  for (const [name, bytes] of records) {
    if (name === PENDING) pending = pendingRecord.decode(bytes);
    else if (name === WAIT) wait = waitRecord.decode(bytes);
    else if (name.startsWith(OUTBOX)) outbox.set(fromOrdinal(name), outboxRecord.decode(bytes));
    else if (name.startsWith(FUTURE)) future.set(fromOrdinal(name), futureRecord.decode(bytes));
  }
  return { pending, outbox, future, wait };
}

async function patchedGroup(
  group: MessagingState,
  { records, deleted }: PartitionChanges,
): Promise<MessagingState | undefined> {
  const changes: RecordChanges = {
    put: new Map([...records].filter(([name]) => name.startsWith(GROUP_RECORDS.all))),
    delete: deleted.filter((name) => name.startsWith(GROUP_RECORDS.all)),
  };
  if (changes.put.size === 0 && changes.delete.length === 0) return group;
  try {
    return await patchGroup(group, changes);
  } catch {
    // The group was replaced by another one of the same id: it is read when it is needed.
    return undefined;
  }
}
