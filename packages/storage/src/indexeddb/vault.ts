/**
 * Encryption at rest: values under AES-256-GCM, names under HMAC-SHA-256, each with a key of its own. Everything `crypto.subtle`
 * does for a store happens in this file, in `data-key.ts` and in `root-key.ts`.
 */
import { storeError } from "../errors.ts";
import { platformError } from "./platform-error.ts";

/** Bytes of a partition's tag. */
export const TAG_BYTES = 16;

/** Operations in flight: enough to keep an engine's threads busy, few enough for a batch of thousands. */
export const IN_FLIGHT = 64;

const NONCE_BYTES = 12;
const GCM_TAG_BYTES = 16;
const VERSION_BYTES = 8;

/** What stands before a partition's name where it is sealed. */
const EXISTS = "+";
const CLEARED = "-";

/** What an authenticated context is for; the first byte of every AAD and of every HMAC input. */
// 7 is in `data-key.ts`.
const Purpose = { record: 1, partition: 2, partitionTag: 3, lockName: 4, keyCheck: 5, journal: 6 } as const;

/** Tags kept in memory, so that a busy partition costs no HMAC per call. */
const TAG_CACHE_ENTRIES = 1024;

const utf8 = new TextEncoder();

/** The place a value belongs to: decryption anywhere else fails. */
export interface Place {
  readonly tag: Uint8Array<ArrayBuffer>;
  /** Version of the partition that the value was written with. */
  readonly version: number;
}

/** What a partition's row says besides its version. */
export interface PartitionState {
  readonly partition: string;
  /** False once it was cleared: only its version is kept. */
  readonly exists: boolean;
}

/** The keys of one open store. They are not extractable. */
export class Vault {
  readonly #values: CryptoKey;
  readonly #names: CryptoKey;
  readonly #tags = new Map<string, Uint8Array<ArrayBuffer>>();

  private constructor(values: CryptoKey, names: CryptoKey) {
    this.#values = values;
    this.#names = names;
  }

