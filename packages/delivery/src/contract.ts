/** The Delivery Service contract, version 2 (RFC 9750 §5): everything the engine asks of a server. */
import type { DeviceLogEntry } from "./device-log/entry.ts";

export interface DeliveryCallOptions {
  readonly signal?: AbortSignal;
}

/** One device of one user: what signs in, reads logs, has an inbox, publishes key packages and is a leaf of a group. */
export interface ClientId {
  /** Name of the user, in the profile's normal form: see `names.ts`. */
  readonly user: string;
  /** Random, chosen by the device: 32 lower-case hex digits. */
  readonly device: string;
}

/** A key package that was claimed from the directory: an encoded `MLSMessage` with a KeyPackage. */
export interface ClaimedKeyPackage {
  readonly client: ClientId;
  readonly keyPackage: Uint8Array<ArrayBuffer>;
}

/**
 * Where a client stands in a group's log. `incarnation` names the log: it changes when an operator restores the log from a
 * backup or makes it anew, so that nothing is ever posted into, or read from, another log than the one last seen.
 */
export interface LogPosition {
  /** 32 lower-case hex digits, chosen by the server when the log begins. */
  readonly incarnation: string;
  /** Entries up to this one were seen; 0 before the first. */
  readonly seq: number;
}

/**
 * An entry of a group's ordered log. `seq` starts at 1 and has no gaps within a page. Only a page may start later than
 * `after + 1`: entries before this client's admission, or between a removal and a new admission, are not for it,
 * and a server with a retention period deletes old entries.
 */
export interface LogEntry {
  readonly seq: number;
  /** `commit` entries carry the epoch they end. */
  readonly kind: "commit" | "message";
  /** The group epoch the message was sent in. */
  readonly epoch: bigint;
  /** An encoded `MLSMessage`. */
  readonly message: Uint8Array<ArrayBuffer>;
  /** The server's clock, milliseconds since 1970, not lower than that of the entry before. Not authenticated. */
  readonly receivedAt: number;
}

/** A page of a log. */
export interface LogPage {
  readonly incarnation: string;
  /** The newest entry that this client may read; more is to be read while it is greater than that of the last one here. */
  readonly lastSeq: number;
  readonly entries: readonly LogEntry[];
}

/**
 * A Welcome that waits for this client. `id` grows; acknowledge it once the join, or the Welcome itself, is stored, or its refusal is
 * final.
 */
export interface InboxEntry {
  readonly id: number;
  readonly groupId: Uint8Array<ArrayBuffer>;
  /** An encoded `MLSMessage` with a Welcome. */
  readonly welcome: Uint8Array<ArrayBuffer>;
  /** Read the group's log after this. */
  readonly position: LogPosition;
}

/** A Commit with what must become visible together with it. */
export interface CommitSubmission {
  readonly groupId: Uint8Array;
  /** Where the committer stands; see `ERR_DS_LOG_CHANGED`. */
  readonly position: LogPosition;
  /** The epoch this commit ends. Accepted only if it is the group's current one. */
  readonly epoch: bigint;
  /** An encoded `MLSMessage`. */
  readonly commit: Uint8Array;
  /** GroupInfo of the epoch that the commit begins, an encoded `MLSMessage`: replaces the group's together with the epoch. */
  readonly groupInfo: Uint8Array;
  /**
   * Clients who may read the log from now on, each with the Welcome that lets it in. An external Commit names its own
   * sender, without a Welcome.
   */
  readonly added: readonly { readonly client: ClientId; readonly welcome: Uint8Array | undefined }[];
  /** Clients who may not read entries after this commit. They can still read the commit itself. */
  readonly removed: readonly ClientId[];
}

/** What became of a Commit. */
export type CommitOutcome =
  | { readonly accepted: true; readonly seq: number }
  | {
      /** Another Commit ended this epoch. */
      readonly accepted: false;
      /** The group's current epoch. */
      readonly epoch: bigint;
      /** The newest entry of the log. */
      readonly lastSeq: number;
      /** The entry after the submitter's position, if it is the Commit that won this epoch. */
      readonly winner: LogEntry | undefined;
    };

/** A group's newest GroupInfo, for external Commits. */
export interface StoredGroupInfo {
  /** An encoded `MLSMessage` with a GroupInfo of `epoch`. Not verified by the server. */
  readonly groupInfo: Uint8Array<ArrayBuffer>;
  readonly epoch: bigint;
  /** The position right after the Commit that brought it: where to read on after an external join. */
  readonly position: LogPosition;
}

/**
 * Which past epochs' messages the server still takes: those of the last `epochs` epochs, as long as the Commit that ended
 * them is not older than `milliseconds` by the server's clock. Every member keeps what opens these (by the log's times,
 * see `LogEntry.receivedAt`), so whoever reads the log in order can open whatever the server took.
 */
export const EPOCH_WINDOW: { readonly epochs: number; readonly milliseconds: number } = {
  epochs: 4,
  milliseconds: 3_600_000,
};

/** Within this time (server's clock) the same bytes are recognised, milliseconds: 7 days. */
export const IDEMPOTENCY_WINDOW_MS: number = 7 * 86_400_000;

