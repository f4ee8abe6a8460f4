/** Being signed in: gets a token when one is needed, shares it, and gets another when the server forgot it. */
import { isCoppiceError, type CoppiceError } from "@coppice/core";
import type { Identity } from "../contract.ts";
import { roundTrip, settleOnAbort } from "../service.ts";
import { requestChallenge, signIn, type Call } from "../wire/calls.ts";
import type { Bytes } from "../wire/codec.ts";
import { signInMessage } from "../wire/sign-in.ts";
import { exchange, type Endpoint } from "./exchange.ts";

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
    return settleOnAbort(this.#pending, signal);
  }

  /** Forgets `token` if it is still the current one. */
  invalidate(token: string): void {
    if (this.#token === token) this.#token = undefined;
  }

  /** Posts `body` as this identity; signs in again once if the server no longer knows the token. */
  async post(path: string, body: Bytes, signal: AbortSignal): Promise<Bytes> {
    const token = await this.token(signal);
    try {
      return await exchange(this.#endpoint, path, body, { signal, token });
    } catch (error) {
      if (!isCoppiceError(error, "ERR_DS_UNAUTHENTICATED")) throw error;
      this.invalidate(token);
      return exchange(this.#endpoint, path, body, { signal, token: await this.token(signal) });
    }
  }

  async #signIn(): Promise<string> {
    const { user, publicKey } = this.#identity;
    const call = <Q, A>(to: Call<Q, A>, request: Q): Promise<A> =>
      roundTrip(to, request, (body) => exchange(this.#endpoint, to.path, body, { signal: this.#closing }));
    try {
      const { nonce } = await call(requestChallenge, { user, publicKey });
      const audience = this.#endpoint.url.origin;
      const signature = await this.#identity.sign(signInMessage({ audience, user, publicKey, nonce }));
      const { token } = await call(signIn, { audience, user, publicKey, nonce, signature });
      this.#token = token;
      return token;
    } catch (error) {
      if (isCoppiceError(error, "ERR_DS_NAME_TAKEN") || isCoppiceError(error, "ERR_DS_NAME_INVALID")) {
        this.#refusal = error;
      }
      throw error;
    }
  }
}
