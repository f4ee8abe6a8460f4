/** The kernel of curve 25519, where it stands in for a platform that lacks the curve or gets it wrong. */
import { randomBytes } from "@coppice/kit";
import type { CurveKernel } from "@coppice/wasm/curve";
import { type Bytes, erase } from "../codec/bytes.ts";
import type { PlatformEddsa } from "./eddsa-encodings.ts";
import type { HpkeKeyPair } from "./hpke.ts";
import { malformedPrivateKey } from "./signature.ts";
import type { X25519 } from "./x25519.ts";

let kernel: CurveKernel | undefined;

/** This context's; rejects where WebAssembly may not run. */
export async function loadCurveKernel(): Promise<CurveKernel> {
  const { createCurveKernel } = await import("@coppice/wasm/curve");
  return (kernel ??= createCurveKernel());
}

export function ed25519OnKernel(curve: CurveKernel): PlatformEddsa {
  return {
    name: "Ed25519",
    publicKeyLength: 32,
    privateKeyLength: 32,
    generateKeyPair: async () => {
      await Promise.resolve();
      const privateKey = randomBytes(32);
      return { privateKey, publicKey: curve.signingKey(privateKey) };
    },
    importSigner: async (privateKey) => {
      await Promise.resolve();
      if (privateKey.length !== 32) throw malformedPrivateKey();
      const seed = new Uint8Array(privateKey);
      const publicKey = curve.signingKey(seed);
      return {
        publicKey,
        sign: async (message) => {
          await Promise.resolve();
          return curve.sign(seed, publicKey, message);
        },
      };
    },
    verify: async (publicKey, message, signature) => {
      await Promise.resolve();
      return curve.verifyMany([{ publicKey, message, signature }])[0] === true;
    },
  };
}

export function x25519OnKernel(curve: CurveKernel): X25519 {
  const generate = (): HpkeKeyPair => {
    const privateKey = randomBytes(32);
    return { privateKey, publicKey: curve.agreementKey(privateKey) };
  };
  const agree = (privateKey: Bytes, peer: Bytes): Bytes => {
    const dh = curve.agree(privateKey, peer);
    if (dh === undefined) throw new TypeError("The agreement is zero");
    return dh;
  };
  return {
    generate: async () => {
      await Promise.resolve();
      return generate();
    },
    publicKeyOf: async (privateKey) => {
      await Promise.resolve();
      return curve.agreementKey(privateKey);
    },
    agree: async ({ privateKey }, peer) => {
      await Promise.resolve();
      return agree(privateKey, peer);
    },
    agreeOnce: async (peer) => {
      await Promise.resolve();
      const { privateKey, publicKey } = generate();
      try {
        return { publicKey, dh: agree(privateKey, peer) };
      } finally {
        erase(privateKey);
      }
    },
  };
}
