/**
 * Ed25519 and X25519 on Node's synchronous functions, for bots and servers. SubtleCrypto takes a thread for each call there,
 * which costs as much as the operation.
 */
import { randomBytes } from "@coppice/kit";
import { type Bytes, concat, erase, fromHex } from "../codec/bytes.ts";
import { fromBase64url, toBase64url } from "./base64url.ts";
import type { PlatformEddsa } from "./eddsa-encodings.ts";
import type { HpkeKeyPair } from "./hpke.ts";
import type { Jwk, KeyObject, NodeCrypto } from "./platform.ts";
import { malformedPrivateKey } from "./signature.ts";
import { VerificationKeys } from "./verification-keys.ts";
import type { X25519 } from "./x25519.ts";

/**
 * Node reads the private part alone; it wants a public part, and does not look at it. The string cannot be erased, but Node takes
 * eleven times as long to import the same key as bytes (DER, 0.4 ms), and a Commit has many.
 */
function importX25519(node: NodeCrypto, privateKey: Bytes): KeyObject {
  const d = toBase64url(privateKey);
  return node.createPrivateKey({ key: { kty: "OKP", crv: "X25519", d, x: d }, format: "jwk" });
}

/** PKCS #8 (RFC 8410) around a 32-byte Ed25519 seed. */
const PKCS8_PREFIX = fromHex("302e020100300506032b657004220420");

/** Without a string of it: the key outlives all others, and is imported once. */
function importEd25519(node: NodeCrypto, seed: Bytes): KeyObject {
  const key = concat(PKCS8_PREFIX, seed);
  try {
    return node.createPrivateKey({ key, format: "der", type: "pkcs8" });
  } finally {
    erase(key);
  }
}

function importPublicKey(node: NodeCrypto, crv: Jwk["crv"], publicKey: Bytes): KeyObject {
  return node.createPublicKey({ key: { kty: "OKP", crv, x: toBase64url(publicKey) }, format: "jwk" });
}

function publicKeyOf(node: NodeCrypto, privateKey: KeyObject): Bytes {
  return fromBase64url(node.createPublicKey(privateKey).export({ format: "jwk" }).x);
}

/** X25519. An all-zero result makes Node throw (RFC 9180 §7.1.4). */
export function x25519OnNode(node: NodeCrypto): X25519 {
  // Any 32 bytes are a private key (RFC 7748 §5). Not `generateKeyPairSync`: Node 20 hangs if it collects garbage while it exports
  // a key that was made so.
  const generate = (): HpkeKeyPair & { readonly key: KeyObject } => {
    const privateKey = randomBytes(32);
    const key = importX25519(node, privateKey);
    return { privateKey, publicKey: publicKeyOf(node, key), key };
  };
  const agree = (privateKey: KeyObject, peer: Bytes): Bytes => {
    const publicKey = importPublicKey(node, "X25519", peer);
    return new Uint8Array(node.diffieHellman({ privateKey, publicKey }));
  };
  return {
    generate: async () => {
      await Promise.resolve();
      const { publicKey, privateKey } = generate();
      return { publicKey, privateKey };
    },
    publicKeyOf: async (privateKey) => {
      await Promise.resolve();
      return publicKeyOf(node, importX25519(node, privateKey));
    },
    agree: async ({ privateKey }, peer) => {
      await Promise.resolve();
      return agree(importX25519(node, privateKey), peer);
    },
    agreeOnce: async (peer) => {
      await Promise.resolve();
      const { publicKey, privateKey, key } = generate();
      erase(privateKey);
      return { publicKey, dh: agree(key, peer) };
    },
  };
}

/** Ed25519. `pooled` verifies on threads: faster for signatures that are verified together. */
export function ed25519OnNode(node: NodeCrypto, pooled: PlatformEddsa): PlatformEddsa {
  const verifiers = new VerificationKeys((publicKey) => importPublicKey(node, "Ed25519", publicKey));
  return {
    ...pooled,
    importSigner: async (seed) => {
      await Promise.resolve();
      if (seed.length !== 32) throw malformedPrivateKey();
      const key = importEd25519(node, seed);
      return {
        publicKey: publicKeyOf(node, key),
        sign: async (message) => {
          await Promise.resolve();
          return new Uint8Array(node.sign(null, message, key));
        },
      };
    },
    verify: aloneOrTogether((publicKey, message, signature) => {
      try {
        return node.verify(null, message, verifiers.get(publicKey), signature);
      } catch {
        return false;
      }
    }, pooled.verify),
  };
}

/** A call that is alone in its turn of the event loop is done by `alone`, calls made in one turn by `together`. */
export function aloneOrTogether<A extends readonly unknown[], R>(
  alone: (...call: A) => R,
  together: (...call: A) => Promise<R>,
): (...call: A) => Promise<R> {
  let waiting: (readonly [call: A, resolve: (result: R | Promise<R>) => void, reject: (cause: unknown) => void])[] = [];
  const run = (): void => {
    const calls = waiting;
    waiting = [];
    for (const [call, resolve, reject] of calls) {
      try {
        resolve(calls.length === 1 ? alone(...call) : together(...call));
      } catch (cause) {
        reject(cause);
      }
    }
  };
  return (...call) =>
    new Promise((resolve, reject) => {
      waiting.push([call, resolve, reject]);
      if (waiting.length === 1) queueMicrotask(run);
    });
}
