/** Ed25519 (RFC 8032). */

import type { Kernel } from "@coppice/wasm";
import { type Bytes, concat, erase, fromHex } from "../codec/bytes.ts";
import { fromBase64url } from "./base64url.ts";
import { curveContext, mayUseCurveKernel } from "./curve-options.ts";
import { once } from "./kernel.ts";
import { nodeCrypto, subtle, works } from "./platform.ts";
import { type PlatformEddsa, EDWARDS25519, strictEddsa } from "./eddsa-encodings.ts";
import { type PlatformScheme, malformedPrivateKey } from "./signature.ts";
import { VerificationKeys } from "./verification-keys.ts";

/** PKCS #8 (RFC 8410) around a 32-byte Ed25519 seed. */
const PKCS8_PREFIX = fromHex("302e020100300506032b657004220420");
const ALGORITHM = "Ed25519";

async function publicKeyOf(privateKey: CryptoKey): Promise<Bytes> {
  const { x } = await subtle().exportKey("jwk", privateKey);
  return fromBase64url(x);
}

async function importPrivateKey(seed: Bytes, extractable: boolean): Promise<CryptoKey> {
  const pkcs8 = concat(PKCS8_PREFIX, seed);
  try {
    return await subtle().importKey("pkcs8", pkcs8, ALGORITHM, extractable, ["sign"]);
  } finally {
    erase(pkcs8);
  }
}

const verifiers = new VerificationKeys((publicKey) =>
  subtle().importKey("raw", publicKey, ALGORITHM, false, ["verify"]),
);

const ed25519OnSubtle: PlatformEddsa = {
  name: "Ed25519",
  publicKeyLength: 32,
  privateKeyLength: 32,
  generateKeyPair: async () => {
    const pair = await subtle().generateKey(ALGORITHM, true, ["sign", "verify"]);
    if (!("privateKey" in pair)) throw malformedPrivateKey();
    const pkcs8 = new Uint8Array(await subtle().exportKey("pkcs8", pair.privateKey));
    const privateKey = pkcs8.slice(PKCS8_PREFIX.length, PKCS8_PREFIX.length + 32);
    erase(pkcs8);
    return { privateKey, publicKey: new Uint8Array(await subtle().exportKey("raw", pair.publicKey)) };
  },
  importSigner: async (seed) => {
    if (seed.length !== 32) throw malformedPrivateKey();
    const publicKey = await publicKeyOf(await importPrivateKey(seed, true));
    const key = await importPrivateKey(seed, false);
    return {
      publicKey,
      sign: async (message) => new Uint8Array(await subtle().sign(ALGORITHM, key, message)),
    };
  },
  verify: async (publicKey, message, signature) => {
    try {
      return await subtle().verify(ALGORITHM, await verifiers.get(publicKey), signature, message);
    } catch {
      return false;
    }
  },
};

/** Whether every seed imports and signs. A zero first byte: WebKit's importer has refused such keys. */
const usable = (scheme: PlatformEddsa): Promise<boolean> =>
  works(() => scheme.importSigner(new Uint8Array(32)).then((signer) => signer.sign(new Uint8Array(1))));

/**
 * Whether signatures are verified by `S·B = R + k·A`, with k reduced by the order, for a key A that is B and a point of order 8, and
 * R = B. In the first signature k·A has no part of small order, unless k is not reduced: libgcrypt, which WebKitGTK uses, does
 * not. In the second it has one, which an equation times the cofactor does not see.
 */
async function verifiesStrictly({ verify }: PlatformEddsa): Promise<boolean> {
  const key = fromHex("98519eadf35b995233b51b5cd23e9cc5a28b639b5a4af0ec903cb960d81b7819");
  const check = (message: number, s: string): Promise<boolean> =>
    verify(key, Uint8Array.of(message), fromHex(`58${"66".repeat(31)}${s}`));
  return (
    (await check(2, "591651814fcac240352761f36a9e7b065a9623bb97153c99f7018e9bb94a000e")) &&
    !(await check(8, "927d4acd132ff455ce185afed11d49fc05d52eb2270f434433f96be54e497502"))
  );
}

/**
 * On SubtleCrypto where Ed25519 works, and beside it on Node's own functions; else on the curve kernel or noble. The curve kernel
 * also verifies where that is faster. `kind` "noble" is without WebAssembly.
 */
export async function ed25519(kind?: Kernel["kind"]): Promise<PlatformScheme> {
  const platform = await onPlatform(kind);
  return strictEddsa(EDWARDS25519, kind === "noble" ? platform : chosenLate(platform));
}

/** On the curve kernel, or on noble where that may not run. */
async function besidePlatform(kind?: Kernel["kind"]): Promise<PlatformEddsa> {
  if (mayUseCurveKernel(kind)) {
    try {
      const { ed25519OnKernel, loadCurveKernel } = await import("./curve-kernel.ts");
      return ed25519OnKernel(await loadCurveKernel());
    } catch {
      // No WebAssembly.
    }
  }
  return (await import("./ed25519-noble.ts")).ed25519OnNoble();
}

/** Verifications before there is a choice: what verifies little does not load what chooses. */
const BEFORE_CHOOSING = 16;

function chosenLate(platform: PlatformEddsa): PlatformEddsa {
  let calls = 0;
  let { verify } = platform;
  const load = once(async () => {
    const { choiceIn, verifiedByChoice } = await import("./ed25519-choice.ts");
    ({ verify } = verifiedByChoice(platform, choiceIn(curveContext)));
  });
  // Without the module the platform goes on.
  const choose = (): Promise<void> => load().catch(() => undefined);
  return {
    ...platform,
    verify: async (...given) => {
      const { implementation } = curveContext.options;
      if (implementation === "kernel") await choose();
      else if (implementation === "measured" && ++calls >= BEFORE_CHOOSING) void choose();
      return verify(...given);
    },
  };
}

async function onPlatform(kind?: Kernel["kind"]): Promise<PlatformEddsa> {
  const signs = await usable(ed25519OnSubtle);
  if (!signs || !(await verifiesStrictly(ed25519OnSubtle))) {
    const other = await besidePlatform(kind);
    return signs ? { ...ed25519OnSubtle, verify: other.verify } : other;
  }
  const node = nodeCrypto();
  if (node === undefined) return ed25519OnSubtle;
  const onNode = (await import("./node-25519.ts")).ed25519OnNode(node, ed25519OnSubtle);
  return (await usable(onNode)) && (await verifiesStrictly(onNode)) ? onNode : ed25519OnSubtle;
}
