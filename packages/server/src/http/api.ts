/** The HTTP side of the calls: who may call, how much, and what comes back. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Time } from "@coppice/kit";
import { decode, deliveryError, encode, MEDIA_TYPE, type Bytes, type Call } from "@coppice/delivery/wire";
import { TokenBuckets } from "../guard/token-buckets.ts";
import type { ServerLimits } from "../limits.ts";
import type { Accounts, UserId } from "../store/accounts.ts";
import type { Answers } from "./answers.ts";
import type { Bodies } from "./body.ts";

/** Largest body before sign-in, bytes. */
const ANONYMOUS_BODY_BYTES = 4096;

/** Body bytes that count as one more request. */
const BYTES_PER_TOKEN = 65_536;

type Route =
  | { readonly open: true; readonly handle: (body: Uint8Array, address: string) => Promise<Bytes> }
  | { readonly open: false; readonly handle: (body: Uint8Array, user: UserId) => Promise<Bytes> };

/** What the calls need of the server. */
export interface ApiOptions {
  readonly accounts: Accounts;
  readonly limits: ServerLimits;
  readonly time: Time;
  readonly bodies: Bodies;
  readonly answers: Answers;
  readonly onError: (error: unknown) => void;
}

export class Api {
  readonly #routes = new Map<string, Route>();
  readonly #options: ApiOptions;
  readonly #byUser: TokenBuckets;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#byUser = new TokenBuckets(options.limits.requestsPerUser, options.time);
  }

  /** Adds a call for everybody. */
  open<Q, A>({ path, request, answer }: Call<Q, A>, handler: (request: Q, address: string) => A | Promise<A>): void {
    this.#routes.set(`/${path}`, {
      open: true,
      handle: async (body, address) => encode(answer, await handler(decode(request, body), address)),
    });
  }

  /** Adds a call for signed-in users. */
  signedIn<Q, A>({ path, request, answer }: Call<Q, A>, handler: (user: UserId, request: Q) => A | Promise<A>): void {
    this.#routes.set(`/${path}`, {
      open: false,
      handle: async (body, user) => encode(answer, await handler(user, decode(request, body))),
    });
  }

  has(path: string): boolean {
    return this.#routes.has(path);
  }

  /** Answers a request for a path that `has` knows, come what may. */
  async answer(request: IncomingMessage, response: ServerResponse, path: string, address: string): Promise<void> {
    try {
      await this.#run(request, response, path, address);
    } catch (error) {
      this.fail(request, response, error);
    }
  }

  /** Answers with an error. */
  fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { bodies, answers, onError } = this.#options;
    // A client that is still sending would miss the answer.
    bodies.waste(request);
    if (answers.fail(response, error)) onError(error);
  }

  async #run(request: IncomingMessage, response: ServerResponse, path: string, address: string): Promise<void> {
    const { accounts, limits, bodies, answers } = this.#options;
    const route = this.#routes.get(path);
    if (route === undefined || request.method !== "POST" || request.headers["content-type"] !== MEDIA_TYPE) {
      throw deliveryError("ERR_DS_BAD_REQUEST", `Calls are POST requests with a body of ${MEDIA_TYPE}`);
    }
    if (route.open) {
      const body = await bodies.read(request, ANONYMOUS_BODY_BYTES, address);
      const answer = await route.handle(body.bytes, address).finally(body.release);
      answers.succeed(response, address, answer);
      return;
    }
    const { user } = accounts.authenticate(bearerToken(request));
    const announced = Number(request.headers["content-length"] ?? limits.bodyBytes);
    const key = String(user);
    this.#byUser.take(key, 1 + Math.floor(Math.min(announced, limits.bodyBytes) / BYTES_PER_TOKEN));
    const body = await bodies.read(request, limits.bodyBytes, key);
    answers.succeed(response, key, await route.handle(body.bytes, user).finally(body.release));
  }
}

function bearerToken({ headers }: IncomingMessage): string {
  const token = /^Bearer ([\w-]{1,128})$/.exec(headers.authorization ?? "")?.[1];
  if (token === undefined) throw deliveryError("ERR_DS_UNAUTHENTICATED", "Not signed in");
  return token;
}