/** Most messages of one `sendMessages`. */
export const MAX_MESSAGES_PER_CALL: number = 64;

/** Longest entry that an event carries, bytes; a longer one is announced and fetched. */
export const MAX_EVENT_ENTRY_BYTES: number = 64 * 1024;

/** Something new. Events may be lost or repeated; the log and the inbox are the truth. */
export type DeliveryEvent =
  /** A log grew by `entry`, or, where that is not given, at least up to `seq`: fetch it. In order within one connection. */
  | {
      readonly type: "log";
      readonly groupId: Uint8Array<ArrayBuffer>;
      readonly position: LogPosition;
      readonly entry: LogEntry | undefined;
    }
  | { readonly type: "inbox" }
  /** A device log of this user or of someone who shares a group with it may have grown. */
  | { readonly type: "devices"; readonly user: string }
  /** The connection came up (fetch everything once) or went down. `transport` says over what events come. */
  | { readonly type: "connection"; readonly online: boolean; readonly transport: "websocket" | "polling" | undefined };

/**
 * A signed-in client's view of the Delivery Service. Calls reject with a `CoppiceError` of a `DeliveryErrorCode`,
 * with the signal's reason when aborted, with `TypeError` or `RangeError` for impossible arguments.
 */
export interface DeliveryService {
  /**
   * Adds key packages (encoded `MLSMessage`s) of this client to the directory; each is handed out once, the last resort
   * repeatedly. Publishing the same bytes again changes nothing, also after they were handed out. With `replace`, the
   * single-use ones that wait and are not in this batch are deleted (packages outside their time); the last resort stays
   * until another one is given. `ERR_DS_QUOTA` over the limit.
   */
  publishKeyPackages(
    batch: {
      readonly keyPackages: readonly Uint8Array[];
      readonly lastResort?: Uint8Array;
      readonly replace?: boolean;
    },
    options?: DeliveryCallOptions,
  ): Promise<void>;

  /** How many single-use key packages of this client the directory still has. */
  countKeyPackages(options?: DeliveryCallOptions): Promise<number>;

  /**
   * Claims one key package of each device of each of these different users, in their order, all or none. A device that has
   * none is left out (a lost one must not make its user unreachable), `ERR_DS_NO_KEY_PACKAGE` is for a user without any.
   * `ERR_DS_UNKNOWN_USER`, `ERR_DS_NO_KEY_PACKAGE`, `ERR_DS_RATE_LIMITED` (each with `detail.user`).
   */
  claimKeyPackages(users: readonly string[], options?: DeliveryCallOptions): Promise<readonly ClaimedKeyPackage[]>;

  /**
   * Entries of a user's device log from `position` (the first is 0) on, at most 256. `ERR_DS_UNKNOWN_USER`. Not verified:
   * see `verifyDeviceLog`.
   */
  readDeviceLog(
    query: { readonly user: string; readonly from: number },
    options?: DeliveryCallOptions,
  ): Promise<readonly DeviceLogEntry[]>;

  /**
   * Appends an entry to this user's device log. Appending the same bytes again is no error. `ERR_DS_DEVICE_LOG` if it does
   * not extend the log by the log's rules; `detail.length` says how long the log is. A device that the log removes loses
   * its tokens, key packages and connections.
   */
  appendDeviceLog(entry: DeviceLogEntry, options?: DeliveryCallOptions): Promise<void>;

  /**
   * Registers a group at epoch 0 with this client as its only reader. Repeating it is no error and returns the same
   * incarnation; a foreign id is `ERR_DS_GROUP_EXISTS`.
   */
  createGroup(
    group: { readonly groupId: Uint8Array; readonly groupInfo: Uint8Array },
    options?: DeliveryCallOptions,
  ): Promise<{ readonly incarnation: string }>;

  /**
   * Appends a Commit if `epoch` is the group's current one; the group's epoch is then `epoch + 1`. Submitting the same
   * bytes again returns the same `seq`, also to a client that has been removed since. Not accepted, with what to follow
   * instead, if another Commit was first. `ERR_DS_UNKNOWN_USER` and `ERR_DS_QUOTA` (inbox full) name an added user in
   * `detail.user`; removing someone who is no reader is no error. A client that is no reader may submit an external Commit
   * if another device of its user is one. `ERR_DS_LOG_CHANGED` also for an epoch that is still to come: whoever saw it saw
   * another log. `ERR_DS_FORBIDDEN`.
   */
  submitCommit(submission: CommitSubmission, options?: DeliveryCallOptions): Promise<CommitOutcome>;

