/**
 * Sign-in by signed challenge. The client signs what it is about to do, for whom and where, together with the server's
 * nonce: the label keeps the signature from being taken for an MLS signature (those start with "MLS 1.0 ") or one of a
 * device log, the audience keeps one server from using it at another, the nonce is good for one sign-in.
 */
import { codec, getCipherSuite } from "@coppice/core";
import { isCoppiceError } from "@coppice/kit";
import type { ClientId } from "../contract.ts";
import type { DeviceLogEntry } from "../device-log/entry.ts";
import { deviceLogEntry } from "../device-log/codec.ts";
import type { Call } from "./call.ts";
import { bytes, encode, integer, text, type Bytes, type Codec } from "./codec.ts";
import { client, input, MAX_SIGNATURE_BYTES, publicKey } from "./fields.ts";
const { optional, struct, uint16 } = codec;

/** Upper bound of a server's nonce, bytes. */
export const MAX_NONCE_BYTES = 128;

/** Upper bound of an origin such as `https://chat.example:8443`, bytes. */
const MAX_AUDIENCE_BYTES = 512;

/** Upper bound of a token: visible ASCII. */
export const MAX_TOKEN_BYTES = 128;

const nonce: Codec<Bytes> = bytes({ min: 1, max: MAX_NONCE_BYTES });

/** A client and the key that it signs in with. */
export interface Claimant {
  readonly client: ClientId;
  /** Cipher suite whose signature scheme the key is of. */
  readonly suite: number;
  readonly publicKey: Uint8Array;
}

/** What a signature answers for. */
export interface SignInStatement extends Claimant {
  /** Origin of the server as the client sees it. */
  readonly audience: string;
  readonly nonce: Uint8Array;
}

const statement: Codec<SignInStatement & { readonly label: string }> = struct({
  label: text(64),
  audience: text(MAX_AUDIENCE_BYTES),
  client,
  suite: uint16,
  publicKey: input(publicKey),
  nonce: input(nonce),
});

/** The bytes that `Identity.sign` signs. */
export function signInMessage({ audience, client, suite, publicKey, nonce }: SignInStatement): Bytes {
  return encode(statement, { label: "Coppice DS sign-in 2", audience, client, suite, publicKey, nonce });
}

/** Whether `signature` is one over the statement under its own public key. */
export async function verifySignIn(value: SignInStatement, signature: Uint8Array): Promise<boolean> {
  try {
    const suite = await getCipherSuite(value.suite);
    const key = new Uint8Array(value.publicKey);
    return await suite.signature.verify(key, signInMessage(value), new Uint8Array(signature));
  } catch (error) {
    if (isCoppiceError(error, "ERR_MLS_VERSION")) return false;
    throw error;
  }
}

/** Asks for a nonce to sign in with. */
export const requestChallenge: Call<Claimant, { readonly nonce: Bytes }> = {
  name: "requestChallenge",
  path: "v2/challenge",
  request: struct<Claimant>({ client, suite: uint16, publicKey: input(publicKey) }),
  answer: struct({ nonce }),
};

/** Answers the challenge. */
export interface SignInRequest extends SignInStatement {
  readonly signature: Uint8Array;
  /** First entry of the user's device log, to register the user where the name is free. */
  readonly register: DeviceLogEntry | undefined;
}

/** Yields a bearer token: visible ASCII, valid until `expiresAt` (server's clock, milliseconds since 1970). */
export const signIn: Call<SignInRequest, { readonly token: string; readonly expiresAt: number }> = {
  name: "signIn",
  path: "v2/sign-in",
  request: struct<SignInRequest>({
    audience: text(MAX_AUDIENCE_BYTES),
    client,
    suite: uint16,
    publicKey: input(publicKey),
    nonce: input(nonce),
    signature: input(bytes({ max: MAX_SIGNATURE_BYTES })),
    register: optional(deviceLogEntry),
  }),
  answer: struct({ token: text(MAX_TOKEN_BYTES), expiresAt: integer() }),
};
