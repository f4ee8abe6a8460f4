/** The Delivery Service contract (RFC 9750 §5): everything the engine asks of a server. */

export interface DeliveryCallOptions {
  readonly signal?: AbortSignal;
}

/** A key package that was claimed from the directory: an encoded `MLSMessage` with a KeyPackage. */
export interface ClaimedKeyPackage {
  readonly user: string;
  readonly keyPackage: Uint8Array<ArrayBuffer>;
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
  /** The server's clock, milliseconds since 1970. Not authenticated. */
  readonly receivedAt: number;
}

/** A Welcome that waits for this client. `id` grows; acknowledge it once the join is stored. */
export interface InboxEntry {
  readonly id: number;
  readonly groupId: Uint8Array<ArrayBuffer>;
  /** An encoded `MLSMessage` with a Welcome. */
  readonly welcome: Uint8Array<ArrayBuffer>;
  /** Read the group's log after this `seq`. */
  readonly cursor: number;
}

/** A Commit with what must become visible together with it. */
export interface CommitSubmission {
  readonly groupId: Uint8Array;
  /** The epoch this commit ends. Accepted only if it is the group's current one. */
  readonly epoch: bigint;
  /** An encoded `MLSMessage`. */
  readonly commit: Uint8Array;
  /** Users who may read the log from now on, each with the Welcome that lets them in. */
  readonly added: readonly { readonly user: string; readonly welcome: Uint8Array }[];
  /** Users who may not read entries after this commit. They can still read the commit itself. */
  readonly removed: readonly string[];
}

/** Something new is to be fetched. Notifications may be lost or repeated; the log and the inbox are the truth. */
export type DeliveryEvent =
  | { readonly type: "log"; readonly groupId: Uint8Array<ArrayBuffer>; readonly seq: number }
  | { readonly type: "inbox" }
  /** The connection came up (fetch everything once) or went down. */
  | { readonly type: "connection"; readonly online: boolean };

/**
 * A signed-in client's view of the Delivery Service. Calls reject with a `CoppiceError` of a `DeliveryErrorCode`,
 * with the signal's reason when aborted, with `TypeError` or `RangeError` for impossible arguments.
 */
export interface DeliveryService {
  /**
   * Adds key packages (encoded `MLSMessage`s) to the directory; each is handed out once, the last resort repeatedly.
   * Publishing the same bytes again changes nothing, also after they were handed out. `ERR_DS_QUOTA` over the limit.
   */
  publishKeyPackages(
    batch: { readonly keyPackages: readonly Uint8Array[]; readonly lastResort?: Uint8Array },
    options?: DeliveryCallOptions,
  ): Promise<void>;

  /** How many single-use key packages of this client the directory still has. */
  countKeyPackages(options?: DeliveryCallOptions): Promise<number>;

  /**
   * Claims one key package of each of these different users, in their order, all or none.
   * `ERR_DS_UNKNOWN_USER`, `ERR_DS_NO_KEY_PACKAGE`, `ERR_DS_RATE_LIMITED` (each with `detail.user`).
   */
  claimKeyPackages(users: readonly string[], options?: DeliveryCallOptions): Promise<readonly ClaimedKeyPackage[]>;

  /** Registers a group at epoch 0 with this client as its only reader. Repeating it is no error; a foreign id is `ERR_DS_GROUP_EXISTS`. */
  createGroup(groupId: Uint8Array, options?: DeliveryCallOptions): Promise<void>;

  /**
   * Appends a Commit if `epoch` is the group's current one; the group's epoch is then `epoch + 1`.
   * Submitting the same bytes again returns the same `seq`, also to a client that has been removed since. Else
   * `ERR_DS_EPOCH_CONFLICT`. `ERR_DS_UNKNOWN_USER` and `ERR_DS_QUOTA` (inbox full) name an added user in `detail.user`;
   * removing someone who is no reader is no error.
   */
  submitCommit(submission: CommitSubmission, options?: DeliveryCallOptions): Promise<{ readonly seq: number }>;

  /**
   * Appends a proposal or application message of the current or an earlier epoch (a later one is `ERR_DS_BAD_REQUEST`).
   * Sending the same bytes again returns the same `seq`, also to a client that has been removed since.
   */
  sendMessage(
    message: { readonly groupId: Uint8Array; readonly epoch: bigint; readonly message: Uint8Array },
    options?: DeliveryCallOptions,
  ): Promise<{ readonly seq: number }>;

  /**
   * A page of entries after the cursor `after`, oldest first, at most `limit` (1 to 1024, default 256). The server may
   * return fewer, but none only if nothing is left to read. `ERR_DS_FORBIDDEN` for those who never were members.
   */
  readLog(
    query: { readonly groupId: Uint8Array; readonly after: number; readonly limit?: number },
    options?: DeliveryCallOptions,
  ): Promise<readonly LogEntry[]>;

  /** Welcomes for this client that are not acknowledged, oldest first. Acknowledge a page to see the next one. */
  readInbox(options?: DeliveryCallOptions): Promise<readonly InboxEntry[]>;

  /** Deletes inbox entries up to and including `id`. */
  acknowledgeInbox(id: number, options?: DeliveryCallOptions): Promise<void>;

  /**
   * Starts delivering events for the inbox and all groups of this client; reconnects by itself. Every listener first
   * gets a `connection` event once it is known. Returns the release function. Throws `ERR_DS_CLOSED` after `close`.
   */
  subscribe(listener: (event: DeliveryEvent) => void): () => void;

  /** Ends subscriptions; later calls reject with `ERR_DS_CLOSED`. */
  close(): Promise<void>;
}

/** Proves possession of a user's signature key to the Delivery Service. */
export interface Identity {
  /** The user's name: 1 to 64 characters. */
  readonly user: string;
  /** Raw public signature key (Ed25519: 32 bytes). */
  readonly publicKey: Uint8Array;
  /** Signs the server's challenge (Ed25519: 64 bytes). */
  sign(challenge: Uint8Array): Promise<Uint8Array>;
}

/** Codes of the Delivery Service, the same on every transport. */
export type DeliveryErrorCode =
  | "ERR_DS_UNREACHABLE" // no answer: try again later
  | "ERR_DS_CLOSED" // this client was closed
  | "ERR_DS_UNAUTHENTICATED" // not signed in, or the token has expired
  | "ERR_DS_SIGN_IN" // the challenge was not answered correctly
  | "ERR_DS_NAME_TAKEN" // the name belongs to another key
  | "ERR_DS_NAME_INVALID" // names have 1 to 64 characters, no control characters, no surrounding space
  | "ERR_DS_FORBIDDEN" // not a member of this group
  | "ERR_DS_UNKNOWN_USER" // nobody has this name
  | "ERR_DS_UNKNOWN_GROUP" // no such group
  | "ERR_DS_GROUP_EXISTS" // the group id is in use
  | "ERR_DS_NO_KEY_PACKAGE" // the user has no key package left
  | "ERR_DS_EPOCH_CONFLICT" // another commit ended this epoch
  | "ERR_DS_TOO_LARGE" // the request is over the size limit
  | "ERR_DS_RATE_LIMITED" // too many requests; `detail.retryAfter` seconds
  | "ERR_DS_QUOTA" // a user's share of the server is used up; `detail.user` if it is another user's
  | "ERR_DS_BAD_REQUEST" // the request is malformed
  | "ERR_DS_INTERNAL"; // the server failed
