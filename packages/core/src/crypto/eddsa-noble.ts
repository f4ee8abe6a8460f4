/** Ed25519 and Ed448 (RFC 8032) on noble, where the platform lacks them. */
import type { SignatureScheme } from "./signature.ts";
import { malformedPrivateKey } from "./signature.ts";

/** What we need of a noble curve. */
interface NobleEdwards {
  readonly utils: { readonly randomSecretKey: () => Uint8Array };
  readonly getPublicKey: (seed: Uint8Array) => Uint8Array;
  readonly sign: (message: Uint8Array, seed: Uint8Array) => Uint8Array;
  readonly verify: (
    signature: Uint8Array,
    message: Uint8Array,
    key: Uint8Array,
    options: { zip215: boolean },
  ) => boolean;
}

export function eddsaOnNoble(
  name: "Ed25519" | "Ed448",
  publicKeyLength: 32 | 57,
  curve: NobleEdwards,
): SignatureScheme {
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
      if (publicKey.length !== publicKeyLength || signature.length !== 2 * publicKeyLength)
        return Promise.resolve(false);
      try {
        return Promise.resolve(curve.verify(signature, message, publicKey, { zip215: false }));
      } catch {
        return Promise.resolve(false);
      }
    },
  };
}
