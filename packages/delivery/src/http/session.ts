/** Being signed in: gets a token when one is needed, shares it, and gets another when the server forgot it. */
import { isCoppiceError, untilAborted, type CoppiceError } from "@coppice/kit";
import type { DeliveryErrorCode, Identity } from "../contract.ts";
import { roundTrip } from "../service.ts";
import type { Call } from "../wire/call.ts";
import type { Bytes } from "../wire/codec.ts";
import { requestChallenge, signIn, signInMessage } from "../wire/sign-in.ts";
import { exchange, type Endpoint } from "./exchange.ts";

/** Refusals that asking again does not change. */
const FINAL: readonly DeliveryErrorCode[] = ["ERR_DS_NAME_TAKEN", "ERR_DS_NAME_INVALID", "ERR_DS_DEVICE_LOG"];

/** The sign-in state of one identity at one server. */
export class Session {
  readonly #endpoint: Endpoint;
  readonly #identity: Identity;
  readonly #closing: AbortSignal;
  #token: string | undefined;
  #pending: Promise<string> | undefined;
  #refusal: CoppiceError | undefined;

  constructor(endpoint: Endpoint, identity: Identity, closing: AbortSignal) {
    this.#endpoint = endpoint;
    this.#identity = identity;
    this.#closing = closing;
  }

  /** Why signing in can never succeed, if that is known. */
  get refusal(): CoppiceError | undefined {
    return this.#refusal;
  }

  /** The current token, or a new one. Several callers share one sign-in; a caller's `signal` ends only its own wait. */
  async token(signal: AbortSignal): Promise<string> {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#token !== undefined) return this.#token;
    this.#pending ??= this.#signIn().finally(() => {
      this.#pending = undefined;
    });
    return untilAborted(this.#pending, signal);
  }

  /** Forgets `token` if it is still the current one. */
  invalidate(token: string): void {
    if (this.#token === token) this.#token = undefined;
  }

  /** Posts `body` as this identity; signs in again once if the server no longer knows the token. */
  async post(path: string, body: Bytes, signal: AbortSignal, patience = 0): Promise<Bytes> {
    const token = await this.token(signal);
    try {
      return await exchange(this.#endpoint, path, body, { signal, token, patience });
    } catch (error) {
      if (!isCoppiceError(error, "ERR_DS_UNAUTHENTICATED")) throw error;
      this.invalidate(token);
      return exchange(this.#endpoint, path, body, { signal, token: await this.token(signal), patience });
    }
  }

  async #signIn(): Promise<string> {
    const { client, suite, publicKey, register } = this.#identity;
    const call = <Q, A>(to: Call<Q, A>, request: Q): Promise<A> =>
      roundTrip(to, request, (body) => exchange(this.#endpoint, to.path, body, { signal: this.#closing }));
    try {
      const { nonce } = await call(requestChallenge, { client, suite, publicKey });
      const statement = { audience: new URL(this.#endpoint.url).origin, client, suite, publicKey, nonce };
      const signature = await this.#identity.sign(signInMessage(statement));
      const { token } = await call(signIn, { ...statement, signature, register });
      this.#token = token;
      return token;
    } catch (error) {
      if (isCoppiceError(error) && FINAL.some((code) => code === error.code)) this.#refusal = error;
      throw error;
    }
  }
}
