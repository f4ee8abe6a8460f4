/** The cipher-suite table (RFC 9420 §5.1, §17.1). Nothing below it switches on the suite. */
import type { AeadKernel, BasicWasmKernel, HashKernel, Kernel } from "@coppice/wasm";
import { CoppiceError } from "../errors.ts";
import { type Aead, aesGcm, aesGcmByLength, chacha20Poly1305, kernelAead } from "./aead.ts";
import { dhkemX25519 } from "./dhkem-x25519.ts";
import { ed25519 } from "./ed25519.ts";
import { type Hpke, type Kem, createHpke } from "./hpke.ts";
import { loadFullKernel, loadKernel } from "./kernel.ts";
import { type MessageProtection, kernelMessages, stepwiseMessages } from "./message-protection.ts";
import type { NistCurveName } from "./nist-private-key.ts";
import { type PlatformScheme, type SignatureScheme, guarded } from "./signature.ts";

/** A resolved row of the table. */
export interface CipherSuite {
  /** Registered or private-use number. */
  readonly id: number;
  readonly name: string;
  /** Hash, HMAC and HKDF; `hash.Nh` is the length of every secret of the key schedule. */
  readonly hash: HashKernel;
  readonly aead: Aead;
  /** Encryption of private messages with hash and AEAD. */
  readonly messages: MessageProtection;
  readonly hpke: Hpke;
  readonly signature: SignatureScheme;
}

export type Kind = Kernel["kind"];

/** Hash and AEAD, and what encrypts messages with the two. */
type Symmetric = Pick<CipherSuite, "hash" | "aead" | "messages">;

/** A row: HPKE's identifiers of KDF and AEAD are those of the suite's hash and AEAD (R-17.1-2). */
export interface CipherSuiteRow {
  readonly name: string;
  readonly symmetric: (kind?: Kind) => Promise<Symmetric>;
  readonly kdfId: number;
  readonly aeadId: number;
  readonly kem: (kind?: Kind) => Promise<Kem>;
  readonly signature: (kind?: Kind) => Promise<PlatformScheme>;
}

async function onWasm(kernel: BasicWasmKernel, hash: HashKernel, aeadKernel: AeadKernel): Promise<Symmetric> {
  const isAes = aeadKernel.name !== "ChaCha20-Poly1305";
  const aead = isAes ? await aesGcmByLength(aeadKernel) : kernelAead(aeadKernel);
  return { hash, aead, messages: kernelMessages(kernel.messages(hash.name, aeadKernel.name), { hash, aead }) };
}

const stepwise = (hash: HashKernel, aead: Aead): Symmetric => ({
  hash,
  aead,
  messages: stepwiseMessages({ hash, aead }),
});

export type SymmetricOfRow = Pick<CipherSuiteRow, "symmetric" | "kdfId" | "aeadId">;

export const sha256Aes128Gcm: SymmetricOfRow = {
  symmetric: async (kind) => {
    const kernel = await loadKernel(kind);
    return kernel.kind === "wasm"
      ? onWasm(kernel, kernel.sha256, kernel.aes128gcm)
      : stepwise(kernel.sha256, aesGcm(16));
  },
  kdfId: 0x0001,
  aeadId: 0x0001,
};

/** Those of the suites that need the full kernel. */
export const full = (hash: "sha256" | "sha384" | "sha512", aead: "aes256gcm" | "chacha20poly1305"): SymmetricOfRow => ({
  symmetric: async (kind) => {
    const kernel = await loadFullKernel(kind);
    if (kernel.kind === "wasm") return onWasm(kernel, kernel[hash], kernel[aead]);
    return stepwise(kernel[hash], aead === "aes256gcm" ? aesGcm(32) : await chacha20Poly1305());
  },
  kdfId: { sha256: 0x0001, sha384: 0x0002, sha512: 0x0003 }[hash],
  aeadId: { aes256gcm: 0x0002, chacha20poly1305: 0x0003 }[aead],
});

