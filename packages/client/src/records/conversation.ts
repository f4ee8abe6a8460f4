/**
 * Records of a conversation's partition, besides core's `group/...`. Names are structural: they hold nothing that the server
 * or another member knows.
 *
 * | record | contents |
 * |---|---|
 * | `summary` | all that a list of conversations shows, and where this client stands in the log |
 * | `pending` | a Commit whose outcome is not known yet |
 * | `outbox/N` | a message or proposal on its way |
 * | `future/SEQ` | a log entry of an epoch that is still to come |
 * | `wait` | where the log could not be read on, for a device log that the directory withheld, and for how long |
 * | `item/SEQ` | an item of the history |
 */
import { codec, type Bytes, type Codec, type UsedKeys } from "@coppice/core";
import type { LogEntry, LogPosition } from "@coppice/delivery";
import type { ConversationStatus, HistoryItem } from "../api.ts";
import type { LogWait } from "../patience.ts";
import { boolean, id128, integer, record, text, texts, type RecordCodec } from "./primitives.ts";

/** Partitions of conversations: this, then the hex of the group's id. */
export const CONVERSATION = "conversation/";

export const SUMMARY = "summary";
export const PENDING = "pending";
export const OUTBOX = "outbox/";
export const FUTURE = "future/";
export const WAIT = "wait";
export const ITEM = "item/";

/** What a commit in flight does, for the application. */
export type Operation = "add" | "remove" | "update" | "rename";

/** Consecutive sequence numbers, both included. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

/** When a past epoch ended, by the Delivery Service's clock. */
export interface EpochEnd {
  readonly epoch: bigint;
  /** Milliseconds since 1970; undefined until an entry after the Commit is seen, for a Commit whose own time is not known. */
  readonly at: number | undefined;
}

/** Items of the history, among which are messages that arrived sealed again in this epoch. */
export interface ResentItems extends SeqRange {
  readonly epoch: bigint;
}

export interface Summary {
  readonly title: string;
  /** Opens and seals the title of the group context; undefined if nobody told it. See `conversation/title.ts`. */
  readonly titleKey: Bytes | undefined;
  readonly status: ConversationStatus;
  /** Why it is `broken`, `damaged` or `recovering`. */
  readonly problem: string | undefined;
  readonly epoch: bigint;
  /** People. */
  readonly memberCount: number;
  readonly invitedBy: string | undefined;
  /** The group's log was processed up to here; undefined while the Delivery Service does not know the group. */
  readonly position: LogPosition | undefined;
  /** Own entries after the position, in order and apart from each other: known from the answer, to be passed over. */
  readonly own: readonly SeqRange[];
  /** The newest item of the history. */
  readonly lastItem: number;
  /** Items up to this one were handed to the application as `message` events. */
  readonly handedOver: number;
  /** Number of the next outbox entry. */
  readonly nextOutbox: number;
  /** Entries of the outbox. */
  readonly queued: number;
  readonly pending: { readonly operation: Operation; readonly attempt: number } | undefined;
  /** Digests of the last own Commits that took effect, oldest first; see `conversation/own-commits.ts`. */
  readonly committed: readonly Bytes[];
  /** Whether this client has asked to be removed. */
  readonly leaving: boolean;
  /** Whether proposals of others wait for a Commit. */
  readonly proposed: boolean;
  /** Messages of earlier epochs were not for this client. */
  readonly joinedEpoch: bigint;
  /** Hash of the last Welcome that this client joined by. */
  readonly welcome: Bytes | undefined;
  /** Past epochs that can still be opened, oldest first. */
  readonly ended: readonly EpochEnd[];
  /** Where messages are that arrived sealed again, by epochs that can be opened: their first sealing may still come. */
  readonly resent: readonly ResentItems[];
  /** Keys of the own ratchets that were used: a group that has used fewer was set back. */
  readonly used: UsedKeys;
  /** The account was found rolled back so many times when this conversation was last joined; see `account/recovery.ts`. */
  readonly recovery: number;
}

export const logPosition: Codec<LogPosition> = codec.struct<LogPosition>({ incarnation: id128, seq: integer });

