/** The key-package pool: enough are published for others to add this device while it is away. */
import {
  createKeyPackage,
  decodeOwnKeyPackage,
  defaultCapabilities,
  encodeMessage,
  encodeOwnKeyPackage,
  type Bytes,
  type Capabilities,
  type Lifetime,
  type OwnKeyPackage,
} from "@coppice/core";
import type { DeliveryService } from "@coppice/delivery/contract";
import type { Time } from "@coppice/kit";
import type { PartitionSnapshot, RecordRange } from "@coppice/storage";
import {
  KEY_PACKAGE,
  keyPackageRecord,
  RESTORED,
  USED,
  usedRecord,
  type KeyPackageRecord,
} from "../records/account.ts";
import { fromOrdinal, ordinal } from "../records/primitives.ts";
import { SUITE_ID, type Account, type AccountChange } from "./account.ts";
import { CLOCK_SKEW_SECONDS, KEY_PACKAGE_DAYS, ownCredential, TITLE_EXTENSION } from "./authentication.ts";

const DAY = 86_400;

/** Packages with less than this to go are replaced; they stay usable until they expire. */
const RENEWAL_SECONDS = 10 * DAY;

/** Private keys outlive their package, for Welcomes that wait in the inbox of a device that was away. */
const GRACE_SECONDS = 7 * DAY;

/** Times the pool's size: unused packages whose private keys are kept, also if a directory claims to have lost them all. */
const MAX_POOLS = 10;

/** What this device can do, in its leaves. */
export const CAPABILITIES: Capabilities = defaultCapabilities([SUITE_ID], {
  extensions: [TITLE_EXTENSION],
  credentials: [1],
});

/** From an hour ago, for clocks that are behind; not before 1970. */
export function lifetimeFrom(time: Time): Lifetime {
  const now = BigInt(Math.max(0, Math.floor(time.now() / 1000)));
  const notBefore = now > CLOCK_SKEW_SECONDS ? now - CLOCK_SKEW_SECONDS : 0n;
  return { notBefore, notAfter: now + KEY_PACKAGE_DAYS * 86_400n };
}

export interface PoolOptions {
  readonly account: Account;
  readonly delivery: DeliveryService;
  readonly time: Time;
  /** Single-use packages to keep published. */
  readonly size: number;
}

/** Key packages by number. */
type Pool = ReadonlyMap<number, KeyPackageRecord>;

const RANGES: readonly RecordRange[] = [{ prefix: KEY_PACKAGE }];

/** The stored packages; a damaged one costs only itself. */
export function poolOf({ records }: PartitionSnapshot): Pool {
  const pool = new Map<number, KeyPackageRecord>();
  for (const [name, bytes] of records) {
    if (name.startsWith(KEY_PACKAGE)) pool.set(fromOrdinal(name), keyPackageRecord.decode(bytes));
  }
  return pool;
}

export async function readPool(account: Account): Promise<Pool> {
  return poolOf(await account.read(RANGES));
}

export const keyPackageName = (number: number): string => KEY_PACKAGE + ordinal(number);

/**
 * Publishes what is missing: all of the pool once less than half of it is left (as the directory counts, and without those
 * that are about to expire), and a last resort. Packages are stored before they leave and published again, byte for byte, until
 * the directory has confirmed. Where some are outside their time, after a clock was wrong, the directory's are replaced.
 */
export async function refillPool(options: PoolOptions): Promise<void> {
  const { account, delivery } = options;
  const count = await delivery.countKeyPackages();
  const made = await makeMissing(options, count);
  const now = secondsNow(options.time);
  await account.update([...RANGES, { prefix: USED }], (snapshot) => storing(made, snapshot, now));
  // Nobody can be let in by a package whose record is damaged, or was not in the backup.
  const { damaged, records } = await account.read([...RANGES, { prefix: RESTORED }]);
  const lacking = records.has(RESTORED) ? [...damaged, RESTORED] : damaged;
  await publish(options, lacking.length > 0);
  if (lacking.length > 0) await account.update([], () => ({ delete: lacking }));
}

const secondsNow = (time: Time): number => Math.max(0, Math.floor(time.now() / 1000));

const isValid = ({ notBefore, notAfter }: KeyPackageRecord, now: number): boolean => notBefore <= now && now < notAfter;

const isFresh = (entry: KeyPackageRecord, now: number): boolean =>
  entry.state !== "withdrawn" && isValid(entry, now) && entry.notAfter - now > RENEWAL_SECONDS;

