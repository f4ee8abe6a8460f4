/** Bounds that are checked before work starts. Defaults are safe for groups of people; raise them knowingly. */

export interface Limits {
  /** Longest message that is decoded or sent to the group, in bytes. Default 64 MiB: a Welcome carries the tree. */
  readonly messageBytes: number;
  /** Leaves of a ratchet tree, blank ones included. Default 65,536. */
  readonly treeLeaves: number;
  /** Steps that a ratchet is moved forward for one message (R-15.3-3). Default 1,024. */
  readonly forwardSteps: number;
  /** Keys of skipped messages kept per ratchet; the oldest go first (R-15.3-2). Default 1,024. */
  readonly skippedKeys: number;
  /** Proposals cached in an epoch. Default 1,024. */
  readonly pendingProposals: number;
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
  pastEpochs: 4,
  resumptionPsks: 16,
  messagesPerEpoch: 2 ** 20,
  authenticatedDataBytes: 64 * 1024,
};
