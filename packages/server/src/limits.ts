/** What one user, one address or one request may take. Every default is meant for a server on the open internet. */

/** A token bucket: `burst` at once, refilled by `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Bounds of the server. All are positive; durations are in milliseconds. */
export interface ServerLimits {
  /** Largest request body of a signed-in user, bytes. At most 16 MiB. Default 8 MiB. */
  readonly bodyBytes: number;
  /** Largest single message, Welcome or key package, bytes. At most 8 MiB. Default 4 MiB. */
  readonly messageBytes: number;
  /** Bytes of messages in one page of a log or an inbox; one message is always returned. At most 8 MiB. Default 4 MiB. */
  readonly pageBytes: number;
  /** Users named in one request. Default 1024. */
  readonly usersPerRequest: number;
  /** Single-use key packages that wait in the directory, per user. Default 200. */
  readonly keyPackagesPerUser: number;
  /** Welcomes that wait, per user. Default 1000. */
  readonly inboxEntries: number;
  /** Welcomes that wait from one sender, per user: nobody can fill another's inbox alone. Default 100. */
  readonly inboxEntriesPerSender: number;
  /** Groups that a user may create. Default 10,000. */
  readonly groupsPerUser: number;
  /** Valid tokens per user; the one that expires first makes room. Default 32. */
  readonly tokensPerUser: number;
  /** Event connections per user. Default 16. */
  readonly socketsPerUser: number;
  /** Open TCP connections. Default 10,000. */
  readonly connections: number;
  /** Open TCP connections of one address (IPv6: one /64), unless a proxy is trusted. Default 512. */
  readonly connectionsPerAddress: number;
  /** Event connections that have not authenticated yet. Default 1000. */
  readonly pendingSockets: number;
  /** Event connections of one address that have not authenticated yet. Default 32. */
  readonly pendingSocketsPerAddress: number;
  /** Bytes that may wait for a slow event connection before it is dropped. Default 1 MiB. */
  readonly socketBufferBytes: number;
  /** Bytes of request bodies that are being received; one user or address may use a quarter. Default 128 MiB. */
  readonly bodiesInFlightBytes: number;
  /** Bytes of answers that are being sent; one user or address may use a quarter. Default 128 MiB. */
  readonly answersInFlightBytes: number;
  /** Bytes of events that are being sent. Default 64 MiB. */
  readonly eventsInFlightBytes: number;
  /** Bytes per second that a peer has to transfer, after ten seconds for a start, or it is disconnected. Default 8 KiB. */
  readonly bytesPerSecond: number;
  /** Requests of one user; each 64 KiB of body count as one more. Default 600, then 60 per second. */
  readonly requestsPerUser: Rate;
  /** Requests from one address (IPv6: one /64). Default 3000, then 300 per second. */
  readonly requestsPerAddress: Rate;
  /** Sign-ins from one address. Default 300, then 3 per second. */
  readonly signInsPerAddress: Rate;
  /** New names from one address. Default 200, then one in 10 seconds. */
  readonly registrationsPerAddress: Rate;
  /** Claims of one user's key packages by one other user, whether they succeed or not. Default 100, then one in 30 seconds. */
  readonly claimsPerPair: Rate;
  /** Claims by one user, of anybody's key packages, whether they succeed or not. Default 5000, then one per second. */
  readonly claimsPerUser: Rate;
  /** How long a token is valid. Default 24 hours. */
  readonly tokenLifetime: number;
  /** How long a challenge can be answered. Default one minute. */
  readonly challengeLifetime: number;
  /** Time for the headers of a request to arrive. Default 10 seconds. */
  readonly headersTimeout: number;
  /** Time for a request to arrive completely. Default 20 minutes: `bytesPerSecond` ends slow ones before. */
  readonly requestTimeout: number;
  /** Time for an event connection to authenticate. Default 5 seconds. */
  readonly authenticateTimeout: number;
  /** Pause between pings on event connections. Two without an answer end the connection. Default 25 seconds. */
  readonly heartbeat: number;
  /** How long messages and Welcomes are kept. Default: for ever. */
  readonly messageRetention: number;
  /** How long key packages, and the memory of those handed out, are kept. Default 90 days. */
  readonly keyPackageRetention: number;
}

const DAY = 86_400_000;

/** The defaults. */
export const DEFAULT_LIMITS: ServerLimits = {
  bodyBytes: 8 * 1024 * 1024,
  messageBytes: 4 * 1024 * 1024,
  pageBytes: 4 * 1024 * 1024,
  usersPerRequest: 1024,
  keyPackagesPerUser: 200,
  inboxEntries: 1000,
  inboxEntriesPerSender: 100,
  groupsPerUser: 10_000,
  tokensPerUser: 32,
  socketsPerUser: 16,
  connections: 10_000,
  connectionsPerAddress: 512,
  pendingSockets: 1000,
  pendingSocketsPerAddress: 32,
  socketBufferBytes: 1024 * 1024,
  bodiesInFlightBytes: 128 * 1024 * 1024,
  answersInFlightBytes: 128 * 1024 * 1024,
  eventsInFlightBytes: 64 * 1024 * 1024,
  bytesPerSecond: 8 * 1024,
  requestsPerUser: { burst: 600, perSecond: 60 },
  requestsPerAddress: { burst: 3000, perSecond: 300 },
  signInsPerAddress: { burst: 300, perSecond: 3 },
  registrationsPerAddress: { burst: 200, perSecond: 0.1 },
  claimsPerPair: { burst: 100, perSecond: 1 / 30 },
  claimsPerUser: { burst: 5000, perSecond: 1 },
  tokenLifetime: DAY,
  challengeLifetime: 60_000,
  headersTimeout: 10_000,
  requestTimeout: 1_200_000,
  authenticateTimeout: 5000,
  heartbeat: 25_000,
  messageRetention: Infinity,
  keyPackageRetention: 90 * DAY,
};

/** Upper bounds that the wire format sets. */
const HIGHEST: Partial<Readonly<Record<keyof ServerLimits, number>>> = {
  bodyBytes: 16 * 1024 * 1024,
  messageBytes: 8 * 1024 * 1024,
  pageBytes: 8 * 1024 * 1024,
  usersPerRequest: 10_000,
};

/** Fills in defaults. `RangeError` for a limit that is not positive or over what the wire format carries. */
export function resolveLimits(given: Partial<ServerLimits> = {}): ServerLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [name, limit] of Object.entries(limits)) {
    const highest = HIGHEST[name as keyof ServerLimits] ?? Infinity;
    for (const value of typeof limit === "number" ? [limit] : [limit.burst, limit.perSecond]) {
      if (!(value > 0 && value <= highest)) throw new RangeError(`limit ${name}: ${String(value)} is out of range`);
    }
  }
  return limits;
}
