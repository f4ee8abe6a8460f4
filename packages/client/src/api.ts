/**
 * What an application sees: plain data and promises. The engine implements these interfaces directly
 * (Node, service worker); `@coppice/worker` implements them over a worker boundary.
 */
import type { ErrorDetail } from "@coppice/kit";

export interface CallOptions {
  /** Stops waiting and, where nothing irrevocable has happened, the work. */
  readonly signal?: AbortSignal;
}

/** A person in a conversation, with the devices that are leaves of the group. */
export interface Member {
  readonly user: string;
  readonly isSelf: boolean;
  readonly devices: readonly {
    /** 32 hex digits. */
    readonly device: string;
    /** Index of the device's leaf: valid in this epoch only. */
    readonly leafIndex: number;
  }[];
}

/** Where a page of members ends; hand it in to get the next one. */
export interface MembersPage {
  readonly members: readonly Member[];
  /** Undefined after the last page. */
  readonly next: string | undefined;
}

/**
 * `active`: usable. `removed`: this device was removed. `closed`: ended by a ReInit. `broken`: the state cannot follow the
 * group; see `problem`. `damaged`: stored records were changed by someone else. `recovering`: joining again under new keys;
 * messages queue meanwhile. From `broken` and `damaged`, `rejoin` or `forget` lead on.
 */
export type ConversationStatus = "active" | "removed" | "closed" | "broken" | "damaged" | "recovering";

/** An immutable picture of a conversation; a new object whenever anything in it changed, the same one otherwise. */
export interface ConversationSnapshot {
  /** Group id, lower-case hex. */
  readonly id: string;
  /** Name from the group's context; empty if it has none. */
  readonly title: string;
  readonly status: ConversationStatus;
  /** Why the conversation is `broken`, `damaged` or `recovering`: an error code. */
  readonly problem: string | undefined;
  readonly epoch: bigint;
  /** People; see `members`. */
  readonly memberCount: number;
  /** Who added this device; undefined for the creator. */
  readonly invitedBy: string | undefined;
  /** Commit in flight. */
  readonly pending:
    { readonly operation: "add" | "remove" | "update" | "rename" | "leave"; readonly attempt: number } | undefined;
  /** Sequence number of the newest item of the history; 0 if there is none. */
  readonly lastItem: number;
}

/**
 * `sending`: stored, on its way. `sent`: the Delivery Service has it, and every member of its epoch can open it. `failed`:
 * given up; `resend` or `discard` it.
 */
export type DeliveryState = "sending" | "sent" | "failed";

/** An entry of the conversation's history, stored encrypted on this device. `seq` starts at 1, grows, has no duplicates. */
export type HistoryItem =
  | {
      readonly seq: number;
      readonly kind: "message";
      /** The sender's random id of the message, 32 hex digits: the same on every device, and when it is sealed again. */
      readonly id: string;
      /** The sender's name. */
      readonly sender: string;
      readonly isSelf: boolean;
      readonly data: Uint8Array<ArrayBuffer>;
      /** Milliseconds since 1970: own clock for own messages, the Delivery Service's for others. Not authenticated. */
      readonly at: number;
      readonly epoch: bigint;
      readonly state: DeliveryState;
      /** Code of the error, for `failed`. */
      readonly problem: string | undefined;
    }
  | {
      readonly seq: number;
      readonly kind: "change";
      readonly at: number;
      readonly epoch: bigint;
      /** Who committed the change. */
      readonly actor: string;
      readonly added: readonly string[];
      /** Removed by the actor. */
      readonly removed: readonly string[];
      /** Asked to leave; the actor only committed it. */
      readonly left: readonly string[];
      readonly renamedTo: string | undefined;
      readonly joined: boolean;
    }
  | {
      /** A message that could not be opened; it does not block the ones after it. */
      readonly seq: number;
      readonly kind: "undecryptable";
      readonly at: number;
      readonly epoch: bigint;
      readonly problem: string;
    }
  | {
      /** This device could not follow the group and joined again: what others sent in between is missing here. */
      readonly seq: number;
      readonly kind: "gap";
      readonly at: number;
      /** The epoch it came back in. */
      readonly epoch: bigint;
      /** Why: an error code. */
      readonly problem: string;
    };

