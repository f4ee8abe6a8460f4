/** What newer engines add to SubtleCrypto for ML-KEM and ML-DSA (Modern Algorithms in the Web Cryptography API). */
import type { Bytes } from "../codec/bytes.ts";
import { subtle } from "./platform.ts";

/** A seed is 64 bytes for ML-KEM and 32 for ML-DSA: keys in their expanded form are not used. */
type ModernFormat = "raw-seed" | "raw-public";

type ModernUsage = "encapsulateBits" | "decapsulateBits" | "sign" | "verify";

/** As far as it is used here. TypeScript's library does not know it yet. */
interface ModernSubtle {
  readonly importKey: (
    format: ModernFormat,
    bytes: Bytes,
    algorithm: string,
    extractable: boolean,
    usages: readonly ModernUsage[],
  ) => Promise<CryptoKey>;
  readonly exportKey: (format: "raw-public", key: CryptoKey) => Promise<ArrayBuffer>;
  readonly getPublicKey: (privateKey: CryptoKey, usages: readonly ModernUsage[]) => Promise<CryptoKey>;
  readonly encapsulateBits: (
    algorithm: string,
    key: CryptoKey,
  ) => Promise<{ readonly ciphertext: ArrayBuffer; readonly sharedKey: ArrayBuffer }>;
  readonly decapsulateBits: (algorithm: string, key: CryptoKey, ciphertext: Bytes) => Promise<ArrayBuffer>;
  readonly sign: (algorithm: string, key: CryptoKey, message: Bytes) => Promise<ArrayBuffer>;
  readonly verify: (algorithm: string, key: CryptoKey, signature: Bytes, message: Bytes) => Promise<boolean>;
}

/** Whether it has these is found out by doing: engines differ, and calling what is missing throws like a refusal. */
export const modernSubtle = (): ModernSubtle => subtle() as unknown as ModernSubtle;

/** The public key that belongs to an imported private key, with the one usage that it has. */
export async function publicBytesOf(privateKey: CryptoKey, usage: ModernUsage): Promise<Bytes> {
  const publicKey = await modernSubtle().getPublicKey(privateKey, [usage]);
  return new Uint8Array(await modernSubtle().exportKey("raw-public", publicKey));
}
