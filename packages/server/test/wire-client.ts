/** A client that follows no rules: raw requests, for what `connectDelivery` would never send. */
import type { DeliveryErrorCode, Identity } from "@coppice/delivery";
import {
  decode,
  decodeFailure,
  deliveryError,
  encode,
  MEDIA_TYPE,
  requestChallenge,
  signIn,
  signInMessage,
  type Call,
  type SignInRequest,
} from "@coppice/delivery/wire";

/** Posts raw bytes. */
export function post(
  url: string,
  path: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/${path}`, {
    method: "POST",
    body: typeof body === "string" ? body : new Uint8Array(body),
    headers: { "content-type": MEDIA_TYPE, ...headers },
  });
}

/** The code of a refusal, or `undefined` for an answer. */
export async function codeOf(response: Response): Promise<DeliveryErrorCode | undefined> {
  const body = new Uint8Array(await response.arrayBuffer());
  if (response.ok) return undefined;
  if (response.headers.get("content-type") !== MEDIA_TYPE) throw deliveryError("ERR_DS_INTERNAL", "not an answer");
  return decodeFailure(body).code as DeliveryErrorCode;
}

export async function call<Q, A>(url: string, to: Call<Q, A>, request: Q, token?: string): Promise<A> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await post(url, to.path, encode(to.request, request), headers);
  const body = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw decodeFailure(body);
  return decode(to.answer, body);
}

/** The pieces of a sign-in, ready to be tampered with. */
export async function prepareSignIn(
  url: string,
  { client, suite, publicKey, register, sign }: Identity,
  audience: string = url,
): Promise<SignInRequest> {
  const { nonce } = await call(url, requestChallenge, { client, suite, publicKey });
  const statement = { audience, client, suite, publicKey, nonce };
  return { ...statement, signature: await sign(signInMessage(statement)), register };
}

export async function tokenFor(url: string, identity: Identity): Promise<string> {
  return (await call(url, signIn, await prepareSignIn(url, identity))).token;
}