  /** Imports the keys of a store's data (see `data-key.ts`) and overwrites their bytes. */
  static async open(dataKeys: Uint8Array<ArrayBuffer>): Promise<Vault> {
    const half = dataKeys.length / 2;
    const [forValues, forNames] = [dataKeys.subarray(0, half), dataKeys.subarray(half)];
    try {
      const [values, names] = await Promise.all([
        crypto.subtle.importKey("raw", forValues, "AES-GCM", false, ["encrypt", "decrypt"]),
        crypto.subtle.importKey("raw", forNames, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]),
      ]);
      return new Vault(values, names);
    } finally {
      dataKeys.fill(0);
    }
  }

  /** 32 bytes that tell whether a key is the right one. HMAC commits to its key, as AES-GCM would not. */
  async keyCheck(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await crypto.subtle.sign("HMAC", this.#names, Uint8Array.of(Purpose.keyCheck)));
  }

  /** Whether `check` was made under the same key; constant time. */
  matches(check: Uint8Array<ArrayBuffer>): Promise<boolean> {
    return crypto.subtle.verify("HMAC", this.#names, check, Uint8Array.of(Purpose.keyCheck));
  }

  /** What stands for a partition's name in the clear: a truncated HMAC. */
  async partitionTag(partition: string): Promise<Uint8Array<ArrayBuffer>> {
    const cached = this.#tags.get(partition);
    if (cached !== undefined) return cached;
    const tag = (await this.#hmac(Purpose.partitionTag, partition)).slice(0, TAG_BYTES);
    const [oldest] = this.#tags.keys();
    if (this.#tags.size >= TAG_CACHE_ENTRIES && oldest !== undefined) this.#tags.delete(oldest);
    this.#tags.set(partition, tag);
    return tag;
  }

  /** What stands for a lock's name in the clear, as hexadecimal digits. */
  async lockName(name: string): Promise<string> {
    const mac = await this.#hmac(Purpose.lockName, name);
    return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** Seals a partition's name and whether it exists; with them its version is authentic. */
  sealPartition(place: Place, { partition, exists }: PartitionState): Promise<Uint8Array<ArrayBuffer>> {
    return this.#seal(aad(Purpose.partition, place), utf8.encode((exists ? EXISTS : CLEARED) + partition));
  }

  /** What `sealPartition` sealed. `ERR_STORE_CORRUPT` for any other bytes or place. */
  async openPartition(place: Place, sealed: Uint8Array<ArrayBuffer>): Promise<PartitionState> {
    const state = new TextDecoder().decode(await this.#open(aad(Purpose.partition, place), sealed));
    return { partition: state.slice(1), exists: state.startsWith(EXISTS) };
  }

  /** Seals what one write changed: nonce (12), ciphertext, tag (16). */
  sealJournal(place: Place, entry: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return this.#seal(aad(Purpose.journal, place), entry);
  }

  /** What `sealJournal` sealed. `ERR_STORE_CORRUPT` for any other bytes or place. */
  openJournal(place: Place, sealed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return this.#open(aad(Purpose.journal, place), sealed);
  }

  /** Seals a record's value: version (8 bytes, big endian), nonce (12), ciphertext, tag (16). */
  async sealRecord(place: Place, name: string, value: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const sealed = await this.#seal(aad(Purpose.record, place, name), value);
    const stored = new Uint8Array(VERSION_BYTES + sealed.length);
    writeVersion(stored, 0, place.version);
    stored.set(sealed, VERSION_BYTES);
    return stored;
  }

  /**
   * The value that `sealRecord` sealed under this name and partition, at the version that stands before it (see
   * `writtenVersion`). `ERR_STORE_CORRUPT` for any other bytes or place.
   */
  async openRecord(
    tag: Uint8Array<ArrayBuffer>,
    name: string,
    stored: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const version = writtenVersion(stored);
    return this.#open(aad(Purpose.record, { tag, version }, name), stored.subarray(VERSION_BYTES));
  }

  async #hmac(purpose: number, text: string): Promise<Uint8Array<ArrayBuffer>> {
    const encoded = utf8.encode(text);
    const input = new Uint8Array(1 + encoded.length);
    input[0] = purpose;
    input.set(encoded, 1);
    return new Uint8Array(await crypto.subtle.sign("HMAC", this.#names, input));
  }

  async #seal(
    additionalData: Uint8Array<ArrayBuffer>,
    value: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const sealed = new Uint8Array(NONCE_BYTES + value.length + GCM_TAG_BYTES);
    const nonce = crypto.getRandomValues(sealed.subarray(0, NONCE_BYTES));
    const ciphertext = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData }, this.#values, value);
    sealed.set(new Uint8Array(ciphertext), NONCE_BYTES);
    return sealed;
  }

  async #open(
    additionalData: Uint8Array<ArrayBuffer>,
    sealed: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (sealed.length < NONCE_BYTES + GCM_TAG_BYTES) throw corrupt();
    const iv = sealed.subarray(0, NONCE_BYTES);
    try {
      return new Uint8Array(
        await crypto.subtle.decrypt(
          { name: "AES-GCM", iv, additionalData },
          this.#values,
          sealed.subarray(NONCE_BYTES),
        ),
      );
    } catch (error) {
      // Only this one says that the data are wrong: a platform that fails otherwise must not make them look damaged.
      if (error instanceof Error && error.name === "OperationError") throw corrupt(error);
      throw platformError(error, "to decrypt");
    }
  }
}

/** Purpose (1 byte), partition tag (16), version (8, big endian), then the record's name: fixed lengths come first. */
function aad(purpose: number, { tag, version }: Place, name = ""): Uint8Array<ArrayBuffer> {
  const encoded = utf8.encode(name);
  const bytes = new Uint8Array(1 + TAG_BYTES + VERSION_BYTES + encoded.length);
  bytes[0] = purpose;
  bytes.set(tag, 1);
  writeVersion(bytes, 1 + TAG_BYTES, version);
  bytes.set(encoded, 1 + TAG_BYTES + VERSION_BYTES);
  return bytes;
}

function writeVersion(bytes: Uint8Array<ArrayBuffer>, offset: number, version: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(offset, BigInt(version));
}

/** The version that a stored record says it was written with: authentic once the record was opened. 0 if it says none. */
export function writtenVersion(stored: Uint8Array<ArrayBuffer>): number {
  if (stored.length < VERSION_BYTES) return 0;
  return Number(new DataView(stored.buffer, stored.byteOffset).getBigUint64(0));
}

function corrupt(cause?: unknown): Error {
  return storeError("ERR_STORE_CORRUPT", "Stored data does not authenticate: it was changed or moved", { cause });
}
