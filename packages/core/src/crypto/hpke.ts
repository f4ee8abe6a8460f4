/** Hybrid public key encryption (RFC 9180, base mode, single shot) on hpke-js, over raw key bytes. */
import type { AeadInterface, KdfInterface, KemInterface } from "@hpke/core";
import { CipherSuite as HpkeJs } from "@hpke/core";
import { CoppiceError } from "../errors.ts";
import type { Bytes } from "../codec/bytes.ts";
import { EMPTY } from "../codec/bytes.ts";
import type { Codec } from "../codec/codec.ts";
import { opaque, struct } from "../codec/codec.ts";
import { unshared } from "./platform.ts";

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

/** The HPKE of a cipher suite. */
export interface Hpke {
  /** Length of a serialized public key and of a KEM output, in bytes. */
  readonly Npk: number;
  /** Length of a serialized private key, in bytes. */
  readonly Nsk: number;
  readonly generateKeyPair: () => Promise<HpkeKeyPair>;
  /** `KEM.DeriveKeyPair` (R-5.1-3). */
  readonly deriveKeyPair: (secret: Bytes) => Promise<HpkeKeyPair>;
  /** Refuses a key of the wrong length or off the curve: `ERR_MLS_CRYPTO` (R-5.1.1-3). */
  readonly validatePublicKey: (publicKey: Bytes) => Promise<void>;
  /** `ERR_MLS_CRYPTO` for an unusable public key. */
  readonly seal: (publicKey: Bytes, info: Bytes, plaintext: Bytes) => Promise<HpkeCiphertext>;
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

/** Which parts of hpke-js a suite uses. */
export interface HpkeParts {
  readonly kem: KemInterface;
  readonly kdf: KdfInterface;
  readonly aead: AeadInterface;
  /** Private key length in bytes (RFC 9180 §7.1); hpke-js 1.9 says 64 instead of 66 for P-521. */
  readonly Nsk: number;
}

export function createHpke({ kem, kdf, aead, Nsk }: HpkeParts): Hpke {
  const suite = new HpkeJs({ kem, kdf, aead });
  const raw = (key: ArrayBuffer): Bytes => new Uint8Array(key);
  const unusable = (cause: unknown): CoppiceError =>
    new CoppiceError("ERR_MLS_CRYPTO", "the HPKE key is not usable with this suite", {
      requirement: "R-5.1.1-3",
      cause,
    });

  const pair = async (keys: CryptoKeyPair): Promise<HpkeKeyPair> => ({
    publicKey: raw(await kem.serializePublicKey(keys.publicKey)),
    privateKey: raw(await kem.serializePrivateKey(keys.privateKey)),
  });

  const importPublic = async (publicKey: Bytes): Promise<CryptoKey> => {
    try {
      return await kem.deserializePublicKey(unshared(publicKey));
    } catch (cause) {
      throw unusable(cause);
    }
  };

  const importPair = async (keys: HpkeKeyPair): Promise<CryptoKeyPair> => ({
    publicKey: await importPublic(keys.publicKey),
    privateKey: await kem.deserializePrivateKey(unshared(keys.privateKey)).catch((cause: unknown) => {
      throw unusable(cause);
    }),
  });

  const refused = (cause: unknown): CoppiceError =>
    new CoppiceError("ERR_MLS_AEAD", "the HPKE ciphertext does not open", { requirement: "R-5.1.3-2", cause });

  return {
    Npk: kem.publicKeySize,
    Nsk,
    generateKeyPair: async () => pair(await kem.generateKeyPair()),
    deriveKeyPair: async (secret) => pair(await kem.deriveKeyPair(unshared(secret))),
    validatePublicKey: async (publicKey) => {
      await importPublic(publicKey);
    },
    seal: async (publicKey, info, plaintext) => {
      const recipientPublicKey = await importPublic(publicKey);
      try {
        const { enc, ct } = await suite.seal({ recipientPublicKey, info: unshared(info) }, unshared(plaintext), EMPTY);
        return { kemOutput: raw(enc), ciphertext: raw(ct) };
      } catch (cause) {
        throw unusable(cause);
      }
    },
    open: async (keys, info, { kemOutput, ciphertext }) => {
      const recipientKey = await importPair(keys);
      try {
        return raw(
          await suite.open(
            { recipientKey, enc: unshared(kemOutput), info: unshared(info) },
            unshared(ciphertext),
            EMPTY,
          ),
        );
      } catch (cause) {
        throw refused(cause);
      }
    },
    sendExport: async (publicKey, context, length) => {
      const sender = await suite.createSenderContext({ recipientPublicKey: await importPublic(publicKey) });
      return { kemOutput: raw(sender.enc), secret: raw(await sender.export(unshared(context), length)) };
    },
    receiveExport: async (keys, kemOutput, context, length) => {
      const recipientKey = await importPair(keys);
      try {
        const receiver = await suite.createRecipientContext({ recipientKey, enc: unshared(kemOutput) });
        return raw(await receiver.export(unshared(context), length));
      } catch (cause) {
        throw refused(cause);
      }
    },
  };
}
