/** The groups of the hybrid KEMs (draft-irtf-cfrg-concrete-hybrid-kems §3): X25519, P-256 and P-384, over raw bytes. */
import type { Bytes } from "../codec/bytes.ts";
import { CoppiceError } from "../errors.ts";
import { toBase64url } from "./base64url.ts";
import { x25519 } from "./dhkem-x25519.ts";
import { isNistPoint, NOBLE_CURVES } from "./nist-point.ts";
import { isScalar, NIST_CURVES } from "./nist-private-key.ts";
import { subtle } from "./platform.ts";
import { hasSmallOrder } from "./small-order.ts";
import type { X25519 } from "./x25519.ts";

/** A group of prime order, or one treated like it. A shared secret is an x-coordinate, for X25519 the function's result. */
export interface HybridGroup extends Omit<X25519, "generate"> {
  /** Length of an element, in bytes. */
  readonly Nelem: number;
  /** Length of the seed of a scalar, in bytes. */
  readonly Nseed: number;
  /** `RandomScalar`: of the seed's candidates, the first that is a scalar. */
  readonly scalarOf: (seed: Bytes) => Bytes;
  readonly isElement: (element: Bytes) => boolean;
}

/** Any 32 bytes are a scalar; points whose every shared secret is zero are refused as they are by DHKEM (RFC 9180 §7.1.4). */
export async function hybridX25519(): Promise<HybridGroup> {
  return {
    ...(await x25519()),
    Nelem: 32,
    Nseed: 32,
    scalarOf: (seed) => seed.slice(),
    isElement: (element) => element.length === 32 && !hasSmallOrder(element),
  };
}

/** Candidates that are drawn for one scalar: four for P-256, whose order is less than 2^256 by one in 2^32. */
const CANDIDATES = { "P-256": 4, "P-384": 1 } as const;

export function hybridNist(name: "P-256" | "P-384"): HybridGroup {
  const { order } = NIST_CURVES[name];
  const { length } = order;
  const algorithm = { name: "ECDH", namedCurve: name };

  const scalarOf = (seed: Bytes): Bytes => {
    for (let start = 0; start < seed.length; start += length) {
      const candidate = seed.slice(start, start + length);
      if (isScalar(candidate, order)) return candidate;
    }
    throw new CoppiceError("ERR_MLS_CRYPTO", "No private key can be derived from this seed");
  };
  const importPeer = (peer: Bytes): Promise<CryptoKey> => subtle().importKey("raw", peer, algorithm, false, []);
  const shared = async (key: CryptoKey, peer: Bytes): Promise<Bytes> =>
    new Uint8Array(await subtle().deriveBits({ name: "ECDH", public: await importPeer(peer) }, key, 8 * length));

  return {
    Nelem: 2 * length + 1,
    Nseed: CANDIDATES[name] * length,
    scalarOf,
    isElement: (element) => isNistPoint(name, element),
    publicKeyOf: (privateKey) => Promise.resolve(new Uint8Array(NOBLE_CURVES[name].getPublicKey(privateKey, false))),
    agree: async ({ privateKey, publicKey }, peer) => {
      const jwk = {
        kty: "EC",
        crv: name,
        d: toBase64url(privateKey),
        x: toBase64url(publicKey.subarray(1, 1 + length)),
        y: toBase64url(publicKey.subarray(1 + length)),
      };
      return shared(await subtle().importKey("jwk", jwk, algorithm, false, ["deriveBits"]), peer);
    },
    agreeOnce: async (peer) => {
      const ephemeral = await subtle().generateKey(algorithm, false, ["deriveBits"]);
      const publicKey = new Uint8Array(await subtle().exportKey("raw", ephemeral.publicKey));
      return { publicKey, dh: await shared(ephemeral.privateKey, peer) };
    },
  };
}
