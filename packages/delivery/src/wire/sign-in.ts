/**
 * Sign-in by signed challenge. The client signs what it is about to do, for whom and where, together with the server's
 * nonce: the label keeps the signature from being taken for an MLS signature (those start with "MLS 1.0 "), the
 * audience keeps one server from using it at another, the nonce is good for one sign-in.
 */
import { codec } from "@coppice/core";
import { bytes, encode, text, type Bytes, type Codec } from "./codec.ts";
import { MAX_NAME_BYTES } from "./names.ts";

/** Bytes of an Ed25519 public key. */
export const PUBLIC_KEY_BYTES = 32;

/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;

/** Upper bound of a server's nonce, bytes. */
export const MAX_NONCE_BYTES = 128;

/** Upper bound of an origin such as `https://chat.example:8443`, bytes. */
export const MAX_AUDIENCE_BYTES = 512;

/** What a signature answers for. */
export interface SignInStatement {
  /** Origin of the server as the client sees it. */
  readonly audience: string;
  readonly user: string;
  readonly publicKey: Uint8Array;
  readonly nonce: Uint8Array;
}

const statement: Codec<SignInStatement & { readonly label: string }> = codec.struct({
  label: text(64),
  audience: text(MAX_AUDIENCE_BYTES),
  user: text(MAX_NAME_BYTES),
  publicKey: bytes({ min: PUBLIC_KEY_BYTES, max: PUBLIC_KEY_BYTES }) as Codec<Uint8Array>,
  nonce: bytes({ min: 1, max: MAX_NONCE_BYTES }) as Codec<Uint8Array>,
});

/** The bytes that `Identity.sign` signs: `label<V> audience<V> user<V> publicKey<V> nonce<V>`. */
export function signInMessage(value: SignInStatement): Bytes {
  return encode(statement, { label: "Coppice DS sign-in 1", ...value });
}

/** Whether `signature` is the Ed25519 signature of the statement under its own public key. */
export async function verifySignIn(value: SignInStatement, signature: Uint8Array): Promise<boolean> {
  const { subtle } = globalThis.crypto;
  try {
    const key = await subtle.importKey("raw", new Uint8Array(value.publicKey), "Ed25519", false, ["verify"]);
    return await subtle.verify("Ed25519", key, new Uint8Array(signature), signInMessage(value));
  } catch {
    // A key that is not a point of the curve signs nothing.
    return false;
  }
}
