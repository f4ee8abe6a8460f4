/**
 * A key from a passkey, by the PRF extension of WebAuthn (Web Authentication Level 3 §10.1.4). In a module of its own: only pages that
 * use passkeys load it.
 */
import { CoppiceError } from "@coppice/kit";
import { keyFromPrf, type StoreKey } from "@coppice/storage/keys";

/** What finds a passkey again. None of it is secret; whoever loses it loses the key. */
export interface Passkey {
  /** The credential's id, base64url. */
  readonly id: string;
  /** 32 bytes, base64url: what the passkey computes the key of. */
  readonly salt: string;
}

/** Codes of passkeys. */
export type PasskeyErrorCode =
  | "ERR_STORE_PASSKEY_UNSUPPORTED" // this browser, or the authenticator, has no PRF extension
  | "ERR_STORE_PASSKEY_REFUSED"; // the person declined, or took too long: `cause`

export interface CreatePasskeyOptions {
  /** What the authenticator shows of the account. */
  readonly name: string;
  /** What it shows of the site. Default: the host's name. */
  readonly site?: string;
  readonly signal?: AbortSignal;
}

const SALT_BYTES = 32;

/**
 * Makes a passkey for this origin, with the authenticator's question to the person; to be called after a click. Keep what it
 * returns.
 *
 * @throws `CoppiceError` `ERR_STORE_PASSKEY_UNSUPPORTED`, `ERR_STORE_PASSKEY_REFUSED`; the signal's reason.
 */
export async function createPasskey({ name, site, signal }: CreatePasskeyOptions): Promise<Passkey> {
  const random = (length: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(length));
  const credential = await ask(signal, () =>
    navigator.credentials.create({
      ...(signal === undefined ? {} : { signal }),
      publicKey: {
        rp: { name: site ?? location.hostname },
        user: { id: random(32), name, displayName: name },
        // Nobody verifies the signature: what counts is the extension.
        challenge: random(32),
        pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        extensions: { prf: {} },
      },
    }),
  );
  if (credential.getClientExtensionResults().prf?.enabled !== true) throw unsupported();
  return { id: toBase64url(new Uint8Array(credential.rawId)), salt: toBase64url(random(SALT_BYTES)) };
}

/**
 * The key that a passkey gives, after the authenticator's question to the person: the same each time.
 *
 * @throws `CoppiceError` `ERR_STORE_PASSKEY_UNSUPPORTED`, `ERR_STORE_PASSKEY_REFUSED`; the signal's reason; `TypeError` for what is no
 * passkey.
 */
export async function passkeyKey(
  { id, salt }: Passkey,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<StoreKey> {
  const credentialId = fromBase64url(id);
  const first = fromBase64url(salt);
  const credential = await ask(signal, () =>
    navigator.credentials.get({
      ...(signal === undefined ? {} : { signal }),
      publicKey: {
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        allowCredentials: [{ type: "public-key", id: credentialId }],
        userVerification: "required",
        extensions: { prf: { eval: { first } } },
      },
    }),
  );
  const output = credential.getClientExtensionResults().prf?.results?.first;
  if (output === undefined) throw unsupported();
  return keyFromPrf(output);
}

async function ask(
  signal: AbortSignal | undefined,
  question: () => Promise<Credential | null>,
): Promise<PublicKeyCredential> {
  signal?.throwIfAborted();
  if (typeof PublicKeyCredential === "undefined") throw unsupported();
  try {
    const answer = await question();
    if (answer instanceof PublicKeyCredential) return answer;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new CoppiceError("ERR_STORE_PASSKEY_REFUSED", "The passkey was not given", { cause });
  }
  throw unsupported();
}

const unsupported = (): CoppiceError =>
  new CoppiceError(
    "ERR_STORE_PASSKEY_UNSUPPORTED",
    "This browser or authenticator gives no keys: it has no PRF extension",
  );

const toBase64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (digit) => ({ "+": "-", "/": "_" })[digit] ?? "");

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string" || !/^[\w-]+$/.test(text)) throw new TypeError("A passkey is expected, { id, salt }");
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
}