const operation: Codec<Operation> = codec.closedEnum(codec.uint8, { add: 1, remove: 2, rename: 3, update: 4 });

export const summaryRecord: RecordCodec<Summary> = record(
  codec.struct<Summary>({
    title: text,
    titleKey: codec.optional(codec.opaque),
    status: codec.closedEnum(codec.uint8, { active: 1, removed: 2, closed: 3, broken: 4, damaged: 5, recovering: 6 }),
    problem: codec.optional(text),
    epoch: codec.uint64,
    memberCount: integer,
    invitedBy: codec.optional(text),
    position: codec.optional(logPosition),
    own: codec.vector(codec.struct<SeqRange>({ from: integer, to: integer })),
    lastItem: integer,
    handedOver: integer,
    nextOutbox: integer,
    queued: integer,
    pending: codec.optional(codec.struct<NonNullable<Summary["pending"]>>({ operation, attempt: integer })),
    committed: codec.vector(codec.fixed(16)),
    leaving: boolean,
    proposed: boolean,
    joinedEpoch: codec.uint64,
    welcome: codec.optional(codec.opaque),
    ended: codec.vector(codec.struct<EpochEnd>({ epoch: codec.uint64, at: codec.optional(integer) })),
    resent: codec.vector(codec.struct<ResentItems>({ epoch: codec.uint64, from: integer, to: integer })),
    used: codec.struct<UsedKeys>({ epoch: codec.uint64, handshake: integer, application: integer }),
    recovery: integer,
  }),
);

/** What the application asked for; a commit is made of it again when another one wins. */
export type Intent =
  | { readonly operation: "add"; readonly users: readonly string[] }
  | { readonly operation: "remove"; readonly users: readonly string[] }
  | { readonly operation: "rename"; readonly title: string }
  | { readonly operation: "update" };

const intent: Codec<Intent> = codec.select<"operation", Intent["operation"], Intent>("operation", operation, {
  add: codec.struct({ users: texts }),
  remove: codec.struct({ users: texts }),
  rename: codec.struct({ title: text }),
  update: codec.nothing,
});

export interface PendingRecord {
  readonly intent: Intent;
  readonly attempt: number;
  /** As submitted; it is resubmitted byte for byte. */
  readonly commit: Bytes;
  /** From `encodeStagedCommit`, without the commit: secret. */
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
  /** Whether it was sealed before, under keys that others may have deleted: receivers look for a repetition. */
  readonly resent: boolean;
}

const sealed: Codec<Sealed> = codec.struct<Sealed>({ epoch: codec.uint64, message: codec.opaque });

export const outboxRecord: RecordCodec<OutboxEntry> = record(
  codec.struct<OutboxEntry>({ item: integer, sealed: codec.optional(sealed), resent: boolean }),
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

export const waitRecord: RecordCodec<LogWait> = record(
  codec.struct<LogWait>({ seq: integer, spent: integer, at: integer }),
);

export type MessageItem = Extract<HistoryItem, { kind: "message" }>;

type Fields<K extends HistoryItem["kind"]> = Omit<Extract<HistoryItem, { kind: K }>, "kind">;

const common = { seq: integer, at: integer, epoch: codec.uint64 } as const;

const item: Codec<HistoryItem> = codec.select<"kind", HistoryItem["kind"], HistoryItem>(
  "kind",
  codec.closedEnum(codec.uint8, { message: 1, change: 2, undecryptable: 3, gap: 4 }),
  {
    message: codec.struct<Fields<"message">>({
      ...common,
      id: id128,
      sender: text,
      isSelf: boolean,
      data: codec.opaque,
      state: codec.closedEnum(codec.uint8, { sending: 1, sent: 2, failed: 3 }),
      problem: codec.optional(text),
    }),
    change: codec.struct<Fields<"change">>({
      ...common,
      actor: text,
      added: texts,
      removed: texts,
      left: texts,
      renamedTo: codec.optional(text),
      joined: boolean,
    }),
    undecryptable: codec.struct<Fields<"undecryptable">>({ ...common, problem: text }),
    gap: codec.struct<Fields<"gap">>({ ...common, problem: text }),
  },
);

export const itemRecord: RecordCodec<HistoryItem> = record(item);
