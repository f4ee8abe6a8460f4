/** Signature schemes of the suites (RFC 9420 §5.1.2): SubtleCrypto where it works, else noble; one verdict on both. */
import { CoppiceError } from "../errors.ts";
import type { Bytes } from "../codec/bytes.ts";
import { unshared } from "./platform.ts";

/** Holds a signature private key and signs with it. A remote or hardware key fits behind it as well. */
export interface Signer {
  /** As in a leaf's `signature_key` (R-5.1.1-2). */
  readonly publicKey: Uint8Array;
  /**
   * The signature in the suite's encoding: R ‖ S for EdDSA, DER for ECDSA (R-5.1.2-2), raw for ML-DSA. The message may hold what is to be encrypted: it
   * is overwritten when the promise settles. Copy what has to last longer, and do not transfer its buffer.
   */
  readonly sign: (message: Bytes) => Promise<Uint8Array>;
}

/** A signer whose key is in this context. */
export interface LocalSigner extends Signer {
  readonly publicKey: Bytes;
  readonly sign: (message: Uint8Array) => Promise<Bytes>;
}

/** A freshly generated key: the seed (EdDSA, ML-DSA) or scalar (ECDSA) for encrypted storage, and its public key. */
export interface SignatureKeyPair {
  readonly publicKey: Bytes;
  /** Secret; erase it once stored. */
  readonly privateKey: Bytes;
}

/** A suite's signature algorithm (§5.1.2). */
export interface SignatureScheme {
  readonly name: "Ed25519" | "Ed448" | "P-256" | "P-384" | "P-521" | "ML-DSA-44" | "ML-DSA-65" | "ML-DSA-87";
  /** Public key length in bytes. */
  readonly publicKeyLength: number;
  /** Private key length in bytes: a seed (EdDSA, ML-DSA) or a scalar (ECDSA). */
  readonly privateKeyLength: number;
  readonly generateKeyPair: () => Promise<SignatureKeyPair>;
  /** A signer whose key cannot be read back where the platform has the algorithm. `ERR_MLS_CRYPTO` for a malformed key. */
  readonly importSigner: (privateKey: Uint8Array) => Promise<LocalSigner>;
  /**
   * Whether these bytes are a public key: an EdDSA point in its one encoding and not of small order, an uncompressed ECDSA point on
   * the curve. An EdDSA key that is off its curve is found by nobody's signature verifying.
   */
  readonly isPublicKey: (publicKey: Uint8Array) => boolean;
  /**
   * Whether the signature verifies; false for malformed keys and signatures. One verdict on every platform: what the RFCs leave
   * open (RFC 8032 §8.4, points of small order) is refused, and EdDSA is verified without the cofactor.
   */
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => Promise<boolean>;
}

/** A scheme as a platform has it, for bytes that are some and that no other thread changes. */
export interface PlatformScheme extends Pick<
  SignatureScheme,
  "name" | "publicKeyLength" | "privateKeyLength" | "generateKeyPair"
> {
  readonly importSigner: (
    privateKey: Bytes,
  ) => Promise<{ readonly publicKey: Bytes; readonly sign: (message: Bytes) => Promise<Bytes> }>;
  readonly isPublicKey: (publicKey: Bytes) => boolean;
  readonly verify: (publicKey: Bytes, message: Bytes, signature: Bytes) => Promise<boolean>;
}

/** The scheme for callers, who may hand in anything. */
export function guarded(scheme: PlatformScheme): SignatureScheme {
  const key = (publicKey: Uint8Array): Bytes => unshared(publicKey, "publicKey");
  return {
    ...scheme,
    importSigner: async (privateKey) => {
      const { publicKey, sign } = await scheme.importSigner(unshared(privateKey, "privateKey"));
      return { publicKey, sign: async (message) => sign(unshared(message, "message")) };
    },
    isPublicKey: (publicKey) => scheme.isPublicKey(key(publicKey)),
    verify: async (publicKey, message, signature) =>
      scheme.verify(key(publicKey), unshared(message, "message"), unshared(signature, "signature")),
  };
}

export const malformedPrivateKey = (cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_MLS_CRYPTO", "The signature private key is malformed", cause === undefined ? {} : { cause });
