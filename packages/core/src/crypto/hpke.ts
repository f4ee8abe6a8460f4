/**
 * Hybrid public key encryption (RFC 9180, base mode, single shot). Key schedule and AEAD run on the kernel, so that a path
 * secret costs its key agreement and little more.
 */
import type { HashKernel } from "@coppice/wasm";
import { type Bytes, concat, EMPTY, erase, utf8 } from "../codec/bytes.ts";
import { type Codec, opaque, struct } from "../codec/codec.ts";
import { CoppiceError } from "../errors.ts";
import type { Aead } from "./aead.ts";
import { labeledKdf, uint16Bytes } from "./hpke-labels.ts";
import { hasSmallOrder } from "./small-order.ts";

/** Both keys in the KEM's serialization (R-5.1.1-1): for X25519 32 bytes each, for NIST curves point and scalar. */
export interface HpkeKeyPair {
  readonly publicKey: Bytes;
  /** Secret. */
  readonly privateKey: Bytes;
}

/**
 * ```tls
 * struct { opaque kem_output<V>; opaque ciphertext<V>; } HPKECiphertext;
 * ```
 */
export interface HpkeCiphertext {
  readonly kemOutput: Bytes;
  readonly ciphertext: Bytes;
}

export const hpkeCiphertext: Codec<HpkeCiphertext> = struct({ kemOutput: opaque, ciphertext: opaque });

/** Encrypts `plaintext` to a public key. */
export type Seal = (publicKey: Bytes, plaintext: Bytes) => Promise<HpkeCiphertext>;

/** The HPKE of a cipher suite. */
export interface Hpke {
  /** Length of a serialized public key, in bytes; in the suites of RFC 9420 that of a KEM output, too. */
  readonly Npk: number;
  /** Length of a serialized private key, in bytes. */
  readonly Nsk: number;
  readonly generateKeyPair: () => Promise<HpkeKeyPair>;
  /** `KEM.DeriveKeyPair` (R-5.1-3). */
  readonly deriveKeyPair: (secret: Bytes) => Promise<HpkeKeyPair>;
  /** Refuses a key of the wrong length, off the curve or of small order: `ERR_MLS_CRYPTO` (R-5.1.1-3). */
  readonly validatePublicKey: (publicKey: Bytes) => Promise<void>;
  /**
   * Encrypts to any number of keys under one `info`, which is hashed once: a Welcome's is as long as its tree.
   * `ERR_MLS_CRYPTO` for an unusable public key.
   */
  readonly sealer: (info: Bytes) => Seal;
  /** `ERR_MLS_AEAD` if the ciphertext does not open. */
  readonly open: (keys: HpkeKeyPair, info: Bytes, sealed: HpkeCiphertext) => Promise<Bytes>;
  /** Sets up a context to `publicKey` and exports `length` bytes from it (R-8.3-1). */
  readonly sendExport: (
    publicKey: Bytes,
    context: Bytes,
    length: number,
  ) => Promise<{ kemOutput: Bytes; secret: Bytes }>;
  /** The receiving side of `sendExport`. */
  readonly receiveExport: (keys: HpkeKeyPair, kemOutput: Bytes, context: Bytes, length: number) => Promise<Bytes>;
}

/** What a suite needs of a key encapsulation mechanism (RFC 9180 §4), over raw key bytes. */
export interface Kem {
  /** Registered number (RFC 9180 §7.1). */
  readonly id: number;
  readonly Npk: number;
  readonly Nsk: number;
  readonly generateKeyPair: () => Promise<HpkeKeyPair>;
  readonly deriveKeyPair: (secret: Bytes) => Promise<HpkeKeyPair>;
  /** Rejects for a key of the wrong length or off the curve. */
  readonly validatePublicKey: (publicKey: Bytes) => Promise<void>;
  readonly encap: (recipient: Bytes) => Promise<{ readonly kemOutput: Bytes; readonly sharedSecret: Bytes }>;
  readonly decap: (keys: HpkeKeyPair, kemOutput: Bytes) => Promise<Bytes>;
}

