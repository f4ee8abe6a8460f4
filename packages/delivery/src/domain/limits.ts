/** What one user, one group or one request may take. */

/** Bounds of the domain, all positive; durations in milliseconds. */
export interface DomainLimits {
  /** Largest single message, Welcome, GroupInfo or key package, bytes. Default 4 MiB. */
  readonly messageBytes: number;
  /** Bytes of messages in one page of a log or an inbox; one message is always returned. Default 4 MiB. */
  readonly pageBytes: number;
  /** Users or clients named in one request. Default 1024. */
  readonly namesPerRequest: number;
  /** Single-use key packages that wait, per client. Default 200. */
  readonly keyPackagesPerClient: number;
  /** Devices that a device log lists at once; at most 256. Default 32. */
  readonly devicesPerUser: number;
  /** Entries of a device log; at most 10,000. Default 1024. */
  readonly deviceLogEntries: number;
  /** Welcomes that wait, per client. Default 1000. */
  readonly inboxEntries: number;
  /** Welcomes that wait from one user, per client: nobody can fill another's inbox alone. Default 100. */
  readonly inboxEntriesPerSender: number;
  /** Groups that a user may create. Default 10,000. */
  readonly groupsPerUser: number;
  /** Bytes that one group keeps: its log, each entry with 256 bytes more, and its GroupInfo. Default 4 GiB. */
  readonly groupBytes: number;
  /** Bytes that all groups keep which a user created, unless the operator gave it another allowance. Default 16 GiB. */
  readonly userBytes: number;
  /** Bytes that the whole service keeps. Default: as many as the disk takes. */
  readonly storeBytes: number;
  /** Clients that read one group at once. Default 100,000. */
  readonly readersPerGroup: number;
  /** How long messages and Welcomes are kept, in time that the service was running. Default: for ever. */
  readonly messageRetention: number;
  /** How long key packages, and the memory of those handed out, are kept, in the same time. Default 90 days. */
  readonly keyPackageRetention: number;
}

/** The defaults. */
export const DEFAULT_DOMAIN_LIMITS: DomainLimits = {
  messageBytes: 4 * 1024 * 1024,
  pageBytes: 4 * 1024 * 1024,
  namesPerRequest: 1024,
  keyPackagesPerClient: 200,
  devicesPerUser: 32,
  deviceLogEntries: 1024,
  inboxEntries: 1000,
  inboxEntriesPerSender: 100,
  groupsPerUser: 10_000,
  groupBytes: 4 * 1024 ** 3,
  userBytes: 16 * 1024 ** 3,
  storeBytes: Infinity,
  readersPerGroup: 100_000,
  messageRetention: Infinity,
  keyPackageRetention: 90 * 86_400_000,
};
