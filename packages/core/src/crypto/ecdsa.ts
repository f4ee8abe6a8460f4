/** ECDSA over P-256, P-384 and P-521 (RFC 8446 §4.2.3 scheme pairs of curve and hash). */
import type { Bytes } from "../codec/bytes.ts";
import { fromBase64url, toBase64url } from "./base64url.ts";
import { subtle } from "./platform.ts";
import { signatureFromDer, signatureToDer } from "./der.ts";
import { isNistPoint, NOBLE_CURVES } from "./nist-point.ts";
import { type NistCurveName, isScalar, NIST_CURVES } from "./nist-private-key.ts";
import { type PlatformScheme, malformedPrivateKey } from "./signature.ts";
import { VerificationKeys } from "./verification-keys.ts";

interface Curve {
  readonly hash: "SHA-256" | "SHA-384" | "SHA-512";
  /** Length of a field element, in bytes. */
  readonly length: number;
}

const CURVES: Readonly<Record<NistCurveName, Curve>> = {
  "P-256": { hash: "SHA-256", length: 32 },
  "P-384": { hash: "SHA-384", length: 48 },
  "P-521": { hash: "SHA-512", length: 66 },
};

export function ecdsa(name: NistCurveName): PlatformScheme {
  const { hash, length } = CURVES[name];
  const { order } = NIST_CURVES[name];
  const algorithm = { name: "ECDSA", namedCurve: name };
  const parameters = { name: "ECDSA", hash };
  const isPublicKey = (publicKey: Bytes): boolean => isNistPoint(name, publicKey);

  const verifiers = new VerificationKeys((publicKey) =>
    isPublicKey(publicKey) ? subtle().importKey("raw", publicKey, algorithm, false, ["verify"]) : undefined,
  );

  return {
    name,
    publicKeyLength: 2 * length + 1,
    privateKeyLength: length,
    generateKeyPair: async () => {
      const pair = await subtle().generateKey(algorithm, true, ["sign", "verify"]);
      const { d } = await subtle().exportKey("jwk", pair.privateKey);
      const publicKey = new Uint8Array(await subtle().exportKey("raw", pair.publicKey));
      return { publicKey, privateKey: fromBase64url(d) };
    },
    importSigner: async (privateKey) => {
      try {
        const publicKey = new Uint8Array(NOBLE_CURVES[name].getPublicKey(privateKey, false));
        const jwk = {
          kty: "EC",
          crv: name,
          d: toBase64url(privateKey),
          x: toBase64url(publicKey.subarray(1, 1 + length)),
          y: toBase64url(publicKey.subarray(1 + length)),
        };
        const key = await subtle().importKey("jwk", jwk, algorithm, false, ["sign"]);
        return {
          publicKey,
          sign: async (message) => signatureToDer(new Uint8Array(await subtle().sign(parameters, key, message))),
        };
      } catch (cause) {
        throw malformedPrivateKey(cause);
      }
    },
    isPublicKey,
    verify: async (publicKey, message, signature) => {
      const raw = signatureFromDer(signature, length);
      if (raw === undefined) return false;
      if (!isScalar(raw.subarray(0, length), order) || !isScalar(raw.subarray(length), order)) return false;
      try {
        const key = await verifiers.get(publicKey);
        return key !== undefined && (await subtle().verify(parameters, key, raw, message));
      } catch {
        return false;
      }
    },
  };
}
