/**
 * The Authentication Service (RFC 9420 §5.3.1) of this client: a leaf names user, device and a position of the user's device
 * log, which must list the leaf's signature key there.
 */
import {
  basicCredential,
  DEFAULT_LIMITS,
  makeRules,
  ProposalType,
  type AuthenticationService,
  type Bytes,
  type Credential,
  type Rules,
} from "@coppice/core";
import {
  decodeIdentity,
  encodeIdentity,
  EPOCH_WINDOW,
  identityStanding,
  type DeviceLog,
  type LeafIdentity,
} from "@coppice/delivery/contract";
import type { CoppiceError, Time } from "@coppice/kit";
import { clientError, isWithheld } from "../errors.ts";
import type { Account } from "./account.ts";
import type { LogNeed, People } from "./people.ts";

/** Group context extension with the sealed title: see `conversation/title.ts`. Private use (RFC 9420 §17.3). */
export const TITLE_EXTENSION = 0xf0c1;

/** Days that a key package may be used. */
export const KEY_PACKAGE_DAYS = 30n;
export const CLOCK_SKEW_SECONDS = 3600n;

/** What a leaf of this client says it is. */
export function ownCredential({ user, device, position }: Account): Credential {
  return basicCredential(encodeIdentity({ client: { user, device }, position }));
}

/** Who a leaf is, by its credential. */
export function identityOf(credential: Credential): LeafIdentity {
  if (credential.credentialType !== 1) throw new Error("Only basic credentials are used here");
  return decodeIdentity(credential.identity);
}

export const userOf = (leaf: { readonly credential: Credential }): string => identityOf(leaf.credential).client.user;

/** Rules that note which device logs they lack: what they said holds only if there are none. */
export interface NotingRules {
  readonly rules: Rules;
  /** Errors of those that the directory does not show now, in the order in which they were met. */
  readonly withheld: CoppiceError[];
  /** By user, up to which position. */
  readonly needs: Map<string, number>;
}

/** For work under a lock, where nothing can be fetched. */
export function notingRules(people: People, time: Time): NotingRules {
  const needs = new Map<string, number>();
  const withheld: CoppiceError[] = [];
  const find = (need: LogNeed): DeviceLog | undefined => {
    try {
      const log = people.known(need);
      if (log === undefined) needs.set(need.user, Math.max(need.position, needs.get(need.user) ?? 0));
      return log;
    } catch (error) {
      if (isWithheld(error)) withheld.push(error);
      throw error;
    }
  };
  return { rules: rulesWith((need) => Promise.resolve(find(need)), time), needs, withheld };
}

/**
 * For work outside of locks: device logs that are not known are fetched. If one cannot be fetched now, or not all of it, that is what
 * it rejects with, and not the refusal that follows from it.
 */
export async function withFetchedLogs<T>(
  { people, time, signal }: { readonly people: People; readonly time: Time; readonly signal?: AbortSignal | undefined },
  work: (rules: Rules) => Promise<T>,
): Promise<T> {
  let failure: { readonly error: unknown } | undefined;
  const find = async (need: LogNeed): Promise<DeviceLog | undefined> => {
    try {
      await people.learn([need], signal);
    } catch (error) {
      failure ??= { error };
      throw error;
    }
    try {
      return people.known(need);
    } catch (error) {
      if (isWithheld(error)) failure ??= { error };
      throw error;
    }
  };
  try {
    return await work(rulesWith(find, time));
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  }
}

function rulesWith(find: (need: LogNeed) => Promise<DeviceLog | undefined>, time: Time): Rules {
  const authentication: AuthenticationService = {
    validate: async ({ credential, signatureKey, previous }) => {
      const identity = identityOf(credential);
      if (previous !== undefined) checkSuccessor(identityOf(previous.credential), identity);
      const { client, position } = identity;
      const log = await find({ user: client.user, position });
      // One that is missing was noted: what follows does not hold.
      if (log !== undefined) checkListedThen(log, identity, signatureKey);
    },
    sameClient: (a, b) => isSameDevice(identityOf(a.credential), identityOf(b.credential)),
    sameIdentity: (a, b) => isSameDevice(identityOf(a), identityOf(b)),
  };
  return makeRules({
    authentication,
    now: () => BigInt(Math.max(0, Math.floor(time.now() / 1000))),
    // Leaves stay in the tree for as long as their members do not commit, so only new ones must be within their time.
    lifetime: { maxSeconds: KEY_PACKAGE_DAYS * 86_400n + 2n * CLOCK_SKEW_SECONDS, checkOnReceive: false },
    // Nobody here follows a group into its successor, so that nobody may close it for all (R-12.1.5-2).
    allowProposals: ({ proposals }) => {
      const closing = proposals.some(({ proposal }) => proposal.proposalType === ProposalType.reinit);
      return closing ? Promise.reject(new Error("A group is not closed by a ReInit")) : Promise.resolve();
    },
    supportedExtensions: [TITLE_EXTENSION],
    limits: { ...DEFAULT_LIMITS, pastEpochs: EPOCH_WINDOW.epochs },
  });
}

const isSameDevice = (a: LeafIdentity, b: LeafIdentity): boolean =>
  a.client.user === b.client.user && a.client.device === b.client.device;

/** A leaf keeps its identity, and does not go back in the log. */
function checkSuccessor(before: LeafIdentity, after: LeafIdentity): void {
  if (!isSameDevice(before, after)) throw refused("The leaf is taken over by someone else", after);
  if (after.position < before.position) throw refused("The leaf goes back in its user's device log", after);
}

/**
 * All members judge a leaf by the log as it was at the leaf's own position, so that they judge alike, whatever they know beyond
 * it. Whether a device is listed still is checked where it is added: see `claim.ts`.
 */
function checkListedThen(log: DeviceLog, identity: LeafIdentity, signatureKey: Bytes): void {
  const standing = identityStanding(log, identity, signatureKey);
  if (standing === "listed" || standing === "replaced" || standing === "removed") return;
  throw refused(`The user's device log does not vouch for the leaf (${standing})`, identity);
}

function refused(message: string, { client: { user, device }, position }: LeafIdentity): Error {
  return clientError("ERR_CLIENT_DEVICE_LOG", message, { detail: { user, device, position, rule: "leaf" } });
}