/** Events of a conversation. */
export interface ConversationEvents {
  /**
   * Every other member's message, in order, also those that arrived while the application was away. A message is acknowledged once
   * the promises that listeners returned for it have settled, or those listeners were removed; then the next one is told. What was not
   * acknowledged when the application ended is told again, with the same `seq` and `id`. See `acknowledge`.
   */
  message: Extract<HistoryItem, { kind: "message" }>;
  /** A history item was added or changed. */
  item: HistoryItem;
  /** A history item was discarded. */
  discarded: { readonly seq: number };
  change: ConversationSnapshot;
}

/** Something that a person should know, and what can be done. */
export interface Problem {
  readonly code: string;
  /** In words: what happened and what to do. */
  readonly message: string;
  /** The conversation it is about, if it is about one. */
  readonly conversation: string | undefined;
  readonly detail: ErrorDetail;
}

/** Events of a client. */
export interface ClientEvents {
  /** A conversation appeared: created here, in another tab, or joined by invitation. */
  conversation: { readonly id: string; readonly invitedBy: string | undefined };
  /** A message of any conversation, as the conversation's own `message` event tells it. */
  message: { readonly conversation: string; readonly message: ConversationEvents["message"] };
  connection: { readonly online: boolean; readonly transport: "websocket" | "polling" | undefined };
  /** Work in the background failed in a way that a person should know. */
  problem: Problem;
}

export type Unsubscribe = () => void;

/** Which items of a history to delete: those for which all holds that is said. */
export interface PruneQuery {
  /** Older than this, in milliseconds since 1970, by `at`. */
  readonly olderThan?: number;
  /** Not among the newest so many. */
  readonly keep?: number;
}

export interface ListenOptions {
  /** Messages that are told before the first of them is acknowledged, 1 (the default) to 64. Of several listeners, the fewest count. */
  readonly ahead?: number;
}