/** The parts of an HPKE suite; `kdfId` and `aeadId` are the registered numbers (RFC 9180 §7.2, §7.3). */
export interface HpkeParts {
  readonly kem: Kem;
  readonly hash: HashKernel;
  readonly aead: Aead;
  readonly kdfId: number;
  readonly aeadId: number;
}

const MODE_BASE = Uint8Array.of(0);

/** The key schedule of base mode (RFC 9180 §5.1) and single-shot use on top of it. */
export function createHpke({ kem, hash, aead, kdfId, aeadId }: HpkeParts): Hpke {
  const suiteId = concat(utf8("HPKE"), uint16Bytes(kem.id), uint16Bytes(kdfId), uint16Bytes(aeadId));
  const kdf = labeledKdf(hash, suiteId);
  const pskIdHash = kdf.extract(EMPTY, "psk_id_hash", EMPTY);

  const contextOf = (info: Bytes): Bytes => concat(MODE_BASE, pskIdHash, kdf.extract(EMPTY, "info_hash", info));
  const emptyContext = contextOf(EMPTY);
  /** Uses the shared secret up. */
  const secretOf = (sharedSecret: Bytes): Bytes => {
    const secret = kdf.extract(sharedSecret, "secret", EMPTY);
    erase(sharedSecret);
    return secret;
  };
  /** Of the first and only message: its nonce is the base nonce. */
  const messageKey = (sharedSecret: Bytes, context: Bytes): { key: Bytes; nonce: Bytes } => {
    const secret = secretOf(sharedSecret);
    const key = kdf.expand(secret, "key", context, aead.Nk);
    const nonce = kdf.expand(secret, "base_nonce", context, aead.Nn);
    erase(secret);
    return { key, nonce };
  };
  const exported = (sharedSecret: Bytes, exporterContext: Bytes, length: number): Bytes => {
    const secret = secretOf(sharedSecret);
    const exporterSecret = kdf.expand(secret, "exp", emptyContext, hash.Nh);
    const result = kdf.expand(exporterSecret, "sec", exporterContext, length);
    erase(secret, exporterSecret);
    return result;
  };

  const usable = async <T>(attempt: Promise<T>): Promise<T> => {
    try {
      return await attempt;
    } catch (cause) {
      throw new CoppiceError("ERR_MLS_CRYPTO", "The HPKE key is not usable with this suite", {
        requirement: "R-5.1.1-3",
        cause,
      });
    }
  };
  const opens = async <T>(attempt: Promise<T>): Promise<T> => {
    try {
      return await attempt;
    } catch (cause) {
      throw new CoppiceError("ERR_MLS_AEAD", "The HPKE ciphertext does not open", { requirement: "R-5.1.3-2", cause });
    }
  };

  return {
    Npk: kem.Npk,
    Nsk: kem.Nsk,
    generateKeyPair: kem.generateKeyPair,
    deriveKeyPair: kem.deriveKeyPair,
    validatePublicKey: (publicKey) =>
      usable(
        hasSmallOrder(publicKey)
          ? Promise.reject(new TypeError("A public key of small order"))
          : kem.validatePublicKey(publicKey),
      ),
    sealer: (info) => {
      const context = contextOf(info);
      return async (publicKey, plaintext) => {
        const { kemOutput, sharedSecret } = await usable(kem.encap(publicKey));
        const { key, nonce } = messageKey(sharedSecret, context);
        const ciphertext = await aead.seal(key, nonce, EMPTY, plaintext);
        erase(key, nonce);
        return { kemOutput, ciphertext };
      };
    },
    open: async (keys, info, { kemOutput, ciphertext }) => {
      const { key, nonce } = messageKey(await opens(kem.decap(keys, kemOutput)), contextOf(info));
      return opens(aead.open(key, nonce, EMPTY, ciphertext)).finally(() => {
        erase(key, nonce);
      });
    },
    sendExport: async (publicKey, context, length) => {
      const { kemOutput, sharedSecret } = await usable(kem.encap(publicKey));
      return { kemOutput, secret: exported(sharedSecret, context, length) };
    },
    receiveExport: async (keys, kemOutput, context, length) =>
      exported(await opens(kem.decap(keys, kemOutput)), context, length),
  };
}
