/** Where a store's root key comes from: what wraps the keys of its data. */
import { storeError } from "../errors.ts";
import type { PassphraseCost } from "./argon2.ts";

const ROOT_BYTES = 32;
/** Bytes of a passphrase's salt. */
export const SALT_BYTES = 32;

/** For passphrases that are set now, about half a second; a store that has another cost gets this one when it is opened next. */
export const COST: PassphraseCost = { memory: 47_104, passes: 1, lanes: 1 };

/** What the key record may ask for, so that nobody who can write to it makes opening take gigabytes or hours. */
const MAX_COST: PassphraseCost = { memory: 262_144, passes: 16, lanes: 4 };

/** Iterations of PBKDF2-HMAC-SHA-256 in schema version 2: never read from the database, so nobody can lower it. */
const PBKDF2_ITERATIONS = 600_000;

/**
 * What protects a store at rest. It can be changed, see `changeStoreKey`.
 *
 * - `device` (default): a key that the browser keeps with the data and never reveals. Protects against whoever gets at
 *   single values or at backups that lack the browser's key storage, not against who copies the browser's profile.
 * - `passphrase`: Argon2id with 46 MiB and one pass over the passphrase in Unicode form NFKC. As strong as the passphrase. Opening
 *   takes about half a second.
 * - `application`: a `CryptoKey` for HKDF with the usage `deriveKey`, not extractable; for example from a passkey, see
 *   `keyFromPrf`. It must hold at least 128 bits of entropy, better 256.
 */
export type StoreKey =
  | { readonly kind: "device" }
  | { readonly kind: "passphrase"; readonly passphrase: string }
  | { readonly kind: "application"; readonly key: CryptoKey };

/** What the database keeps of a key source: enough to find the root key again together with what the caller has. */
export type KeySource =
  | { readonly kind: "device"; readonly key: CryptoKey }
  | {
      readonly kind: "passphrase";
      readonly salt: Uint8Array<ArrayBuffer>;
      /** Undefined in schema version 2: PBKDF2. */
      readonly cost: PassphraseCost | undefined;
    }
  | { readonly kind: "application" };

/** `TypeError` for a key that cannot be used. */
export function assertStoreKey(key: StoreKey): void {
  switch (key.kind) {
    case "device":
      return;
    case "passphrase":
      if (typeof key.passphrase !== "string" || key.passphrase === "") {
        throw new TypeError("The passphrase must be a string that is not empty");
      }
      return;
    case "application":
      if (
        !(key.key instanceof CryptoKey) ||
        key.key.algorithm.name !== "HKDF" ||
        !key.key.usages.includes("deriveKey")
      ) {
        throw new TypeError("The application's key must be a CryptoKey for HKDF with the usage deriveKey");
      }
      return;
    default:
      throw new TypeError("key.kind must be device, passphrase or application");
  }
}

/**
 * The key that a passkey gives, out of the result of WebAuthn's PRF extension: `getClientExtensionResults().prf.results.first`,
 * 32 bytes. They are overwritten if they are a view or buffer of this realm.
 *
 * @throws RangeError unless it is 32 bytes.
 *
 * @example
 * const store = await openIndexedDbStore({ name: "chat", key: await keyFromPrf(crypto.getRandomValues(new Uint8Array(32))) });
 */
export async function keyFromPrf(output: BufferSource): Promise<StoreKey> {
  const bytes = ArrayBuffer.isView(output)
    ? new Uint8Array(output.buffer, output.byteOffset, output.byteLength)
    : new Uint8Array(output);
  if (bytes.length !== ROOT_BYTES) throw new RangeError(`The PRF extension gives ${ROOT_BYTES} bytes`);
  return { kind: "application", key: await importRoot(bytes) };
}

/** A fresh source for a store whose key is being set. */
export async function createKeySource(key: StoreKey): Promise<KeySource> {
  switch (key.kind) {
    case "device":
      return { kind: "device", key: await importRoot(crypto.getRandomValues(new Uint8Array(ROOT_BYTES))) };
    case "passphrase":
      return { kind: "passphrase", salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES)), cost: COST };
    case "application":
      return { kind: "application" };
  }
}

/** Whether a key that is set now would be protected otherwise. */
export function isOutdated(source: KeySource): boolean {
  if (source.kind !== "passphrase") return false;
  const { cost } = source;
  return cost?.memory !== COST.memory || cost.passes !== COST.passes || cost.lanes !== COST.lanes;
}

/** Whether a stored cost is one that Argon2id can have and that is not too much. */
export function isPayable({ memory, passes, lanes }: PassphraseCost): boolean {
  const within = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  return (
    within(passes, MAX_COST.passes) &&
    within(lanes, MAX_COST.lanes) &&
    within(memory, MAX_COST.memory) &&
    memory >= 8 * lanes
  );
}

/** The root key, for HKDF. `ERR_STORE_WRONG_KEY` if the caller's key is of another kind than the store's. */
export async function rootKey(source: KeySource, key: StoreKey): Promise<CryptoKey> {
  if (source.kind === "device" && key.kind === "device") return source.key;
  if (source.kind === "passphrase" && key.kind === "passphrase")
    return stretchPassphrase(key.passphrase, source.salt, source.cost);
  if (source.kind === "application" && key.kind === "application") return key.key;
  throw storeError(
    "ERR_STORE_WRONG_KEY",
    `This store is protected by a key of the kind ${source.kind}, not ${key.kind}`,
    {
      detail: { expected: source.kind, actual: key.kind },
    },
  );
}

/** The root key that a passphrase gives, for HKDF; `cost` undefined means PBKDF2. */
export async function stretchPassphrase(
  passphrase: string,
  salt: Uint8Array<ArrayBuffer>,
  cost: PassphraseCost | undefined,
): Promise<CryptoKey> {
  const encoded = new TextEncoder().encode(passphrase.normalize("NFKC"));
  try {
    if (cost === undefined) return await importRoot(await pbkdf2(encoded, salt));
    const { argon2id } = await import("./argon2.ts");
    return await importRoot(await argon2id(encoded, salt, cost));
  } finally {
    encoded.fill(0);
  }
}

async function pbkdf2(
  passphrase: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const base = await crypto.subtle.importKey("raw", passphrase, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ITERATIONS };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, base, 8 * ROOT_BYTES));
}

/** Imports a root key and overwrites its bytes. HKDF keys survive IndexedDB in every engine; X25519 keys do not. */
async function importRoot(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  } finally {
    bytes.fill(0);
  }
}
