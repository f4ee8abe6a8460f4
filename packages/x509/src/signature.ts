/** Signatures on certificates (RFC 5758, RFC 8410, RFC 8017). The one place of this package where WebCrypto is touched. */
import { ECDSASigValue } from "@peculiar/asn1-ecc";
import { type Bytes, CoppiceError, getCipherSuite, toHex } from "@coppice/core";
import type { Algorithm, Certificate, PublicKey } from "./certificate.ts";
import { parseDer } from "./der.ts";
import { type Curve, curveOf, ED25519, ED448, RSA } from "./public-key.ts";
import { refusal } from "./refusal.ts";

type Hash = "SHA-256" | "SHA-384" | "SHA-512";
/** Undefined: the issuer has a key of another kind. */
type Verify = (issuer: PublicKey, signedPart: Bytes, signature: Bytes) => Promise<boolean>;

/** Smaller keys can be broken, or will be within a certificate's life (NIST SP 800-57). */
const MIN_RSA_BITS = 2048;

/** By object identifier and parameters. SHA-1 and MD5 are broken; RSASSA-PSS is hardly used. */
const ALGORITHMS: ReadonlyMap<string, Verify> = new Map([
  [`${ED25519} `, edwards(ED25519, 0x0001)],
  [`${ED448} `, edwards(ED448, 0x0004)],
  ["1.2.840.10045.4.3.2 ", ecdsa("SHA-256")],
  ["1.2.840.10045.4.3.3 ", ecdsa("SHA-384")],
  ["1.2.840.10045.4.3.4 ", ecdsa("SHA-512")],
  ["1.2.840.113549.1.1.11 0500", rsa("SHA-256")],
  ["1.2.840.113549.1.1.12 0500", rsa("SHA-384")],
  ["1.2.840.113549.1.1.13 0500", rsa("SHA-512")],
]);

const keyOf = ({ id, parameters }: Algorithm): string => `${id} ${parameters === undefined ? "" : toHex(parameters)}`;

/**
 * Whether `issuer` signed this certificate. Refuses, with reason `algorithm`, what is signed in another way than with Ed25519,
 * Ed448, ECDSA or RSA PKCS #1 v1.5 and SHA-2; `ERR_MLS_CRYPTO` if the platform lacks the algorithm.
 */
export async function isSignedBy(certificate: Certificate, issuer: PublicKey): Promise<boolean> {
  const { signatureAlgorithm, signedPart, signature } = certificate;
  const verify = ALGORITHMS.get(keyOf(signatureAlgorithm));
  if (verify === undefined) throw notAccepted(`signature algorithm ${signatureAlgorithm.id} is not accepted`);
  return verify(issuer, signedPart, signature);
}

const notAccepted = (message: string): CoppiceError =>
  refusal(message, { reason: "algorithm", requirement: "R-5.3.1-1" });

/** By the core, which has these curves on every platform; `suite` is a cipher suite with this signature. */
function edwards(id: string, suite: number): Verify {
  return async ({ algorithm, key }, signedPart, signature) => {
    if (keyOf(algorithm) !== `${id} `) return false;
    const scheme = (await getCipherSuite(suite)).signature;
    return scheme.verify(key, signedPart, signature);
  };
}

function ecdsa(hash: Hash): Verify {
  return async (issuer, signedPart, signature) => {
    const curve = curveOf(issuer);
    if (curve === undefined) return false;
    const raw = rawSignature(signature, curve);
    if (raw === undefined) return false;
    // What else is a key, a compressed point or one off the curve, depends on the platform.
    const scheme = (await getCipherSuite(curve.suite)).signature;
    if (!scheme.isPublicKey(issuer.key)) return false;
    const key = await importKey(issuer, { name: "ECDSA", namedCurve: curve.name });
    return key !== undefined && globalThis.crypto.subtle.verify({ name: "ECDSA", hash }, key, raw, signedPart);
  };
}

function rsa(hash: Hash): Verify {
  return async (issuer, signedPart, signature) => {
    if (keyOf(issuer.algorithm) !== `${RSA} 0500`) return false;
    const key = await importKey(issuer, { name: "RSASSA-PKCS1-v1_5", hash });
    if (key === undefined) return false;
    if ("modulusLength" in key.algorithm && Number(key.algorithm.modulusLength) < MIN_RSA_BITS) {
      throw notAccepted(`an RSA key of less than ${String(MIN_RSA_BITS)} bits`);
    }
    return globalThis.crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, signature, signedPart);
  };
}

/** Undefined if the key is malformed. */
async function importKey(
  { der, algorithm: { id } }: PublicKey,
  algorithm: EcKeyImportParams | RsaHashedImportParams,
): Promise<CryptoKey | undefined> {
  try {
    return await globalThis.crypto.subtle.importKey("spki", der, algorithm, false, ["verify"]);
  } catch (cause) {
    if (!(cause instanceof DOMException && cause.name === "NotSupportedError")) return undefined;
    const message = `this platform's WebCrypto lacks ${algorithm.name} with the parameters of an issuer's key`;
    throw new CoppiceError("ERR_MLS_CRYPTO", message, { detail: { algorithm: id }, cause });
  }
}

/** ECDSA's DER to r ‖ s, as WebCrypto wants it; undefined for what is malformed, or not from 1 to below the order. */
function rawSignature(der: Bytes, { length, order }: Curve): Bytes | undefined {
  const raw = new Uint8Array(2 * length);
  try {
    const { r, s } = parseDer(der, ECDSASigValue);
    for (const [integer, end] of [[r, length] as const, [s, 2 * length] as const]) {
      const bytes = new Uint8Array(integer);
      const magnitude = bytes[0] === 0 ? bytes.subarray(1) : bytes;
      if (magnitude.length > length || (bytes[0] ?? 0) > 0x7f) return undefined;
      raw.set(magnitude, end - magnitude.length);
      const hex = toHex(raw.subarray(end - length, end));
      if (/^0*$/.test(hex) || hex >= toHex(order)) return undefined;
    }
    return raw;
  } catch {
    return undefined;
  }
}
