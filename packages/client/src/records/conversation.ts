/**
 * Records of a conversation's partition, besides core's `group/...`.
 *
 * | record | contents |
 * |---|---|
 * | `meta` | cursor, counters, status |
 * | `pending` | a commit whose outcome is not known yet |
 * | `outbox/N` | a message that the Delivery Service has not confirmed |
 * | `echo/HASH` | an own message, by its hash, that was confirmed but not yet seen in the log |
 * | `future/SEQ` | a log entry of an epoch that is still to come |
 * | `item/SEQ` | an item of the history |
 */
import { codec, type Bytes, type Codec } from "@coppice/core";
import type { LogEntry } from "@coppice/delivery";
import type { HistoryItem } from "../api.ts";
import { boolean, integer, record, text, texts, type RecordCodec } from "./primitives.ts";

/** Partitions of conversations: this, then the hex of the group's id. */
export const CONVERSATION = "conversation/";

export const META = "meta";
export const PENDING = "pending";
export const OUTBOX = "outbox/";
export const ECHO = "echo/";
export const FUTURE = "future/";
export const ITEM = "item/";
export const GROUP = "group/";

export interface Meta {
  /** The group's log was processed up to this entry. */
  readonly cursor: number;
  /** The newest item of the history. */
  readonly lastItem: number;
  /** Items up to this one were handed to the application as `message` events. */
  readonly handedOver: number;
  /** Number of the next outbox entry. */
  readonly nextOutbox: number;
  /** Whether the Delivery Service knows the group. */
  readonly registered: boolean;
  /** Messages of earlier epochs were not for this client. */
  readonly joinedEpoch: bigint;
  readonly invitedBy: string | undefined;
  /** Hash of the Welcome that this client joined by. */
  readonly welcome: Bytes | undefined;
  /** Whether this client has asked to be removed. */
  readonly leaving: boolean;
  /** Why the state can no longer follow the group. */
  readonly problem: string | undefined;
}

export const metaRecord: RecordCodec<Meta> = record(
  codec.struct<Meta>({
    cursor: integer,
    lastItem: integer,
    handedOver: integer,
    nextOutbox: integer,
    registered: boolean,
    joinedEpoch: codec.uint64,
    invitedBy: codec.optional(text),
    welcome: codec.optional(codec.opaque),
    leaving: boolean,
    problem: codec.optional(text),
  }),
);

/** What the application asked for; a commit is made of it again when another one wins. */
export type Intent =
  | { readonly operation: "add"; readonly names: readonly string[] }
  | { readonly operation: "remove"; readonly names: readonly string[] }
  | { readonly operation: "rename"; readonly title: string }
  | { readonly operation: "update" };

const intent: Codec<Intent> = codec.select<"operation", Intent["operation"], Intent>(
  "operation",
  codec.closedEnum(codec.uint8, { add: 1, remove: 2, rename: 3, update: 4 }),
  {
    add: codec.struct({ names: texts }),
    remove: codec.struct({ names: texts }),
    rename: codec.struct({ title: text }),
    update: codec.nothing,
  },
);

export interface PendingRecord {
  readonly intent: Intent;
  readonly attempt: number;
  /** As submitted; it is resubmitted byte for byte. */
  readonly commit: Bytes;
  /** From `encodeStagedCommit`: secret. */
  readonly staged: Bytes;
}

export const pendingRecord: RecordCodec<PendingRecord> = record(
  codec.struct<PendingRecord>({ intent, attempt: integer, commit: codec.opaque, staged: codec.opaque }),
);

/** Ciphertext with the epoch it belongs to. */
export interface Sealed {
  readonly epoch: bigint;
  /** An encoded `MLSMessage`. */
  readonly message: Bytes;
}

export interface OutboxEntry {
  /** The history item; 0 for a proposal. */
  readonly item: number;
  /** Undefined until the message can be encrypted; its plaintext is in the history item. */
  readonly sealed: Sealed | undefined;
  /** Whether it was given up, until the application decides. */
  readonly failed: boolean;
}

const sealed: Codec<Sealed> = codec.struct({ epoch: codec.uint64, message: codec.opaque });

export const outboxRecord: RecordCodec<OutboxEntry> = record(
  codec.struct<OutboxEntry>({ item: integer, sealed: codec.optional(sealed), failed: boolean }),
);

export const futureRecord: RecordCodec<LogEntry> = record(
  codec.struct<LogEntry>({
    seq: integer,
    kind: codec.closedEnum(codec.uint8, { commit: 1, message: 2 }),
    epoch: codec.uint64,
    message: codec.opaque,
    receivedAt: integer,
  }),
);

export type MessageItem = Extract<HistoryItem, { kind: "message" }>;

const common = { seq: integer, at: integer, epoch: codec.uint64 } as const;

const item: Codec<HistoryItem> = codec.select<"kind", HistoryItem["kind"], HistoryItem>(
  "kind",
  codec.closedEnum(codec.uint8, { message: 1, change: 2, undecryptable: 3 }),
  {
    message: codec.struct<Omit<MessageItem, "kind">>({
      ...common,
      sender: text,
      isSelf: boolean,
      data: codec.opaque,
      state: codec.closedEnum(codec.uint8, { sending: 1, sent: 2, failed: 3 }),
      problem: codec.optional(text),
    }),
    change: codec.struct<Omit<Extract<HistoryItem, { kind: "change" }>, "kind">>({
      ...common,
      actor: text,
      added: texts,
      removed: texts,
      renamedTo: codec.optional(text),
      joined: boolean,
    }),
    undecryptable: codec.struct<Omit<Extract<HistoryItem, { kind: "undecryptable" }>, "kind">>({
      ...common,
      problem: text,
    }),
  },
);

export const itemRecord: RecordCodec<HistoryItem> = record(item);