export interface Conversation {
  readonly id: string;
  /** The newest snapshot; stable identity between changes. */
  readonly snapshot: ConversationSnapshot;
  /** `TypeError` for an event that does not exist; `RangeError` for a number of messages that is not allowed. */
  on<K extends keyof ConversationEvents>(
    event: K,
    listener: (value: ConversationEvents[K]) => unknown,
    options?: ListenOptions,
  ): Unsubscribe;
  /**
   * The application has all messages up to the item `seq`: they are not told any more. Resolves when that is stored. An application
   * that keeps `seq` in the same write as what it made of the message, and begins with `acknowledge(seq)` before it listens, makes
   * everything of every message once, wherever it is killed. `ERR_CLIENT_UNKNOWN_ITEM` beyond the newest item.
   */
  acknowledge(seq: number, options?: CallOptions): Promise<void>;
  /** People in the order of their first leaf, `limit` (default 100, at most 1,000) of them. */
  members(query?: { readonly after?: string; readonly limit?: number }, options?: CallOptions): Promise<MembersPage>;
  /**
   * 60 digits in 12 groups of 5, the same for all members exactly if they know the members by the same device logs. It stays
   * the same when epochs, keys and devices change.
   */
  safetyNumber(options?: CallOptions): Promise<string>;
  /** Items of the history, oldest first: the newest `limit` (default 100) before `before`. */
  history(
    query?: { readonly before?: number; readonly limit?: number },
    options?: CallOptions,
  ): Promise<readonly HistoryItem[]>;
  /**
   * Adds users, each with all their devices; one name or several. Resolves when the commit has been accepted; waits for the
   * network as `send` does. `ERR_CLIENT_ALREADY_MEMBER`, `ERR_DS_UNKNOWN_USER`, `ERR_DS_NO_KEY_PACKAGE` (`detail.user`).
   */
  add(users: string | readonly string[], options?: CallOptions): Promise<void>;
  /** Removes users with all their devices. */
  remove(users: string | readonly string[], options?: CallOptions): Promise<void>;
  /** Asks the others to remove this client; the conversation then becomes `removed`. */
  leave(options?: CallOptions): Promise<void>;
  /**
   * Changes the title: at most 128 bytes of UTF-8 (`ERR_CLIENT_TITLE_TOO_LONG`), kept in Unicode NFC; an empty one takes it away.
   * `TypeError` for half a surrogate pair, and for U+0000 at its end.
   */
  rename(title: string, options?: CallOptions): Promise<void>;
  /** Refreshes this client's keys (a Commit with a path). */
  update(options?: CallOptions): Promise<void>;
  /**
   * Stores and sends a message of 1 byte to 64 KiB; a string is sent as UTF-8. Resolves with the history item once it is
   * stored durably (state `sending`); watch `item` for `sent` or `failed`.
   */
  send(data: Uint8Array | string, options?: CallOptions): Promise<HistoryItem>;
  resend(seq: number, options?: CallOptions): Promise<void>;
  discard(seq: number, options?: CallOptions): Promise<void>;
  /**
   * Deletes old items of the history from this device and resolves with how many; each is told as `discarded`. Messages that were not
   * acknowledged, are on their way or have failed stay, and so does what says nothing of its age or place: one of `olderThan` and `keep`
   * is needed (`RangeError`). An item counts as deleted at once; browsers overwrite it on disk when they compact their files.
   */
  prune(query: PruneQuery, options?: CallOptions): Promise<number>;
  /** MLS-Exporter (RFC 9420 §8.5) of the current epoch. */
  exportSecret(label: string, context: Uint8Array, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The epoch authenticator (RFC 9420 §8.7) of the current epoch, `Nh` bytes: equal at all members exactly if they agree on the group's
   * whole history. It is another one in each epoch; compare it over a way that the server does not control.
   */
  epochAuthenticator(options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Joins again by an external Commit, from the GroupInfo that the Delivery Service keeps, under new keys. The history
   * stays, a `gap` item says what is missing, and messages that were not sent yet are sent again. For conversations that
   * are `broken` or `damaged`.
   */
  rejoin(options?: CallOptions): Promise<void>;
  /** Deletes the conversation and all its keys from this device. Leave it first. */
  forget(options?: CallOptions): Promise<void>;
}

export interface Client {
  /** The user's name, in its normal form. */
  readonly name: string;
  /** This device, 32 hex digits. */
  readonly device: string;
  readonly online: boolean;
  /** Stable identity between changes. */
  readonly conversations: readonly Conversation[];
  conversation(id: string): Conversation | undefined;
  /** `TypeError` for an event that does not exist. */
  on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => unknown): Unsubscribe;
  createGroup(options?: { readonly title?: string } & CallOptions): Promise<Conversation>;
  /** Fetches everything that waits and sends everything that is queued. */
  sync(options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}

/** Codes of the client engine. Calls also reject with the codes of core, store and delivery. */
export type ClientErrorCode =
  | "ERR_CLIENT_CLOSED" // this client was closed
  | "ERR_CLIENT_UNKNOWN_CONVERSATION" // no such conversation on this device
  | "ERR_CLIENT_NOT_ACTIVE" // removed from, or closed, this conversation
  | "ERR_CLIENT_ALREADY_MEMBER" // `detail.user` is a member
  | "ERR_CLIENT_NOT_A_MEMBER" // `detail.user` is not a member
  | "ERR_CLIENT_NAME_INVALID" // not a usable name; `detail.reason`
  | "ERR_CLIENT_EMPTY_MESSAGE"
  | "ERR_CLIENT_MESSAGE_TOO_LARGE"
  | "ERR_CLIENT_TITLE_TOO_LONG" // over 128 bytes of UTF-8
  | "ERR_CLIENT_TITLE_KEY" // this device lost the key of the title: another member can rename the group
  | "ERR_CLIENT_UNKNOWN_ITEM" // no such item, or not in a state for this
  | "ERR_CLIENT_CONFLICT" // other members' commits won every attempt
  | "ERR_CLIENT_QUEUE_FULL" // too many calls wait at once; `detail.limit`
  | "ERR_CLIENT_WRONG_ACCOUNT" // this store belongs to another name
  | "ERR_CLIENT_NO_ACCOUNT" // the store has no account that could be backed up
  | "ERR_CLIENT_NO_BACKUP" // a file that is no backup of an account
  | "ERR_CLIENT_ROLLED_BACK" // the stored state is older than what this device did; it joins again under new keys
  | "ERR_CLIENT_DEVICE_LOG" // a user's device log was forged, forked or rolled back; `detail.user`, `detail.rule`
  | "ERR_CLIENT_CLOCK" // the device's clock jumped; only in `problem` events
  | "ERR_CLIENT_WAITING" // another context held a lock for too long and was passed by; only in `problem` events
  | "ERR_CLIENT_LOG_CHANGED" // a group's log was restored or rolled back by the server; only in `problem` events
  | "ERR_CLIENT_LISTENER" // a listener of the application threw; only in `problem` events
  | "ERR_CLIENT_INTERNAL"; // the engine failed in a way it does not know; only in `problem` events
