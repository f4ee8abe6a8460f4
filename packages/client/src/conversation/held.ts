/** A conversation as its partition held it at one version. Immutable. */
import { restoreGroup, toHex, type Bytes, type GroupState } from "@coppice/core";
import type { LogEntry } from "@coppice/delivery";
import type { RecordRange, Store } from "@coppice/storage";
import type { ConversationStatus } from "../api.ts";
import {
  CONVERSATION,
  ECHO,
  FUTURE,
  futureRecord,
  GROUP,
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
import { fromOrdinal } from "../records/primitives.ts";

export interface Held {
  readonly version: number;
  readonly state: GroupState;
  readonly meta: Meta;
  readonly pending: PendingRecord | undefined;
  /** By number, in the order of sending. */
  readonly outbox: ReadonlyMap<number, OutboxEntry>;
  /** Hex of hashes of own messages. */
  readonly echoes: ReadonlySet<string>;
  /** By `seq`. */
  readonly future: ReadonlyMap<number, LogEntry>;
}

export const partitionOf = (id: string): string => CONVERSATION + id;

/** The hash that own messages are recognised by. */
export const echoOf = (state: GroupState, message: Bytes): string => toHex(state.suite.hash.digest(message));

/** Everything but the history. */
const RANGES: readonly RecordRange[] = [META, PENDING, OUTBOX, ECHO, FUTURE, GROUP].map((prefix) => ({ prefix }));

/** Reads a conversation, unless `known` is still what the store has. Undefined if there is none. */
export async function readHeld(store: Store, id: string, known: Held | undefined): Promise<Held | undefined> {
  const partition = partitionOf(id);
  if (known !== undefined) {
    const { version } = await store.read(partition, []);
    if (version === known.version) return known;
  }
  const { version, records } = await store.read(partition, RANGES);
  const meta = records.get(META);
  if (meta === undefined) return undefined;
  const group = new Map<string, Uint8Array>();
  const outbox = new Map<number, OutboxEntry>();
  const echoes = new Set<string>();
  const future = new Map<number, LogEntry>();
  for (const [name, bytes] of records) {
    if (name.startsWith(GROUP)) group.set(name, bytes);
    else if (name.startsWith(OUTBOX)) outbox.set(fromOrdinal(name), outboxRecord.decode(bytes));
    else if (name.startsWith(ECHO)) echoes.add(name.slice(ECHO.length));
    else if (name.startsWith(FUTURE)) future.set(fromOrdinal(name), futureRecord.decode(bytes));
  }
  const pending = records.get(PENDING);
  return {
    version,
    state: await restoreGroup(group),
    meta: metaRecord.decode(meta),
    pending: pending === undefined ? undefined : pendingRecord.decode(pending),
    outbox,
    echoes,
    future,
  };
}

export function statusOf({ state, meta }: Pick<Held, "state" | "meta">): ConversationStatus {
  if (meta.problem !== undefined) return "broken";
  if (state.status === "reinitialised") return "closed";
  return state.status;
}
