/**
 * Post-quantum cipher suites (draft-ietf-mls-pq-ciphersuites-06), as `@coppice/core/drafts/pq`. Not final: the suites have no numbers yet,
 * and the drafts that they build on may change. Nothing of it is loaded, or advertised, before it is asked for.
 */
import {
  addCipherSuites,
  type CipherSuiteRow,
  full,
  sha256Aes128Gcm,
  type SymmetricOfRow,
} from "../crypto/cipher-suite.ts";
import { ed25519 } from "../crypto/ed25519.ts";
import type { Kem } from "../crypto/hpke.ts";
import type { HybridKemName } from "../crypto/kem-hybrid.ts";
import type { MlDsaName } from "../crypto/ml-dsa-parameters.ts";
import type { MlKemName } from "../crypto/ml-kem-parameters.ts";
import type { PlatformScheme } from "../crypto/signature.ts";
import { isGrease } from "../extensions/grease.ts";

/** A suite of the draft, by the name that its §3.1 gives it. */
export type PqCipherSuite =
  | "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519"
  | "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519"
  | "MLS_128_MLKEM768P256_AES128GCM_SHA256_P256"
  | "MLS_128_MLKEM768P256_AES256GCM_SHA384_P256"
  | "MLS_192_MLKEM1024P384_AES256GCM_SHA384_P384"
  | "MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519"
  | "MLS_128_MLKEM768_AES256GCM_SHA384_P256"
  | "MLS_192_MLKEM1024_AES256GCM_SHA384_P384"
  | "MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44"
  | "MLS_192_MLKEM768_AES256GCM_SHA384_MLDSA65"
  | "MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87";

const hybrid = (name: HybridKemName) => async (): Promise<Kem> =>
  (await import("../crypto/kem-hybrid.ts")).kemHybrid(name);
const pure = (name: MlKemName) => async (): Promise<Kem> => (await import("../crypto/kem-ml-kem.ts")).kemMlKem(name);
const ecdsa = (name: "P-256" | "P-384") => async (): Promise<PlatformScheme> =>
  (await import("../crypto/ecdsa.ts")).ecdsa(name);
const mlDsa = (name: MlDsaName) => async (): Promise<PlatformScheme> =>
  (await import("../crypto/ml-dsa.ts")).mlDsa(name);

const aes128: SymmetricOfRow = sha256Aes128Gcm;
const aes256: SymmetricOfRow = full("sha384", "aes256gcm");
const chacha: SymmetricOfRow = full("sha384", "chacha20poly1305");

type Parts = readonly [SymmetricOfRow, CipherSuiteRow["kem"], CipherSuiteRow["signature"]];

/** The mapping of the draft's §3.1, in its order. */
const ROWS: Readonly<Record<PqCipherSuite, Parts>> = {
  MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519: [aes128, hybrid("MLKEM768-X25519"), ed25519],
  MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519: [aes256, hybrid("MLKEM768-X25519"), ed25519],
  MLS_128_MLKEM768P256_AES128GCM_SHA256_P256: [aes128, hybrid("MLKEM768-P256"), ecdsa("P-256")],
  MLS_128_MLKEM768P256_AES256GCM_SHA384_P256: [aes256, hybrid("MLKEM768-P256"), ecdsa("P-256")],
  MLS_192_MLKEM1024P384_AES256GCM_SHA384_P384: [aes256, hybrid("MLKEM1024-P384"), ecdsa("P-384")],
  MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519: [aes256, pure("ML-KEM-768"), ed25519],
  MLS_128_MLKEM768_AES256GCM_SHA384_P256: [aes256, pure("ML-KEM-768"), ecdsa("P-256")],
  MLS_192_MLKEM1024_AES256GCM_SHA384_P384: [aes256, pure("ML-KEM-1024"), ecdsa("P-384")],
  MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44: [chacha, hybrid("MLKEM768-X25519"), mlDsa("ML-DSA-44")],
  MLS_192_MLKEM768_AES256GCM_SHA384_MLDSA65: [aes256, pure("ML-KEM-768"), mlDsa("ML-DSA-65")],
  MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87: [aes256, pure("ML-KEM-1024"), mlDsa("ML-DSA-87")],
};

/** Which number stands for which suite. All members of a group, and whoever they meet, have to agree on it. */
export type PqCodePoints = Readonly<Partial<Record<PqCipherSuite, number>>>;

const NAMES = Object.keys(ROWS) as PqCipherSuite[];

/**
 * Numbers for private use (RFC 9420 §17.1), for as long as none are assigned: 0xFB01 for the draft's TBD1 to 0xFB0B for TBD11. Others may
 * use the same for something else, so that these are for groups within one application (Q-3.1-2).
 */
export const PQ_CODE_POINTS: Readonly<Record<PqCipherSuite, number>> = Object.fromEntries(
  NAMES.map((name, i) => [name, 0xfb01 + i]),
) as Record<PqCipherSuite, number>;

/**
 * Makes post-quantum suites known to `getCipherSuite` in this context: call it once in each page and worker, before any group or key package
 * of these suites is read. A suite's modules are loaded when the suite is first asked for. Nothing is advertised by this: name the
 * suites in `defaultCapabilities`.
 *
 * Without an argument all eleven get the numbers of `PQ_CODE_POINTS`; with one, those suites that it names. The same again changes
 * nothing, and a suite may have several numbers. `TypeError` for a name that the draft does not have. `RangeError` (Q-3.1-3), and nothing is
 * added: for a number that is not a `uint16` from 1, one that GREASE uses (RFC 9420 §13.5), and one that another suite has.
 *
 * @returns The numbers, in the draft's order.
 *
 * @example
 * ```ts run
 * import { getCipherSuite } from "@coppice/core";
 * import { PQ_CODE_POINTS, registerPqCipherSuites } from "@coppice/core/drafts/pq";
 *
 * registerPqCipherSuites();
 * const suite = await getCipherSuite(PQ_CODE_POINTS.MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519);
 * console.assert(suite.hpke.Npk === 1216); // bytes of a public key
 * ```
 */
export function registerPqCipherSuites(codePoints: PqCodePoints = PQ_CODE_POINTS): readonly number[] {
  const rows = new Map<number, CipherSuiteRow>();
  for (const name of Object.keys(codePoints)) {
    if (!Object.hasOwn(ROWS, name)) throw new TypeError(`The draft has no suite ${name}`);
  }
  for (const name of NAMES) {
    const id = codePoints[name];
    if (id === undefined) continue;
    const other = rows.get(assertCodePoint(id))?.name;
    if (other !== undefined) throw new RangeError(`${other} and ${name} cannot have one number`);
    const [symmetric, kem, signature] = ROWS[name];
    rows.set(id, { ...symmetric, name, kem, signature });
  }
  addCipherSuites(rows);
  return [...rows.keys()];
}

function assertCodePoint(id: number): number {
  if (!Number.isInteger(id) || id < 1 || id > 0xffff)
    throw new RangeError(`${String(id)} is not a number of a cipher suite`);
  if (isGrease(id)) throw new RangeError(`GREASE uses ${String(id)}, so that no cipher suite has it`);
  return id;
}
