/** KEMs of hpke-js, over raw key bytes: the NIST curves and X448. */
import type { KemInterface } from "@hpke/core";
import type { Bytes } from "../codec/bytes.ts";
import type { HpkeKeyPair, Kem } from "./hpke.ts";
import { unshared } from "./platform.ts";

/** What hpke-js leaves to us. */
interface Particulars {
  /** hpke-js 1.9 says 64 instead of 66 for P-521 (RFC 9180 §7.1). */
  readonly Nsk: number;
  /** Asked before the platform is, about keys and about what comes with a ciphertext (RFC 9180 §7.1.4). */
  readonly isPublicKey: (publicKey: Bytes) => boolean;
  /** Firefox exports no private key of a NIST curve that was imported without the public one. */
  readonly derivePrivateKey?: (secret: Bytes) => Bytes;
}

export function hpkeJsKem(kem: KemInterface, { Nsk, isPublicKey, derivePrivateKey }: Particulars): Kem {
  const raw = (key: ArrayBuffer): Bytes => new Uint8Array(key);
  const importPublic = async (publicKey: Bytes): Promise<CryptoKey> => {
    if (!isPublicKey(publicKey)) throw new TypeError("The bytes are not a public key");
    return kem.deserializePublicKey(unshared(publicKey));
  };
  const pair = async (keys: CryptoKeyPair): Promise<HpkeKeyPair> => ({
    publicKey: raw(await kem.serializePublicKey(keys.publicKey)),
    privateKey: raw(await kem.serializePrivateKey(keys.privateKey)),
  });
  return {
    id: kem.id,
    Npk: kem.publicKeySize,
    Nsk,
    generateKeyPair: async () => pair(await kem.generateKeyPair()),
    deriveKeyPair: async (secret) => {
      const keys = await kem.deriveKeyPair(unshared(secret));
      if (derivePrivateKey === undefined) return pair(keys);
      return { publicKey: raw(await kem.serializePublicKey(keys.publicKey)), privateKey: derivePrivateKey(secret) };
    },
    validatePublicKey: async (publicKey) => {
      await importPublic(publicKey);
    },
    encap: async (recipient) => {
      const { enc, sharedSecret } = await kem.encap({ recipientPublicKey: await importPublic(recipient) });
      return { kemOutput: raw(enc), sharedSecret: raw(sharedSecret) };
    },
    decap: async (keys, kemOutput) => {
      const recipientKey = {
        publicKey: await importPublic(keys.publicKey),
        privateKey: await kem.deserializePrivateKey(unshared(keys.privateKey)),
      };
      if (!isPublicKey(kemOutput)) throw new TypeError("The KEM output is not a public key");
      return raw(await kem.decap({ recipientKey, enc: unshared(kemOutput) }));
    },
  };
}