async function makeMissing({ account, time, size }: PoolOptions, count: number): Promise<KeyPackageRecord[]> {
  const now = secondsNow(time);
  const stored = [...(await readPool(account)).values()];
  const fresh = stored.filter((entry) => isFresh(entry, now));
  const single = fresh.filter(({ lastResort }) => !lastResort);
  const waiting = single.filter(({ state }) => state === "made").length;
  const left = Math.min(count, single.length - waiting);
  const room = MAX_POOLS * size - stored.filter(({ lastResort }) => !lastResort).length;
  const wanted = left < size / 2 ? Math.min(size - left - waiting, room) : 0;
  const made: KeyPackageRecord[] = [];
  if (!fresh.some(({ lastResort }) => lastResort)) made.push(await make(account, time, true));
  for (let i = 0; i < wanted; i++) made.push(await make(account, time, false));
  return made;
}

async function make(account: Account, time: Time, lastResort: boolean): Promise<KeyPackageRecord> {
  const lifetime = lifetimeFrom(time);
  const { suite, signer } = account;
  const credential = ownCredential(account);
  const own = await createKeyPackage({ suite, credential, signer, lifetime, capabilities: CAPABILITIES });
  return {
    lastResort,
    state: "made",
    notBefore: Number(lifetime.notBefore),
    notAfter: Number(lifetime.notAfter),
    own: encodeOwnKeyPackage(own),
  };
}

/** Adds what was made, and deletes what nobody can use any more. */
function storing(
  made: readonly KeyPackageRecord[],
  snapshot: PartitionSnapshot,
  now: number,
): AccountChange | undefined {
  const pool = poolOf(snapshot);
  const next = Math.max(0, ...pool.keys()) + 1;
  const put = new Map(made.map((entry, i) => [keyPackageName(next + i), keyPackageRecord.encode(entry)]));
  const expired = [...pool].filter(([, { notAfter }]) => notAfter + GRACE_SECONDS < now);
  if (put.size === 0 && expired.length === 0) return undefined;
  const numbers = new Set(expired.map(([number]) => number));
  return { put, delete: [...[...numbers].map(keyPackageName), ...usesOf(numbers, snapshot)] };
}

/** Names of what is remembered of these packages' Welcomes: without the keys, none of them can be used again. */
function usesOf(numbers: ReadonlySet<number>, { records }: PartitionSnapshot): string[] {
  const uses = [...records].filter(([name]) => name.startsWith(USED));
  return uses.filter(([, bytes]) => numbers.has(usedRecord.decode(bytes).keyPackage)).map(([name]) => name);
}

async function publish({ account, delivery, time }: PoolOptions, isLacking: boolean): Promise<void> {
  const now = secondsNow(time);
  const pool = await readPool(account);
  const replace = isLacking || [...pool.values()].some((entry) => entry.state === "published" && !isValid(entry, now));
  const batch = [...pool].filter(
    ([, entry]) => isValid(entry, now) && (entry.state === "made" || (replace && entry.state === "published")),
  );
  if (batch.length === 0 && !replace) return;
  const lastResort = batch.findLast(([, entry]) => entry.lastResort && entry.state === "made")?.[1];
  await delivery.publishKeyPackages({
    keyPackages: batch.filter(([, entry]) => !entry.lastResort).map(([, entry]) => encoded(account, entry)),
    ...(lastResort === undefined ? {} : { lastResort: encoded(account, lastResort) }),
    replace,
  });
  const published = new Set(batch.map(([number]) => number));
  await account.update(RANGES, (snapshot) => {
    const put = new Map<string, Uint8Array>();
    for (const [number, entry] of poolOf(snapshot)) {
      // A package may have been used, and its record deleted, while its publication was confirmed.
      const state = stateAfter(entry, { isPublished: published.has(number), replace, now });
      if (state !== entry.state) put.set(keyPackageName(number), keyPackageRecord.encode({ ...entry, state }));
    }
    return put.size === 0 ? undefined : { put };
  });
}

function stateAfter(
  entry: KeyPackageRecord,
  { isPublished, replace, now }: { readonly isPublished: boolean; readonly replace: boolean; readonly now: number },
): KeyPackageRecord["state"] {
  if (isPublished) return "published";
  return replace && entry.state === "published" && !isValid(entry, now) ? "withdrawn" : entry.state;
}

const encoded = (account: Account, entry: KeyPackageRecord): Bytes =>
  encodeMessage({ wireFormat: "mls_key_package", keyPackage: ownKeyPackage(account, entry).keyPackage });

export function ownKeyPackage({ suite }: Account, { own }: KeyPackageRecord): OwnKeyPackage {
  return decodeOwnKeyPackage(suite, own);
}
