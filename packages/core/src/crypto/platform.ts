/** The one place where the platform's cryptography is touched. */
import { assertBytes } from "@coppice/kit";
import { CoppiceError } from "../errors.ts";
import type { Bytes } from "../codec/bytes.ts";

let here: SubtleCrypto | undefined;

/** `crypto.subtle`; it exists in secure contexts (https, localhost) and in Node. Looked up once: a browser takes a while for it. */
export const subtle = (): SubtleCrypto => (here ??= findSubtle());

function findSubtle(): SubtleCrypto {
  const found = (globalThis as { crypto?: Partial<Crypto> }).crypto?.subtle;
  if (found === undefined) {
    throw new CoppiceError("ERR_MLS_CRYPTO", "SubtleCrypto is missing: serve the page over https or from localhost");
  }
  return found;
}

/** A JWK of curve 25519; `d` is the private key. */
export interface Jwk {
  readonly kty: "OKP";
  readonly crv: "Ed25519" | "X25519";
  readonly x: string;
  readonly d?: string;
}

export interface KeyObject {
  readonly export: (options: { readonly format: "jwk" }) => { readonly x?: string };
}

type Key =
  | { readonly key: Jwk; readonly format: "jwk" }
  | { readonly key: Uint8Array; readonly format: "der"; readonly type: "pkcs8" }
  | KeyObject;

/** What is used of `node:crypto`. */
export interface NodeCrypto {
  readonly createPrivateKey: (key: Key) => KeyObject;
  readonly createPublicKey: (key: Key) => KeyObject;
  readonly diffieHellman: (keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }) => Uint8Array;
  readonly sign: (algorithm: null, data: Uint8Array, key: KeyObject) => Uint8Array;
  readonly verify: (algorithm: null, data: Uint8Array, key: KeyObject, signature: Uint8Array) => boolean;
}

/** `node:crypto`, where there is one; asked for without an import, which a bundler for browsers would stumble over. */
export function nodeCrypto(): NodeCrypto | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => NodeCrypto | undefined } };
  return process?.getBuiltinModule?.("node:crypto");
}

/** WebCrypto wants buffers that are not shared between threads. `TypeError`, naming `what`, for what are no bytes. */
export function unshared(bytes: Uint8Array, what = "the input"): Bytes {
  assertBytes(bytes, what);
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
}

/** Whether an algorithm works here, found by doing it once: engines that name an algorithm do not always have it. */
export async function works(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch {
    return false;
  }
}
