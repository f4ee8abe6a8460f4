/**
 * A group that is entered, by Welcome, by creating it, or by joining again: it takes the place of what was stored of an earlier
 * membership, of which the history stays, and what was not sent yet.
 */
import { diffGroupRecords, GROUP_RECORDS, type Bytes, type GroupState } from "@coppice/core";
import type { LogPosition } from "@coppice/delivery/contract";
import { isCoppiceError } from "@coppice/kit";
import type { PartitionSnapshot, PartitionWrite, Store } from "@coppice/storage";
import {
  FUTURE,
  itemRecord,
  OUTBOX,
  outboxRecord,
  PENDING,
  SUMMARY,
  summaryRecord,
  WAIT,
  type OutboxEntry,
  type Summary,
} from "../records/conversation.ts";
import { fromOrdinal, ordinal } from "../records/primitives.ts";
import { decodeItems, itemName, itemsBetween, newestItem, partitionOf } from "./history.ts";
import { rosterOf } from "./roster.ts";
import type { NewItem } from "./transaction.ts";

/** What is known of an earlier membership; a damaged record is as good as none. */
export interface Former {
  readonly version: number;
  /** Undefined if there was none, or it is damaged. */
  readonly summary: Summary | undefined;
  readonly outbox: ReadonlyMap<number, OutboxEntry>;
  /** Records that the new membership replaces. */
  readonly names: readonly string[];
  /** The newest item that is there. */
  readonly lastItem: number;
  /** Own messages that wait for an outbox entry that is lost. */
  readonly stranded: readonly StrandedItem[];
}

type StrandedItem = Extract<ReturnType<typeof decodeItems>[number], { kind: "message" }>;

/** Newest items among which messages without an outbox entry are looked for. */
const STRANDED = 1000;

export async function readFormer(store: Store, id: string): Promise<Former> {
  const partition = partitionOf(id);
  const prefixes = [SUMMARY, PENDING, OUTBOX, FUTURE, WAIT, GROUP_RECORDS.all].map((prefix) => ({ prefix }));
  let snapshot: PartitionSnapshot;
  try {
    snapshot = await store.read(partition, prefixes);
  } catch (error) {
    if (!isCoppiceError(error, "ERR_STORE_CORRUPT")) throw error;
    await store.discard(partition);
    snapshot = await store.read(partition, prefixes);
  }
  const { version, records, damaged } = snapshot;
  // Whoever writes meanwhile makes what is read here useless, and the new membership's write is refused.
  const lastItem = await newestItem(store, partition, Number.MAX_SAFE_INTEGER);
  const newest = await store.read(partition, [itemsBetween(Math.max(0, lastItem - STRANDED), lastItem)]);
  const summary = records.get(SUMMARY);
  const outbox = new Map<number, OutboxEntry>();
  for (const [name, bytes] of records) {
    if (name.startsWith(OUTBOX)) outbox.set(fromOrdinal(name), outboxRecord.decode(bytes));
  }
  const waiting = new Set([...outbox.values()].map(({ item }) => item));
  const items = decodeItems(newest.records);
  return {
    version,
    summary: summary && summaryRecord.decode(summary),
    outbox,
    names: [...records.keys(), ...damaged],
    lastItem,
    stranded: items.filter(
      (item): item is StrandedItem => item.kind === "message" && item.state === "sending" && !waiting.has(item.seq),
    ),
  };
}

/** A membership that begins. */
export interface Membership {
  readonly state: GroupState;
  readonly title: string;
  /** See `title.ts`. */
  readonly titleKey: Bytes | undefined;
  /** Undefined while the Delivery Service does not know the group. */
  readonly position: LogPosition | undefined;
  /** What the history says of it. */
  readonly items: readonly NewItem[];
  /** Undefined keeps what is known. */
  readonly invitedBy?: string | undefined;
  readonly welcome?: Bytes | undefined;
  /** See `Summary.recovery`. */
  readonly recovery: number;
}

/** Everything that is stored of a group that is entered. */
export function membershipWrite(id: string, membership: Membership, former: Former | undefined): PartitionWrite {
  const { state, position, recovery } = membership;
  const { summary } = former ?? {};
  const put = new Map<string, Uint8Array>(diffGroupRecords(undefined, state).put);
  let lastItem = Math.max(summary?.lastItem ?? 0, former?.lastItem ?? 0);
  // Of a damaged summary, what was handed over is not known: it is not handed over twice.
  const handedOver = summary?.handedOver ?? lastItem;
  for (const item of membership.items) {
    const seq = ++lastItem;
    put.set(itemName(seq), itemRecord.encode({ ...item, seq }));
  }
  for (const item of former?.stranded ?? []) {
    put.set(itemName(item.seq), itemRecord.encode({ ...item, state: "failed", problem: "ERR_STORE_CORRUPT" }));
  }
  // What waits is sealed again, as it may have been sent before.
  let queued = 0;
  for (const [number, { item }] of former?.outbox ?? []) {
    if (item === 0) continue;
    put.set(OUTBOX + ordinal(number), outboxRecord.encode({ item, sealed: undefined, resent: true }));
    queued++;
  }
  const { epoch } = state.context;
  const entered: Summary = {
    title: membership.title,
    titleKey: membership.titleKey,
    status: "active",
    problem: undefined,
    epoch,
    memberCount: rosterOf(state).size,
    invitedBy: "invitedBy" in membership ? membership.invitedBy : summary?.invitedBy,
    position,
    own: [],
    lastItem,
    handedOver,
    nextOutbox: Math.max(summary?.nextOutbox ?? 0, ...[...(former?.outbox.keys() ?? [])].map((number) => number + 1)),
    queued,
    pending: undefined,
    committed: summary?.committed ?? [],
    leaving: false,
    proposed: false,
    joinedEpoch: epoch,
    welcome: "welcome" in membership ? membership.welcome : summary?.welcome,
    ended: [],
    resent: [],
    used: { epoch, handshake: 0, application: 0 },
    recovery,
  };
  put.set(SUMMARY, summaryRecord.encode(entered));
  return {
    partition: partitionOf(id),
    expectedVersion: former?.version ?? 0,
    put,
    delete: (former?.names ?? []).filter((name) => !put.has(name)),
  };
}
