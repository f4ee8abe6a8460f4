/** Ed25519 and Ed448 (RFC 8032) on noble, where the platform lacks them. */
import type { EdDSA } from "@noble/curves/abstract/edwards.js";
import { type Bytes, concat, equalBytes } from "../codec/bytes.ts";
import type { PlatformEddsa } from "./eddsa-encodings.ts";
import { malformedPrivateKey } from "./signature.ts";

interface NobleCurve {
  readonly name: "Ed25519" | "Ed448";
  readonly publicKeyLength: 32 | 57;
  readonly curve: EdDSA;
  /** Of R, A and the message, one after the other. */
  readonly hash: (input: Bytes) => Uint8Array;
}

const littleEndian = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

export function eddsaOnNoble({ name, publicKeyLength, curve, hash }: NobleCurve): PlatformEddsa {
  const { Point } = curve;
  // Not noble's own: it multiplies by the cofactor, so that it takes signatures that other platforms refuse.
  const verify = (publicKey: Bytes, message: Bytes, signature: Bytes): boolean => {
    const [r, s] = [signature.subarray(0, publicKeyLength), signature.subarray(publicKeyLength)];
    const k = Point.Fn.create(littleEndian(hash(concat(r, publicKey, message))));
    const product = Point.fromBytes(publicKey).multiplyUnsafe(k);
    return equalBytes(Point.BASE.multiplyUnsafe(littleEndian(s)).subtract(product).toBytes(), r);
  };
  return {
    name,
    publicKeyLength,
    privateKeyLength: publicKeyLength,
    generateKeyPair: () => {
      const privateKey = new Uint8Array(curve.utils.randomSecretKey());
      return Promise.resolve({ privateKey, publicKey: new Uint8Array(curve.getPublicKey(privateKey)) });
    },
    importSigner: (privateKey) => {
      if (privateKey.length !== publicKeyLength) return Promise.reject(malformedPrivateKey());
      const seed = new Uint8Array(privateKey);
      const publicKey = new Uint8Array(curve.getPublicKey(seed));
      return Promise.resolve({
        publicKey,
        sign: (message) => Promise.resolve(new Uint8Array(curve.sign(message, seed))),
      });
    },
    verify: (publicKey, message, signature) => {
      try {
        return Promise.resolve(verify(publicKey, message, signature));
      } catch {
        return Promise.resolve(false); // A is off the curve
      }
    },
  };
}