  /**
   * Appends proposals or application messages, all or none, with consecutive `seq`. Bytes that were sent before (within
   * `IDEMPOTENCY_WINDOW_MS`) are not appended again and keep their `seq`, also for a client that has been removed since.
   * `ERR_DS_EPOCH_TOO_OLD` if one is outside `EPOCH_WINDOW`, with `detail.epoch`, the current one: seal it again.
   * `ERR_DS_LOG_CHANGED` also for an epoch that is still to come: whoever saw it saw another log. `ERR_DS_QUOTA` where no
   * more can be kept, with `detail.reason` `group-full`, `creator-full` (the user who created the group) or `service-full`;
   * Commits, key packages and new groups are refused in the same way, Commits somewhat later. `ERR_DS_FORBIDDEN`.
   */
  sendMessages(
    batch: {
      readonly groupId: Uint8Array;
      readonly position: LogPosition;
      readonly messages: readonly { readonly epoch: bigint; readonly message: Uint8Array }[];
    },
    options?: DeliveryCallOptions,
  ): Promise<{ readonly seqs: readonly number[] }>;

  /**
   * A page of entries after a position, oldest first, at most `limit` (1 to 1024, default 256). The server may return
   * fewer, but none only if nothing is left to read. `ERR_DS_FORBIDDEN` for those who never were members,
   * `ERR_DS_LOG_CHANGED` if the log is not the one last seen.
   */
  readLog(
    query: { readonly groupId: Uint8Array; readonly after: LogPosition; readonly limit?: number },
    options?: DeliveryCallOptions,
  ): Promise<LogPage>;

  /**
   * The groups that this client reads now, by ascending bytes of their ids, at most 1024 after `after`; each with the
   * newest position of its log. One request tells a client that comes back which logs to read.
   */
  readGroups(
    query: { readonly after: Uint8Array | undefined },
    options?: DeliveryCallOptions,
  ): Promise<readonly { readonly groupId: Uint8Array<ArrayBuffer>; readonly position: LogPosition }[]>;

  /** The group's newest GroupInfo, for readers and for devices of a user who has a reader in it. `ERR_DS_FORBIDDEN`. */
  readGroupInfo(groupId: Uint8Array, options?: DeliveryCallOptions): Promise<StoredGroupInfo>;

  /** Welcomes for this client that are not acknowledged, oldest first. Acknowledge a page to see the next one. */
  readInbox(options?: DeliveryCallOptions): Promise<readonly InboxEntry[]>;

  /** Deletes inbox entries up to and including `id`. */
  acknowledgeInbox(id: number, options?: DeliveryCallOptions): Promise<void>;

  /**
   * Starts delivering events for the inbox and all groups of this client; reconnects by itself, and falls back to long
   * polling where WebSockets do not get through. Every listener first gets a `connection` event once it is known. A client
   * is not told of entries that it posted itself: it knows them from the answer. Returns the release function. Throws
   * `ERR_DS_CLOSED` after `close`.
   */
  subscribe(listener: (event: DeliveryEvent) => void): () => void;

  /** Ends subscriptions; later calls reject with `ERR_DS_CLOSED`. */
  close(): Promise<void>;
}

/** Proves possession of a device's signature key to the Delivery Service. */
export interface Identity {
  readonly client: ClientId;
  /** Cipher suite whose signature scheme the key is of. */
  readonly suite: number;
  /** Raw public signature key, as in the suite's leaf nodes (Ed25519: 32 bytes). */
  readonly publicKey: Uint8Array;
  /** Signs the server's challenge by the suite's scheme (Ed25519: 64 bytes). */
  sign(challenge: Uint8Array): Promise<Uint8Array>;
  /**
   * The first entry of the user's device log, which registers the user where the name is free. Default: sign in only,
   * `ERR_DS_UNKNOWN_USER` if nobody has the name.
   */
  readonly register?: DeviceLogEntry;
}

/** Codes of the Delivery Service, the same on every transport. */
export type DeliveryErrorCode =
  | "ERR_DS_UNREACHABLE" // no answer: try again later
  | "ERR_DS_CLOSED" // this client was closed
  | "ERR_DS_UNAUTHENTICATED" // not signed in, or the token has expired
  | "ERR_DS_SIGN_IN" // the challenge was not answered correctly
  | "ERR_DS_NAME_TAKEN" // the name belongs to someone else, or its device log does not list this device
  | "ERR_DS_NAME_INVALID" // not a name by the profile; `detail.reason`
  | "ERR_DS_FORBIDDEN" // not a member of this group, or there is none: strangers are not told which
  | "ERR_DS_UNKNOWN_USER" // nobody has this name
  | "ERR_DS_GROUP_EXISTS" // the group id is in use
  | "ERR_DS_NO_KEY_PACKAGE" // the user has no key package left
  | "ERR_DS_EPOCH_TOO_OLD" // members may not be able to open messages of this epoch any more; `detail.epoch`
  | "ERR_DS_LOG_CHANGED" // the log is another one than the client saw last: it was restored or rolled back
  | "ERR_DS_DEVICE_LOG" // the entry does not extend the user's device log
  | "ERR_DS_TOO_LARGE" // the request is over the size limit
  | "ERR_DS_RATE_LIMITED" // too many requests; `detail.retryAfter` seconds
  | "ERR_DS_QUOTA" // a user's share of the server is used up; `detail.user` if it is another user's
  | "ERR_DS_BAD_REQUEST" // the request is malformed
  | "ERR_DS_INTERNAL"; // the server failed
