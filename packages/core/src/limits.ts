/** Bounds that are checked before work starts. Defaults are safe for groups of people; raise them knowingly. */

export interface Limits {
  /**
   * Longest message that is decoded or sent to the group, in bytes. Default 64 MiB: a Welcome carries the tree. Decoding one takes
   * less than 20 times its length in memory: see `BYTES_PER_HEADER`.
   */
  readonly messageBytes: number;
  /** Leaves of a ratchet tree, blank ones included. Default 65,536. */
  readonly treeLeaves: number;
  /** Steps that a ratchet is moved forward for one message (R-15.3-3). Default 1,024. */
  readonly forwardSteps: number;
  /** Keys of skipped messages kept per ratchet; the oldest go first (R-15.3-2). Default 1,024. */
  readonly skippedKeys: number;
  /** Proposals cached in an epoch. Default 1,024. */
  readonly pendingProposals: number;
  /** Length of all of them together, in bytes. Default 16 MiB. */
  readonly pendingProposalBytes: number;
  /** Longest proposal that is cached, in bytes. Default 1 MiB. */
  readonly proposalBytes: number;
  /**
   * Proposals that one Commit may cover, by value and by reference, and pre-shared keys that a Welcome may name. Each costs those who
   * receive it some work, so they are counted first. Default 4,096: raise it, for all members, to add more of them at once.
   */
  readonly proposalsPerCommit: number;
  /** `psk_id` or `psk_group_id` of a PreSharedKey proposal, in bytes. Default 1 KiB. */
  readonly pskIdBytes: number;
  /** Past epochs whose messages can still be opened (R-15.3-4). Default 4. */
  readonly pastEpochs: number;
  /** Past epochs whose resumption PSK is kept (R-8.6-1). Default 16. */
  readonly resumptionPsks: number;
  /**
   * Application messages that this member sends in one epoch, each with a key of its own (R-15.2-1): after them it has to
   * commit. Default 2^20. With messages of 2^26 bytes, as `messageBytes` allows by default, the advantage of whoever wants
   * to tell what one member sends in an epoch from random stays below 2^-64 (AES-GCM). Receivers need no bound: a key opens
   * one message.
   */
  readonly messagesPerEpoch: number;
  /** `authenticated_data` of a message, in bytes. Default 64 KiB. */
  readonly authenticatedDataBytes: number;
}

/** The limits that `makeRules` takes where none are given. */
export const DEFAULT_LIMITS: Limits = {
  messageBytes: 64 * 1024 * 1024,
  treeLeaves: 65_536,
  forwardSteps: 1024,
  skippedKeys: 1024,
  pendingProposals: 1024,
  pendingProposalBytes: 16 * 1024 * 1024,
  proposalBytes: 1024 * 1024,
  proposalsPerCommit: 4096,
  pskIdBytes: 1024,
  pastEpochs: 4,
  resumptionPsks: 16,
  messagesPerEpoch: 2 ** 20,
  authenticatedDataBytes: 64 * 1024,
};

/**
 * A vector of one byte on the wire is an object of some 200 in memory. So what was received may have one `<V>` header for each 12
 * bytes, and `FREE_HEADERS` more (R-2.1.2-8). A leaf has one for each 15 to 20, a parent for each 12 to 24, a ciphertext of a path
 * for each 41.
 */
export const BYTES_PER_HEADER = 12;
/** See `BYTES_PER_HEADER`. */
export const FREE_HEADERS = 1024;
