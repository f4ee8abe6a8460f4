/** What one user, one address or one request may take. Every default is meant for a server on the open internet. */
import { DEFAULT_DOMAIN_LIMITS, type DomainLimits } from "@coppice/delivery/domain";

/** A token bucket: `burst` at once, refilled by `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Bounds of the server, besides those of the domain. All are positive; durations are in milliseconds. */
export interface ServerLimits extends DomainLimits {
  /** Largest request body of a signed-in client, bytes. At most 16 MiB. Default 8 MiB. */
  readonly bodyBytes: number;
  /** Valid tokens per client; the one that expires first makes room. Default 8. */
  readonly tokensPerClient: number;
  /** Event connections per client; the oldest makes room. Default 16. */
  readonly socketsPerClient: number;
  /** Clients that get their events by polling, each with a mailbox of up to 512 KiB. Default 1000. */
  readonly mailboxes: number;
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
}

const DAY = 86_400_000;

/** The defaults. */
export const DEFAULT_LIMITS: ServerLimits = {
  ...DEFAULT_DOMAIN_LIMITS,
  bodyBytes: 8 * 1024 * 1024,
  tokensPerClient: 8,
  socketsPerClient: 16,
  mailboxes: 1000,
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
};

/** Upper bounds that the wire format sets. */
const HIGHEST: Partial<Readonly<Record<keyof ServerLimits, number>>> = {
  bodyBytes: 16 * 1024 * 1024,
  messageBytes: 8 * 1024 * 1024,
  pageBytes: 8 * 1024 * 1024,
  namesPerRequest: 10_000,
};

/** Fills in defaults. `RangeError` for a limit that is not positive or over what the wire format carries. */
export function resolveLimits(given: Partial<ServerLimits> = {}): ServerLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [name, limit] of Object.entries(limits)) {
    const highest = HIGHEST[name as keyof ServerLimits] ?? Infinity;
    for (const value of typeof limit === "number" ? [limit] : [limit.burst, limit.perSecond]) {
      if (!(value > 0 && value <= highest)) throw new RangeError(`The limit ${name} is out of range: ${String(value)}`);
    }
  }
  return limits;
}
