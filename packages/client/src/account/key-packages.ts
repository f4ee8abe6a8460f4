/** The key-package pool: enough are published for others to add this client while it is away. */
import {
  basicCredential,
  createKeyPackage,
  defaultCapabilities,
  encodeMessage,
  encodeOwnKeyPackage,
  decodeOwnKeyPackage,
  toHex,
  type Bytes,
  type Capabilities,
  type Lifetime,
  type OwnKeyPackage,
} from "@coppice/core";
import type { DeliveryService } from "@coppice/delivery";
import type { KeyPackageRecord } from "../records/account.ts";
import { SUITE_ID, type Account } from "./account.ts";
import { CLOCK_SKEW_SECONDS, KEY_PACKAGE_DAYS, TITLE_EXTENSION } from "./authentication.ts";

const DAY = 86_400;

/** Packages with less than this to go are replaced; they stay usable until they expire. */
const RENEWAL_SECONDS = 10 * DAY;

/** Private keys outlive their package, for Welcomes that wait in the inbox of a client that was away. */
const GRACE_SECONDS = 7 * DAY;

/** What this client can do, in its leaves. */
export const CAPABILITIES: Capabilities = defaultCapabilities([SUITE_ID], {
  extensions: [TITLE_EXTENSION],
  credentials: [1],
});

export function lifetimeFrom(clock: () => number): Lifetime {
  const now = BigInt(Math.floor(clock() / 1000));
  return { notBefore: now - CLOCK_SKEW_SECONDS, notAfter: now + KEY_PACKAGE_DAYS * 86_400n };
}

export interface PoolOptions {
  readonly account: Account;
  readonly delivery: DeliveryService;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Single-use packages to keep published. */
  readonly size: number;
}

/**
 * Publishes what is missing: all of the pool once less than half of it is left (as the directory counts, and without
 * those that are about to expire), and a last resort. Packages are stored before they leave and published again, byte for byte, until the directory has confirmed. Expired ones go.
 */
export async function refillPool(options: PoolOptions): Promise<void> {
  const { account, delivery, size } = options;
  await account.store.exclusive("key-packages", async () => {
    await deleteExpired(options);
    const count = await delivery.countKeyPackages();
    await makeMissing(options, { count, size });
    await publish(options);
  });
}

async function deleteExpired({ account, clock }: PoolOptions): Promise<void> {
  const now = clock() / 1000;
  await account.update(({ keyPackages }) => {
    const expired = [...keyPackages].filter(([, { notAfter }]) => notAfter + GRACE_SECONDS < now);
    return expired.length === 0 ? undefined : { keyPackages: new Map(expired.map(([ref]) => [ref, undefined])) };
  });
}

async function makeMissing(
  { account, clock }: PoolOptions,
  { count, size }: { count: number; size: number },
): Promise<void> {
  const stored = [...(await account.current()).keyPackages.values()];
  const renewal = clock() / 1000 + RENEWAL_SECONDS;
  const fresh = stored.filter(({ notAfter }) => notAfter > renewal);
  const single = fresh.filter(({ lastResort }) => !lastResort);
  const waiting = single.filter(({ published }) => !published).length;
  const left = Math.min(count, single.length - waiting);
  const wanted = left < size / 2 ? size - left : 0;
  const hasLastResort = fresh.some(({ lastResort }) => lastResort);
  const made = new Map<string, KeyPackageRecord>();
  const add = async (lastResort: boolean): Promise<void> => {
    const lifetime = lifetimeFrom(clock);
    const own = await createKeyPackage({
      suite: account.suite,
      credential: basicCredential(account.name),
      signer: account.signer,
      lifetime,
      capabilities: CAPABILITIES,
    });
    made.set(toHex(own.ref), {
      lastResort,
      published: false,
      notAfter: Number(lifetime.notAfter),
      own: encodeOwnKeyPackage(own),
    });
  };
  if (!hasLastResort) await add(true);
  for (let there = waiting; there < wanted; there++) await add(false);
  if (made.size > 0) await account.update(() => ({ keyPackages: made }));
}

async function publish({ account, delivery }: PoolOptions): Promise<void> {
  const unpublished = [...(await account.current()).keyPackages].filter(([, { published }]) => !published);
  if (unpublished.length === 0) return;
  const encoded = (entry: KeyPackageRecord): Bytes =>
    encodeMessage({ wireFormat: "mls_key_package", keyPackage: ownKeyPackage(account, entry).keyPackage });
  const lastResort = unpublished.find(([, entry]) => entry.lastResort)?.[1];
  await delivery.publishKeyPackages({
    keyPackages: unpublished.filter(([, entry]) => !entry.lastResort).map(([, entry]) => encoded(entry)),
    ...(lastResort === undefined ? {} : { lastResort: encoded(lastResort) }),
  });
  await account.update(({ keyPackages }) => {
    const confirmed = new Map<string, KeyPackageRecord>();
    for (const [ref] of unpublished) {
      // A package may have been used, and its record deleted, while its publication was confirmed.
      const entry = keyPackages.get(ref);
      if (entry !== undefined) confirmed.set(ref, { ...entry, published: true });
    }
    return { keyPackages: confirmed };
  });
}

export function ownKeyPackage(account: Account, { own }: KeyPackageRecord): OwnKeyPackage {
  return decodeOwnKeyPackage(account.suite, own);
}
