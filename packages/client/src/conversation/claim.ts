/** Key packages of users who are to be added: one of each of their devices, by the word of their device logs. */
import { decodeMessageOf, type KeyPackage } from "@coppice/core";
import {
  checkIdentity,
  type ClaimedKeyPackage,
  type DeliveryService,
  type LeafIdentity,
} from "@coppice/delivery/contract";
import { CoppiceError, isCoppiceError, untilAborted, type Time } from "@coppice/kit";
import { identityOf } from "../account/authentication.ts";
import type { People } from "../account/people.ts";
import type { Intent } from "../records/conversation.ts";

/** Packages of one user that are tried: a directory may hand out what is outside its time, or made by a wrong clock. */
const MAX_ROUNDS = 24;

export interface ClaimOptions {
  readonly delivery: DeliveryService;
  readonly people: People;
  readonly time: Time;
  readonly signal: AbortSignal | undefined;
}

/**
 * Claims what is missing in `claimed`, by user. A package that is not of the device that its user's log lists now is refused
 * (`ERR_MLS_CREDENTIAL`), one outside its time passed over.
 */
export async function claim(
  todo: Intent,
  claimed: Map<string, readonly KeyPackage[]>,
  options: ClaimOptions,
): Promise<void> {
  if (todo.operation !== "add") return;
  const { delivery, people, time, signal } = options;
  for (let round = 1; ; round++) {
    const missing = todo.users.filter((user) => !claimed.has(user));
    if (missing.length === 0) return;
    const answers = await untilAborted(delivery.claimKeyPackages(missing, signal && { signal }), signal);
    const found = answers.map(opened);
    // All at once; each is looked at below.
    await people.learn(
      found.map(({ client: { user }, identity: { position } }) => ({ user, position })),
      signal,
    );
    for (const user of missing) {
      const packages: KeyPackage[] = [];
      for (const answer of found) {
        if (answer.client.user === user) packages.push(await checked(answer, options));
      }
      const valid = packages.filter((keyPackage) => isInTime(keyPackage, time.now()));
      // The last ones are taken as they are: core says what is wrong with them.
      const taken = round === MAX_ROUNDS ? packages : valid;
      if (taken.length > 0) claimed.set(user, taken);
      else if (packages.length === 0) throw refused("The directory gave no key package", user);
    }
  }
}

interface Opened extends Pick<ClaimedKeyPackage, "client"> {
  readonly keyPackage: KeyPackage;
  readonly identity: LeafIdentity;
}

function opened({ client, keyPackage: bytes }: ClaimedKeyPackage): Opened {
  const { keyPackage } = decodeMessageOf("mls_key_package", bytes);
  return vouched(client.user, () => {
    const identity = identityOf(keyPackage.leafNode.credential);
    if (identity.client.user !== client.user || identity.client.device !== client.device) {
      throw refused("The directory gave a key package of someone else", client.user);
    }
    return { client, keyPackage, identity };
  });
}

async function checked(
  { client: { user }, keyPackage, identity }: Opened,
  { people, signal }: ClaimOptions,
): Promise<KeyPackage> {
  const log = await people.log({ user, position: identity.position }, signal);
  vouched(user, () => {
    checkIdentity(log, identity, keyPackage.leafNode.signatureKey);
  });
  return keyPackage;
}

/** What is wrong with an identity is wrong with the key package. */
function vouched<T>(user: string, look: () => T): T {
  try {
    return look();
  } catch (cause) {
    if (!isCoppiceError(cause, "ERR_DS_DEVICE_LOG")) throw cause;
    throw refused("The device log does not vouch for a key package", user, cause);
  }
}

function isInTime({ leafNode: { source } }: KeyPackage, now: number): boolean {
  if (source.leafNodeSource !== "key_package") return true;
  const seconds = now / 1000;
  return Number(source.lifetime.notBefore) <= seconds && seconds < Number(source.lifetime.notAfter);
}

const refused = (message: string, user: string, cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_MLS_CREDENTIAL", `${message}: ${user} was not added`, { detail: { user }, cause });
