/** ECDSA over P-256, P-384 and P-521 (RFC 8446 §4.2.3 scheme pairs of curve and hash). */
import { fromBase64url, toBase64url } from "./base64url.ts";
import { subtle, unshared } from "./platform.ts";
import { signatureFromDer, signatureToDer } from "./der.ts";
import type { NistCurveName } from "./nist-private-key.ts";
import type { SignatureScheme } from "./signature.ts";
import { malformedPrivateKey } from "./signature.ts";
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

export async function ecdsa(name: NistCurveName): Promise<SignatureScheme> {
  const { hash, length } = CURVES[name];
  const publicKeyLength = 2 * length + 1;
  const algorithm = { name: "ECDSA", namedCurve: name };
  const parameters = { name: "ECDSA", hash };
  const nist = await import("@noble/curves/nist.js");
  const curve = { "P-256": nist.p256, "P-384": nist.p384, "P-521": nist.p521 }[name];

  const verifiers = new VerificationKeys((publicKey) =>
    subtle().importKey("raw", publicKey, algorithm, false, ["verify"]),
  );

  return {
    name,
    publicKeyLength,
    privateKeyLength: length,
    generateKeyPair: async () => {
      const pair = await subtle().generateKey(algorithm, true, ["sign", "verify"]);
      const { d } = await subtle().exportKey("jwk", pair.privateKey);
      const publicKey = new Uint8Array(await subtle().exportKey("raw", pair.publicKey));
      return { publicKey, privateKey: fromBase64url(d) };
    },
    importSigner: async (privateKey) => {
      try {
        const publicKey = new Uint8Array(curve.getPublicKey(privateKey, false));
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
          sign: async (message) =>
            signatureToDer(new Uint8Array(await subtle().sign(parameters, key, unshared(message)))),
        };
      } catch (cause) {
        throw malformedPrivateKey(cause);
      }
    },
    verify: async (publicKey, message, signature) => {
      if (publicKey.length !== publicKeyLength || publicKey[0] !== 4) return false;
      const raw = signatureFromDer(signature, length);
      if (raw === undefined) return false;
      try {
        return await subtle().verify(parameters, await verifiers.get(publicKey), raw, unshared(message));
      } catch {
        return false;
      }
    },
  };
}
