/** The HTTP side of the calls: who may call, how much, and what comes back. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ClientId } from "@coppice/delivery";
import { decode, deliveryError, encode, MEDIA_TYPE, type Bytes, type Call } from "@coppice/delivery/wire";
import type { Time } from "@coppice/kit";
import type { Sessions } from "../auth/sessions.ts";
import { TokenBuckets } from "../guard/token-buckets.ts";
import type { ServerLimits } from "../limits.ts";
import type { Answers } from "./answers.ts";
import type { Bodies } from "./body.ts";

/** Largest body before sign-in, bytes. */
const ANONYMOUS_BODY_BYTES = 4096;

/** Bodies of which nothing is held while the call goes on, bytes. */
const SMALL_BODY_BYTES = 4096;

/** Body bytes that count as one more request. */
const BYTES_PER_TOKEN = 65_536;

/** Answers a call of a client that has signed in. */
export type SignedInHandler = (client: ClientId, body: Uint8Array, signal: AbortSignal) => Promise<Bytes>;

type Route =
  | { readonly open: true; readonly handle: (body: Uint8Array, address: string) => Promise<Bytes> }
  | { readonly open: false; readonly handle: SignedInHandler };

/** What the calls need of the server. */
export interface ApiOptions {
  readonly sessions: Sessions;
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
  open<Q, A>({ path, request, answer }: Call<Q, A>, handler: (request: Q, address: string) => Promise<A>): void {
    this.#routes.set(`/${path}`, {
      open: true,
      handle: async (body, address) => encode(answer, await handler(decode(request, body), address)),
    });
  }

  /** Adds a call for clients that have signed in. The handler copies what it needs of the body before it waits. */
  signedIn(path: string, handle: SignedInHandler): void {
    this.#routes.set(`/${path}`, { open: false, handle });
  }

  has(path: string): boolean {
    return this.#routes.has(path);
  }

  /** Answers a request for a path that `has` knows, come what may. */
  async answer(request: IncomingMessage, response: ServerResponse, path: string, address: string): Promise<void> {
    try {
      await this.#run(request, response, path, address);
    } catch (error) {
      // Nobody is there who could be told.
      if (!response.destroyed) this.fail(request, response, error);
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
    const { sessions, limits, bodies, answers } = this.#options;
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
    const { client } = await sessions.authenticate(bearerToken(request));
    const announced = Number(request.headers["content-length"] ?? limits.bodyBytes);
    this.#byUser.take(client.user, 1 + Math.floor(Math.min(announced, limits.bodyBytes) / BYTES_PER_TOKEN));
    const body = await bodies.read(request, limits.bodyBytes, client.user);
    const gone = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) gone.abort();
    });
    const answer = route.handle(client, body.bytes, gone.signal);
    // What is left of a large body is its copy in the handler. Polls, which may take long, have small ones.
    if (body.bytes.length <= SMALL_BODY_BYTES) body.release();
    answers.succeed(response, client.user, await answer.finally(body.release));
  }
}

function bearerToken({ headers }: IncomingMessage): string {
  const token = /^Bearer ([\w-]{1,128})$/.exec(headers.authorization ?? "")?.[1];
  if (token === undefined) throw deliveryError("ERR_DS_UNAUTHENTICATED", "Not signed in");
  return token;
}