const x25519 = async (kind?: Kind): Promise<Kem> => dhkemX25519((await loadKernel(kind)).sha256, kind);
/** Modules of the curves that suite 1 does not need. */
const x448 = async (): Promise<Kem> => (await import("./dhkem-x448.ts")).dhkemX448();
const nist = (curve: NistCurveName): Pick<CipherSuiteRow, "kem" | "signature"> => ({
  kem: async (kind) => (await import("./dhkem-nist.ts")).dhkemNist(await loadFullKernel(kind), curve),
  signature: async () => (await import("./ecdsa.ts")).ecdsa(curve),
});
const ed448 = async (): Promise<PlatformScheme> => (await import("./ed448.ts")).ed448();

const TABLE: Map<number, CipherSuiteRow> = new Map<number, CipherSuiteRow>([
  [
    0x0001,
    {
      name: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
      ...sha256Aes128Gcm,
      kem: x25519,
      signature: ed25519,
    },
  ],
  [
    0x0002,
    {
      name: "MLS_128_DHKEMP256_AES128GCM_SHA256_P256",
      ...sha256Aes128Gcm,
      ...nist("P-256"),
    },
  ],
  [
    0x0003,
    {
      name: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
      ...full("sha256", "chacha20poly1305"),
      kem: x25519,
      signature: ed25519,
    },
  ],
  [
    0x0004,
    { name: "MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448", ...full("sha512", "aes256gcm"), kem: x448, signature: ed448 },
  ],
  [
    0x0005,
    {
      name: "MLS_256_DHKEMP521_AES256GCM_SHA512_P521",
      ...full("sha512", "aes256gcm"),
      ...nist("P-521"),
    },
  ],
  [
    0x0006,
    {
      name: "MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448",
      ...full("sha512", "chacha20poly1305"),
      kem: x448,
      signature: ed448,
    },
  ],
  [
    0x0007,
    {
      name: "MLS_256_DHKEMP384_AES256GCM_SHA384_P384",
      ...full("sha384", "aes256gcm"),
      ...nist("P-384"),
    },
  ],
]);

/** Numbers of the suites of RFC 9420, all of which this implementation has, in ascending order. Those of drafts are not among them. */
export const SUPPORTED_CIPHER_SUITES: readonly number[] = [...TABLE.keys()];

/** Whether `getCipherSuite` has this suite: one of RFC 9420, or one that was added in this context. */
export const isCipherSuite = (id: number): boolean => TABLE.has(id);

/** Adds rows under their numbers, all or none. `RangeError` for a number that another suite has; the same suite again changes nothing. */
export function addCipherSuites(rows: ReadonlyMap<number, CipherSuiteRow>): void {
  for (const [id, { name }] of rows) {
    const there = TABLE.get(id)?.name ?? name;
    if (there !== name) throw new RangeError(`Cipher suite 0x${hex(id)} is ${there} already, and cannot be ${name}`);
  }
  for (const [id, row] of rows) if (!TABLE.has(id)) TABLE.set(id, row);
}

const hex = (id: number): string => id.toString(16).padStart(4, "0");

/** Suites of this context: what its platform can do is found out by doing it, which takes milliseconds. */
const resolved = new Map<string, Promise<CipherSuite>>();

/**
 * Resolves a cipher suite, once in each context. What suite 1 does not need is loaded when it is asked for.
 * `ERR_MLS_VERSION` for a number that is not in the table: the suites of RFC 9420, and those of drafts that were added in this context.
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
    throw new CoppiceError("ERR_MLS_VERSION", `Cipher suite 0x${hex(id)} is not supported`, {
      requirement: "R-5.1-1",
      detail: { cipherSuite: id },
    });
  }
  const { kernel } = options;
  const place = `${String(id)} ${String(kernel)}`;
  const suite = resolved.get(place) ?? resolve(id, row, kernel);
  resolved.set(place, suite);
  // A module that could not be loaded may be there the next time.
  suite.catch(() => resolved.delete(place));
  return suite;
}

async function resolve(id: number, row: CipherSuiteRow, kernel: Kind | undefined): Promise<CipherSuite> {
  const [{ hash, aead, messages }, kem, signature] = await Promise.all([
    row.symmetric(kernel),
    row.kem(kernel),
    row.signature(kernel),
  ]);
  const { kdfId, aeadId, name } = row;
  return {
    id,
    name,
    hash,
    aead,
    messages,
    hpke: createHpke({ kem, hash, aead, kdfId, aeadId }),
    signature: guarded(signature),
  };
}
