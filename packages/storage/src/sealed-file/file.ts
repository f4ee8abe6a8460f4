/**
 * A sealed file: written and read as a stream, at most a frame of it in memory. No frame can be changed, moved, repeated or left out,
 * and none at the end be missing, without its being noticed.
 *
 *     header  "coppice-file" ‖ version 1 ‖ kind 1 ‖ salt 32 ‖ memory 4 ‖ passes 1 ‖ lanes 1 ‖ key check 32
 *     frame   (last 1 bit ‖ length 31 bits) 4 ‖ ciphertext ‖ tag 16
 *
 *     root key ── HKDF-SHA-256, salt ──┬─ "coppice file v1 frames" → AES-256-GCM key, nonce = number 8 ‖ 0 0 0 ‖ last 1, AAD header
 *                                      └─ "coppice file v1 check"  → HMAC-SHA-256 key, over the header before the check
 *
 * Integers are big endian. Kind 1: the root key is a passphrase under Argon2id; kind 2: a recovery key, and the cost is 0.
 */
import type { PassphraseCost } from "../indexeddb/argon2.ts";
import { COST, isPayable, stretchPassphrase } from "../indexeddb/root-key.ts";
import { storeError } from "../errors.ts";
import { ByteReader } from "./byte-reader.ts";
import { parseRecoveryKey } from "./recovery-key.ts";

/** What a file is sealed under: a passphrase of the person's choice, or a key from `createRecoveryKey`. */
export type FileKey =
  { readonly kind: "passphrase"; readonly passphrase: string } | { readonly kind: "recovery"; readonly key: string };

type Bytes = Uint8Array<ArrayBuffer>;

const MAGIC = new TextEncoder().encode("coppice-file");
const VERSION = 1;
const KINDS = ["passphrase", "recovery"] as const;
const SALT_BYTES = 32;
const CHECK_BYTES = 32;
const GCM_TAG_BYTES = 16;
/** Bytes of the header without the key check. */
const PARAMETER_BYTES = MAGIC.length + 2 + SALT_BYTES + 6;
const LAST = 0x8000_0000;

/** Plaintext of a frame, at most: what is given in larger pieces is divided. */
const MAX_FRAME = 1024 * 1024;

/** Seals a stream. `TypeError` for a key that makes no sense, `ERR_STORE_WRONG_KEY` for a mistyped recovery key. */
export async function* sealFile(
  plaintext: AsyncIterable<Uint8Array<ArrayBuffer>>,
  key: FileKey,
): AsyncGenerator<Bytes, void, undefined> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const parameters = encodeParameters({ kind: key.kind, salt, cost: key.kind === "passphrase" ? COST : NO_COST });
  const keys = await deriveKeys(key, salt, COST);
  const check = await crypto.subtle.sign("HMAC", keys.check, parameters);
  const header = new Uint8Array(PARAMETER_BYTES + CHECK_BYTES);
  header.set(parameters);
  header.set(new Uint8Array(check), PARAMETER_BYTES);
  yield header;
  let number = 0;
  for await (const chunk of plaintext) {
    for (let start = 0; start < chunk.length; start += MAX_FRAME) {
      yield await sealFrame(
        keys.frames,
        { header, number: number++, last: false },
        chunk.subarray(start, start + MAX_FRAME),
      );
    }
  }
  yield await sealFrame(keys.frames, { header, number, last: true }, new Uint8Array(0));
}

/**
 * Opens a sealed file; what has been given out is authentic, and everything is there once it ends. `ERR_STORE_WRONG_KEY`;
 * `ERR_STORE_CORRUPT` for what is no such file, was changed, or is cut off; `ERR_STORE_NEWER_SCHEMA` for a version to come.
 */
export async function* openFile(file: AsyncIterable<Uint8Array>, key: FileKey): AsyncGenerator<Bytes, void, undefined> {
  const reader = new ByteReader(file);
  try {
    yield* openFrames(reader, key);
  } finally {
    await reader.end();
  }
}

async function* openFrames(reader: ByteReader, key: FileKey): AsyncGenerator<Bytes, void, undefined> {
  const parameters = await required(reader.take(PARAMETER_BYTES));
  const { kind, salt, cost } = decodeParameters(parameters);
  if (kind !== key.kind) {
    throw storeError("ERR_STORE_WRONG_KEY", `This file is sealed under a key of the kind ${kind}, not ${key.kind}`, {
      detail: { expected: kind, actual: key.kind },
    });
  }
  const check = await required(reader.take(CHECK_BYTES));
  const keys = await deriveKeys(key, salt, cost);
  if (!(await crypto.subtle.verify("HMAC", keys.check, check, parameters))) {
    throw storeError("ERR_STORE_WRONG_KEY", "The key does not open this file");
  }
  const header = new Uint8Array(PARAMETER_BYTES + CHECK_BYTES);
  header.set(parameters);
  header.set(check, PARAMETER_BYTES);
  for (let number = 0; ; number++) {
    const prefix = await required(reader.take(4));
    const word = new DataView(prefix.buffer).getUint32(0);
    const [last, length] = [word >= LAST, word % LAST];
    if (length > MAX_FRAME) throw corrupt();
    const sealed = await required(reader.take(length + GCM_TAG_BYTES));
    const opened = await openFrame(keys.frames, { header, number, last }, sealed);
    if (opened.length > 0) yield opened;
    if (!last) continue;
    if ((await reader.take(1)) !== undefined) throw corrupt();
    return;
  }
}

