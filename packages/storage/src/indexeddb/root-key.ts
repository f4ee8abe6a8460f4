/** Where a store's root key comes from, and how a store knows its key again. */
import { storeError } from "../errors.ts";

/** Iterations of PBKDF2-HMAC-SHA-256. Part of schema version 1: never read from the database, so nobody can lower it. */
const PBKDF2_ITERATIONS = 600_000;
const ROOT_BYTES = 32;
/** Bytes of a passphrase's salt. */
export const SALT_BYTES = 32;

/**
 * What protects a store at rest. The kind is fixed when the store is created.
 *
 * - `device` (default): a key that the browser keeps with the data and never reveals. Protects against whoever gets at
 *   single values or at backups that lack the browser's key storage, not against who copies the browser's profile.
 * - `passphrase`: PBKDF2-HMAC-SHA-256 with 600,000 iterations over the passphrase in Unicode form NFKC. As strong as the
 *   passphrase. Opening takes a few tenths of a second.
 * - `application`: a `CryptoKey` for HKDF with the usage `deriveKey`, not extractable; for example imported from the
 *   output of the WebAuthn PRF extension. It must hold at least 128 bits of entropy, better 256.
 */
export type StoreKey =
  | { readonly kind: "device" }
  | { readonly kind: "passphrase"; readonly passphrase: string }
  | { readonly kind: "application"; readonly key: CryptoKey };

/** What the database keeps of a key source: enough to find the root key again together with what the caller has. */
export type KeySource =
  | { readonly kind: "device"; readonly key: CryptoKey }
  | { readonly kind: "passphrase"; readonly salt: Uint8Array<ArrayBuffer> }
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

/** A fresh source for a store that is being created. */
export async function createKeySource(key: StoreKey): Promise<KeySource> {
  switch (key.kind) {
    case "device":
      return { kind: "device", key: await importRoot(crypto.getRandomValues(new Uint8Array(ROOT_BYTES))) };
    case "passphrase":
      return { kind: "passphrase", salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES)) };
    case "application":
      return { kind: "application" };
  }
}

/** The root key, for HKDF. `ERR_STORE_WRONG_KEY` if the caller's key is of another kind than the store's. */
export async function rootKey(source: KeySource, key: StoreKey): Promise<CryptoKey> {
  if (source.kind === "device" && key.kind === "device") return source.key;
  if (source.kind === "passphrase" && key.kind === "passphrase") return stretch(key.passphrase, source.salt);
  if (source.kind === "application" && key.kind === "application") return key.key;
  throw storeError(
    "ERR_STORE_WRONG_KEY",
    `This store is protected by a key of the kind ${source.kind}, not ${key.kind}`,
    {
      detail: { expected: source.kind, actual: key.kind },
    },
  );
}

async function stretch(passphrase: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const encoded = new TextEncoder().encode(passphrase.normalize("NFKC"));
  const base = await crypto.subtle.importKey("raw", encoded, "PBKDF2", false, ["deriveBits"]);
  encoded.fill(0);
  const bits = await crypto.subtle.deriveBits(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ITERATIONS },
    base,
    8 * ROOT_BYTES,
  );
  return importRoot(new Uint8Array(bits));
}

/** Imports a root key and overwrites its bytes. HKDF keys survive IndexedDB in every engine; X25519 keys do not. */
async function importRoot(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  } finally {
    bytes.fill(0);
  }
}
