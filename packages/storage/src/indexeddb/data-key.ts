/**
 * The keys of a store's data, and how the root key wraps them: whoever changes the root key rewrites nothing else.
 *
 *     root key ── HKDF-SHA-256, salt = store id ── "coppice store v3 wrap" → AES-256-GCM key
 *     wrapped  = nonce 12 ‖ ciphertext of (key of values 32 ‖ key of names 32) ‖ tag 16, AAD 7 ‖ store id
 */

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const GCM_TAG_BYTES = 16;
/** See `Purpose` in `vault.ts`. */
const PURPOSE = 7;

/** Bytes of the keys of values and of names, together. */
const DATA_KEYS_BYTES = 2 * KEY_BYTES;

/** Bytes of what `wrapDataKeys` makes. */
export const WRAPPED_BYTES: number = NONCE_BYTES + DATA_KEYS_BYTES + GCM_TAG_BYTES;

type Bytes = Uint8Array<ArrayBuffer>;

/** Fresh keys: the first half is for values, the second for names. */
export const createDataKeys = (): Bytes => crypto.getRandomValues(new Uint8Array(DATA_KEYS_BYTES));

/** Wraps keys under a root key (HKDF, usage `deriveKey`). */
export async function wrapDataKeys(root: CryptoKey, storeId: Bytes, keys: Bytes): Promise<Bytes> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const wrapping = await wrappingKey(root, storeId);
  const algorithm = { name: "AES-GCM", iv, additionalData: aad(storeId) };
  const ciphertext = await crypto.subtle.encrypt(algorithm, wrapping, keys);
  const wrapped = new Uint8Array(WRAPPED_BYTES);
  wrapped.set(iv);
  wrapped.set(new Uint8Array(ciphertext), NONCE_BYTES);
  return wrapped;
}

/** What was wrapped; undefined for another root key or store, or bytes that were changed. */
export async function unwrapDataKeys(root: CryptoKey, storeId: Bytes, wrapped: Bytes): Promise<Bytes | undefined> {
  const wrapping = await wrappingKey(root, storeId);
  const algorithm = { name: "AES-GCM", iv: wrapped.subarray(0, NONCE_BYTES), additionalData: aad(storeId) };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, wrapping, wrapped.subarray(NONCE_BYTES)));
  } catch (error) {
    if (error instanceof Error && error.name === "OperationError") return undefined;
    throw error;
  }
}

/** The keys of a store of schema version 2, which derived them from the root key. */
export async function derivedDataKeys(root: CryptoKey, storeId: Bytes): Promise<Bytes> {
  const derive = async (info: string): Promise<Bytes> => {
    const key = await crypto.subtle.deriveKey(
      hkdf(storeId, `coppice store v2 ${info}`),
      root,
      { name: "HMAC", hash: "SHA-256", length: 8 * KEY_BYTES },
      true,
      ["sign"],
    );
    return new Uint8Array(await crypto.subtle.exportKey("raw", key));
  };
  const halves = await Promise.all([derive("values"), derive("names")]);
  const keys = new Uint8Array(DATA_KEYS_BYTES);
  for (const [index, half] of halves.entries()) {
    keys.set(half, index * KEY_BYTES);
    half.fill(0);
  }
  return keys;
}

const wrappingKey = (root: CryptoKey, storeId: Bytes): Promise<CryptoKey> =>
  crypto.subtle.deriveKey(hkdf(storeId, "coppice store v3 wrap"), root, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);

const hkdf = (storeId: Bytes, info: string): HkdfParams => ({
  ...{ name: "HKDF", hash: "SHA-256", salt: storeId },
  info: new TextEncoder().encode(info),
});

function aad(storeId: Bytes): Bytes {
  const bytes = new Uint8Array(1 + storeId.length);
  bytes[0] = PURPOSE;
  bytes.set(storeId, 1);
  return bytes;
}
