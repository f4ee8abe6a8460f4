/**
 * What an application sees: plain data and promises. The engine implements these interfaces directly
 * (Node, service worker); `@coppice/worker` implements them over a worker boundary.
 */

export interface CallOptions {
  /** Stops waiting and, where nothing irrevocable has happened, the work. */
  readonly signal?: AbortSignal;
}

/** A member as the group state shows it. */
export interface Member {
  /** Identity of the member's basic credential. */
  readonly name: string;
  /** Index of the member's leaf: valid in this epoch only. */
  readonly leafIndex: number;
  readonly isSelf: boolean;
}

/** `active`: usable. `removed`: this client was removed. `closed`: ended by reinitialisation. `broken`: state diverged; see `problem`. */
export type ConversationStatus = "active" | "removed" | "closed" | "broken";

/** An immutable picture of a conversation; a new object whenever anything in it changed, the same one otherwise. */
export interface ConversationSnapshot {
  /** Group id, lower-case hex. */
  readonly id: string;
  /** Name from the group's context; empty if it has none. */
  readonly title: string;
  readonly status: ConversationStatus;
  /** Why the conversation is `broken`: an error code. */
  readonly problem: string | undefined;
  readonly epoch: bigint;
  readonly members: readonly Member[];
  /** Who added this client; undefined for the creator. */
  readonly invitedBy: string | undefined;
  /** 60 digits in 12 groups of 5: the same for all members exactly if they share group, epoch and members' keys. */
  readonly safetyNumber: string;
  /** Commit in flight. */
  readonly pending:
    { readonly operation: "add" | "remove" | "update" | "rename" | "leave"; readonly attempt: number } | undefined;
  /** Sequence number of the newest item of the history; 0 if there is none. */
  readonly lastItem: number;
}

/** `sending`: stored, on its way. `sent`: the Delivery Service has it. `failed`: given up; `resend` or `discard` it. */
export type DeliveryState = "sending" | "sent" | "failed";

/** An entry of the conversation's history, stored encrypted on this device. `seq` starts at 1, grows, has no duplicates. */
export type HistoryItem =
  | {
      readonly seq: number;
      readonly kind: "message";
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
      readonly removed: readonly string[];
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
    };

/** Events of a conversation. */
export interface ConversationEvents {
  /** Once for every other member's message, in order, also for those that arrived while the application was away. */
  message: Extract<HistoryItem, { kind: "message" }>;
  /** A history item was added or changed. */
  item: HistoryItem;
  /** A history item was discarded. */
  discarded: { readonly seq: number };
  change: ConversationSnapshot;
}

/** Events of a client. */
export interface ClientEvents {
  /** A conversation appeared: created here, in another tab, or joined by invitation. */
  conversation: { readonly id: string; readonly invitedBy: string | undefined };
  connection: { readonly online: boolean };
  /** Work in the background failed in a way that a person should know. */
  problem: { readonly code: string; readonly message: string; readonly conversation: string | undefined };
}

export type Unsubscribe = () => void;

export interface Conversation {
  readonly id: string;
  /** The newest snapshot; stable identity between changes. */
  readonly snapshot: ConversationSnapshot;
  on<K extends keyof ConversationEvents>(event: K, listener: (value: ConversationEvents[K]) => void): Unsubscribe;
  /** Items of the history, oldest first: the newest `limit` (default 100) before `before`. */
  history(
    query?: { readonly before?: number; readonly limit?: number },
    options?: CallOptions,
  ): Promise<readonly HistoryItem[]>;
  /** Adds users by name and resolves when the commit has been accepted. */
  add(names: readonly string[], options?: CallOptions): Promise<void>;
  remove(names: readonly string[], options?: CallOptions): Promise<void>;
  /** Asks the others to remove this client; the conversation then becomes `removed`. */
  leave(options?: CallOptions): Promise<void>;
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
  /** MLS-Exporter (RFC 9420 §8.5) of the current epoch. */
  exportSecret(label: string, context: Uint8Array, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Deletes the conversation and all its keys from this device. Leave it first. */
  forget(options?: CallOptions): Promise<void>;
}

export interface Client {
  /** The name this client signed in with. */
  readonly name: string;
  readonly online: boolean;
  /** Stable identity between changes. */
  readonly conversations: readonly Conversation[];
  conversation(id: string): Conversation | undefined;
  on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => void): Unsubscribe;
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
  | "ERR_CLIENT_ALREADY_MEMBER" // `detail.name` is a member
  | "ERR_CLIENT_NOT_A_MEMBER" // `detail.name` is not a member
  | "ERR_CLIENT_NAME_INVALID" // not a usable name
  | "ERR_CLIENT_EMPTY_MESSAGE"
  | "ERR_CLIENT_MESSAGE_TOO_LARGE"
  | "ERR_CLIENT_TITLE_TOO_LONG" // over 128 bytes of UTF-8
  | "ERR_CLIENT_UNKNOWN_ITEM" // no such item, or not in a state for this
  | "ERR_CLIENT_CONFLICT" // other members' commits won every attempt
  | "ERR_CLIENT_WRONG_ACCOUNT" // this store belongs to another name
  | "ERR_CLIENT_LISTENER" // a listener of the application threw; only in `problem` events
  | "ERR_CLIENT_INTERNAL"; // the engine failed in a way it does not know; only in `problem` events