interface Parameters {
  readonly kind: FileKey["kind"];
  readonly salt: Bytes;
  readonly cost: PassphraseCost;
}

const NO_COST: PassphraseCost = { memory: 0, passes: 0, lanes: 0 };

function encodeParameters({ kind, salt, cost: { memory, passes, lanes } }: Parameters): Bytes {
  const bytes = new Uint8Array(PARAMETER_BYTES);
  bytes.set(MAGIC);
  bytes.set([VERSION, KINDS.indexOf(kind) + 1], MAGIC.length);
  bytes.set(salt, MAGIC.length + 2);
  const at = MAGIC.length + 2 + SALT_BYTES;
  new DataView(bytes.buffer).setUint32(at, memory);
  bytes.set([passes, lanes], at + 4);
  return bytes;
}

function decodeParameters(bytes: Bytes): Parameters {
  const at = MAGIC.length;
  if (!MAGIC.every((byte, index) => byte === bytes[index])) {
    throw storeError("ERR_STORE_CORRUPT", "This is no file of Coppice's");
  }
  const version = bytes[at] ?? 0;
  if (version > VERSION)
    throw storeError("ERR_STORE_NEWER_SCHEMA", "The file was written by a newer version of Coppice");
  const kind = KINDS[(bytes[at + 1] ?? 0) - 1];
  const salt = bytes.slice(at + 2, at + 2 + SALT_BYTES);
  const costs = bytes.subarray(at + 2 + SALT_BYTES);
  const memory = new DataView(bytes.buffer, costs.byteOffset).getUint32(0);
  const cost = { memory, passes: costs[4] ?? 0, lanes: costs[5] ?? 0 };
  if (version !== VERSION || kind === undefined || (kind === "passphrase" && !isPayable(cost))) throw corrupt();
  return { kind, salt, cost };
}

async function deriveKeys(
  key: FileKey,
  salt: Bytes,
  cost: PassphraseCost,
): Promise<{ readonly frames: CryptoKey; readonly check: CryptoKey }> {
  const root = await rootKey(key, salt, cost);
  const hkdf = (info: string): HkdfParams => ({
    ...{ name: "HKDF", hash: "SHA-256", salt },
    info: new TextEncoder().encode(`coppice file v1 ${info}`),
  });
  const mac: HmacKeyGenParams = { name: "HMAC", hash: "SHA-256", length: 256 };
  const [frames, check] = await Promise.all([
    crypto.subtle.deriveKey(hkdf("frames"), root, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    crypto.subtle.deriveKey(hkdf("check"), root, mac, false, ["sign", "verify"]),
  ]);
  return { frames, check };
}

async function rootKey(key: FileKey, salt: Bytes, cost: PassphraseCost): Promise<CryptoKey> {
  if (key.kind === "passphrase") {
    if (typeof key.passphrase !== "string" || key.passphrase === "") {
      throw new TypeError("The passphrase must be a string that is not empty");
    }
    return stretchPassphrase(key.passphrase, salt, cost);
  }
  const bytes = await parseRecoveryKey(key.key);
  try {
    return await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  } finally {
    bytes.fill(0);
  }
}

/** Where a frame stands: opening it anywhere else fails. */
interface Place {
  readonly header: Bytes;
  readonly number: number;
  readonly last: boolean;
}

function algorithm({ header, number, last }: Place): AesGcmParams {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setBigUint64(0, BigInt(number));
  iv[11] = last ? 1 : 0;
  return { name: "AES-GCM", iv, additionalData: header };
}

async function sealFrame(key: CryptoKey, place: Place, plaintext: Bytes): Promise<Bytes> {
  const sealed = await crypto.subtle.encrypt(algorithm(place), key, plaintext);
  const frame = new Uint8Array(4 + sealed.byteLength);
  new DataView(frame.buffer).setUint32(0, (place.last ? LAST : 0) + plaintext.length);
  frame.set(new Uint8Array(sealed), 4);
  return frame;
}

async function openFrame(key: CryptoKey, place: Place, sealed: Bytes): Promise<Bytes> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm(place), key, sealed));
  } catch (error) {
    if (error instanceof Error && error.name === "OperationError") throw corrupt(error);
    throw error;
  }
}

async function required(bytes: Promise<Bytes | undefined>): Promise<Bytes> {
  const found = await bytes;
  if (found === undefined) throw storeError("ERR_STORE_CORRUPT", "The file is cut off");
  return found;
}

const corrupt = (cause?: unknown): Error =>
  storeError("ERR_STORE_CORRUPT", "The file was changed or is damaged", { cause });
