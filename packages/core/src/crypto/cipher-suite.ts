/** The cipher-suite table (RFC 9420 §5.1, §17.1). Nothing below it switches on the suite. */
import type { HashKernel, Kernel } from "@coppice/wasm";
import { CoppiceError } from "../errors.ts";
import type { Aead } from "./aead.ts";
import { aesGcm, chacha20Poly1305, kernelAead } from "./aead.ts";
import { dhkemX25519 } from "./dhkem-x25519.ts";
import { ed25519 } from "./ed25519.ts";
import type { Hpke, Kem } from "./hpke.ts";
import { createHpke } from "./hpke.ts";
import { loadFullKernel, loadKernel } from "./kernel.ts";
import type { NistCurveName } from "./nist-private-key.ts";
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

type Kind = Kernel["kind"];

/** A row: HPKE's identifiers of KDF and AEAD are those of the suite's hash and AEAD (R-17.1-2). */
interface Row {
  readonly name: string;
  readonly hash: (kind?: Kind) => Promise<HashKernel>;
  readonly kdfId: number;
  readonly aead: (kind?: Kind) => Promise<Aead>;
  readonly aeadId: number;
  readonly kem: (kind?: Kind) => Promise<Kem>;
  readonly signature: () => Promise<SignatureScheme>;
}

type Hash = Pick<Row, "hash" | "kdfId">;
const sha256: Hash = { hash: async (kind) => (await loadKernel(kind)).sha256, kdfId: 0x0001 };
const sha384: Hash = { hash: async (kind) => (await loadFullKernel(kind)).sha384, kdfId: 0x0002 };
const sha512: Hash = { hash: async (kind) => (await loadFullKernel(kind)).sha512, kdfId: 0x0003 };

type AeadOfRow = Pick<Row, "aead" | "aeadId">;
const aes = (algorithm: "aes128gcm" | "aes256gcm", Nk: 16 | 32, aeadId: number): AeadOfRow => ({
  aead: async (kind) => {
    const kernel = await loadKernel(kind);
    return kernel.kind === "wasm" ? kernelAead(kernel[algorithm]) : aesGcm(Nk);
  },
  aeadId,
});
const aes128Gcm = aes("aes128gcm", 16, 0x0001);
const aes256Gcm = aes("aes256gcm", 32, 0x0002);
const chacha20: AeadOfRow = {
  aead: async (kind) => {
    const kernel = await loadFullKernel(kind);
    return kernel.kind === "wasm" ? kernelAead(kernel.chacha20poly1305) : chacha20Poly1305();
  },
  aeadId: 0x0003,
};

const x25519 = async (kind?: Kind): Promise<Kem> => dhkemX25519((await loadKernel(kind)).sha256);
/** Modules of the curves that suite 1 does not need. */
const x448 = async (): Promise<Kem> => (await import("./dhkem-x448.ts")).dhkemX448();
const nist = (curve: NistCurveName): Pick<Row, "kem" | "signature"> => ({
  kem: async (kind) => (await import("./dhkem-nist.ts")).dhkemNist(await loadFullKernel(kind), curve),
  signature: async () => (await import("./ecdsa.ts")).ecdsa(curve),
});
const ed448 = async (): Promise<SignatureScheme> => (await import("./ed448.ts")).ed448();

const TABLE: ReadonlyMap<number, Row> = new Map<number, Row>([
  [
    0x0001,
    {
      name: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
      ...{ ...sha256, ...aes128Gcm },
      kem: x25519,
      signature: ed25519,
    },
  ],
  [
    0x0002,
    {
      name: "MLS_128_DHKEMP256_AES128GCM_SHA256_P256",
      ...{ ...sha256, ...aes128Gcm },
      ...nist("P-256"),
    },
  ],
  [
    0x0003,
    {
      name: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
      ...{ ...sha256, ...chacha20 },
      kem: x25519,
      signature: ed25519,
    },
  ],
  [
    0x0004,
    { name: "MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448", ...{ ...sha512, ...aes256Gcm }, kem: x448, signature: ed448 },
  ],
  [
    0x0005,
    {
      name: "MLS_256_DHKEMP521_AES256GCM_SHA512_P521",
      ...{ ...sha512, ...aes256Gcm },
      ...nist("P-521"),
    },
  ],
  [
    0x0006,
    {
      name: "MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448",
      ...{ ...sha512, ...chacha20 },
      kem: x448,
      signature: ed448,
    },
  ],
  [
    0x0007,
    {
      name: "MLS_256_DHKEMP384_AES256GCM_SHA384_P384",
      ...{ ...sha384, ...aes256Gcm },
      ...nist("P-384"),
    },
  ],
]);

/** Numbers of the suites that this implementation has, in ascending order. */
export const SUPPORTED_CIPHER_SUITES: readonly number[] = [...TABLE.keys()];

/**
 * Resolves a cipher suite. What suite 1 does not need is loaded when it is asked for.
 * `ERR_MLS_VERSION` for a number that is not in the table.
 *
 * @example
 * ```ts run
 * import { getCipherSuite } from "@coppice/core";
 *
 * const suite = await getCipherSuite(0x0001);
 * console.assert(suite.name === "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519");
 * console.assert(suite.hash.Nh === 32); // bytes of each secret
 * ```
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
  const { kernel } = options;
  const [hash, aead, kem, signature] = await Promise.all([
    row.hash(kernel),
    row.aead(kernel),
    row.kem(kernel),
    row.signature(),
  ]);
  const { kdfId, aeadId, name } = row;
  return { id, name, hash, aead, hpke: createHpke({ kem, hash, aead, kdfId, aeadId }), signature };
}
