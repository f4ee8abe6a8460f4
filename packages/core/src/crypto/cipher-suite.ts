/** The cipher-suite table (RFC 9420 §5.1, §17.1). Nothing below it switches on the suite. */
import type { HashKernel, Kernel } from "@coppice/wasm";
import {
  Aes128Gcm,
  Aes256Gcm,
  DhkemP256HkdfSha256,
  DhkemP384HkdfSha384,
  DhkemP521HkdfSha512,
  DhkemX25519HkdfSha256,
  HkdfSha256,
  HkdfSha384,
  HkdfSha512,
} from "@hpke/core";
import { CoppiceError } from "../errors.ts";
import type { Aead } from "./aead.ts";
import { aesGcm, chacha20Poly1305, kernelAead } from "./aead.ts";
import { ecdsa } from "./ecdsa.ts";
import { ed25519, ed448 } from "./eddsa.ts";
import type { Hpke, HpkeParts } from "./hpke.ts";
import { createHpke } from "./hpke.ts";
import type { LoadedKernel } from "./kernel.ts";
import { loadKernel } from "./kernel.ts";
import type { SignatureScheme } from "./signature.ts";

/** A resolved row of the table. */
export interface CipherSuite {
  /** Registered or private-use number. */
  readonly id: number;
  readonly name: string;
  /** Hash, HMAC and HKDF; `hash.Nh` is the length of every secret of the key schedule. */
  readonly hash: HashKernel;
  readonly aead: Aead;
  readonly hpke: Hpke;
  readonly signature: SignatureScheme;
}

interface Row {
  readonly name: string;
  readonly hash: (kernel: Kernel) => HashKernel;
  readonly aead: (kernel: LoadedKernel) => Aead | Promise<Aead>;
  readonly hpke: () => HpkeParts | Promise<HpkeParts>;
  readonly signature: () => Promise<SignatureScheme>;
}

const sha256 = (kernel: Kernel): HashKernel => kernel.sha256;
const sha384 = (kernel: Kernel): HashKernel => kernel.sha384;
const sha512 = (kernel: Kernel): HashKernel => kernel.sha512;
const aes128Gcm = (kernel: LoadedKernel): Aead => (kernel.kind === "wasm" ? kernelAead(kernel.aes128gcm) : aesGcm(16));
const aes256Gcm = (kernel: LoadedKernel): Aead => (kernel.kind === "wasm" ? kernelAead(kernel.aes256gcm) : aesGcm(32));
const chacha20 = (kernel: LoadedKernel): Aead | Promise<Aead> =>
  kernel.kind === "wasm" ? kernelAead(kernel.chacha20poly1305) : chacha20Poly1305();
const chachaForHpke = async (): Promise<HpkeParts["aead"]> =>
  new (await import("@hpke/chacha20poly1305")).Chacha20Poly1305();
const x448ForHpke = async (): Promise<HpkeParts["kem"]> => new (await import("@hpke/dhkem-x448")).DhkemX448HkdfSha512();

const TABLE: ReadonlyMap<number, Row> = new Map<number, Row>([
  [
    0x0001,
    {
      name: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
      hash: sha256,
      aead: aes128Gcm,
      hpke: () => ({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm(), Nsk: 32 }),
      signature: ed25519,
    },
  ],
  [
    0x0002,
    {
      name: "MLS_128_DHKEMP256_AES128GCM_SHA256_P256",
      hash: sha256,
      aead: aes128Gcm,
      hpke: () => ({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm(), Nsk: 32 }),
      signature: () => ecdsa("P-256"),
    },
  ],
  [
    0x0003,
    {
      name: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
      hash: sha256,
      aead: chacha20,
      hpke: async () => ({
        kem: new DhkemX25519HkdfSha256(),
        kdf: new HkdfSha256(),
        aead: await chachaForHpke(),
        Nsk: 32,
      }),
      signature: ed25519,
    },
  ],
  [
    0x0004,
    {
      name: "MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448",
      hash: sha512,
      aead: aes256Gcm,
      hpke: async () => ({ kem: await x448ForHpke(), kdf: new HkdfSha512(), aead: new Aes256Gcm(), Nsk: 56 }),
      signature: ed448,
    },
  ],
  [
    0x0005,
    {
      name: "MLS_256_DHKEMP521_AES256GCM_SHA512_P521",
      hash: sha512,
      aead: aes256Gcm,
      hpke: () => ({ kem: new DhkemP521HkdfSha512(), kdf: new HkdfSha512(), aead: new Aes256Gcm(), Nsk: 66 }),
      signature: () => ecdsa("P-521"),
    },
  ],
  [
    0x0006,
    {
      name: "MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448",
      hash: sha512,
      aead: chacha20,
      hpke: async () => ({ kem: await x448ForHpke(), kdf: new HkdfSha512(), aead: await chachaForHpke(), Nsk: 56 }),
      signature: ed448,
    },
  ],
  [
    0x0007,
    {
      name: "MLS_256_DHKEMP384_AES256GCM_SHA384_P384",
      hash: sha384,
      aead: aes256Gcm,
      hpke: () => ({ kem: new DhkemP384HkdfSha384(), kdf: new HkdfSha384(), aead: new Aes256Gcm(), Nsk: 48 }),
      signature: () => ecdsa("P-384"),
    },
  ],
]);

/** Numbers of the suites that this implementation has, in ascending order. */
export const SUPPORTED_CIPHER_SUITES: readonly number[] = [...TABLE.keys()];

/**
 * Resolves a cipher suite. What suite 1 does not need is loaded when it is asked for.
 * `ERR_MLS_VERSION` for a number that is not in the table.
 */
export async function getCipherSuite(
  id: number,
  options: { readonly kernel?: Kernel["kind"] } = {},
): Promise<CipherSuite> {
  const row = TABLE.get(id);
  if (row === undefined) {
    throw new CoppiceError("ERR_MLS_VERSION", `cipher suite 0x${id.toString(16).padStart(4, "0")} is not supported`, {
      requirement: "R-5.1-1",
      detail: { cipherSuite: id },
    });
  }
  const kernel = await loadKernel(options.kernel);
  const [aead, hpke, signature] = await Promise.all([row.aead(kernel), row.hpke(), row.signature()]);
  return { id, name: row.name, hash: row.hash(kernel), aead, hpke: createHpke(hpke), signature };
}
