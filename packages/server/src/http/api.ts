/** The HTTP side of the calls: who may call, how much, and what comes back. */
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  decode,
  deliveryError,
  encode,
  encodeFailure,
  MEDIA_TYPE,
  type Bytes,
  type Call,
} from "@coppice/delivery/wire";
import type { ServerLimits } from "../limits.ts";
import { RateLimiter } from "../rate-limiter.ts";
import type { Accounts, UserId } from "../store/accounts.ts";
import { readBody } from "./body.ts";

/** Largest body before sign-in, bytes. */
const ANONYMOUS_BODY_BYTES = 4096;

/** Body bytes that count as one more request. */
const BYTES_PER_TOKEN = 65_536;

type Route =
  | { readonly open: true; readonly handle: (body: Uint8Array, address: string) => Promise<Bytes> }
  | { readonly open: false; readonly handle: (body: Uint8Array, user: UserId) => Bytes };

export class Api {
  readonly #routes = new Map<string, Route>();
  readonly #accounts: Accounts;
  readonly #limits: ServerLimits;
  readonly #byUser: RateLimiter;
  readonly #onError: (error: unknown) => void;

  constructor(options: {
    readonly accounts: Accounts;
    readonly limits: ServerLimits;
    readonly clock: () => number;
    readonly onError: (error: unknown) => void;
  }) {
    this.#accounts = options.accounts;
    this.#limits = options.limits;
    this.#byUser = new RateLimiter(options.limits.requestsPerUser, options.clock);
    this.#onError = options.onError;
  }

  /** Adds a call for everybody. */
  open<Q, A>({ path, request, answer }: Call<Q, A>, handler: (request: Q, address: string) => A | Promise<A>): void {
    this.#routes.set(`/${path}`, {
      open: true,
      handle: async (body, address) => encode(answer, await handler(decode(request, body), address)),
    });
  }

  /** Adds a call for signed-in users. */
  signedIn<Q, A>({ path, request, answer }: Call<Q, A>, handler: (user: UserId, request: Q) => A): void {
    this.#routes.set(`/${path}`, {
      open: false,
      handle: (body, user) => encode(answer, handler(user, decode(request, body))),
    });
  }

  has(path: string): boolean {
    return this.#routes.has(path);
  }

  /** Answers a request for a path that `has` knows, come what may. */
  async answer(request: IncomingMessage, response: ServerResponse, path: string, address: string): Promise<void> {
    try {
      respond(response, 200, await this.#run(request, path, address));
    } catch (error) {
      this.fail(request, response, error);
    }
  }

  /** Answers with an error. */
  fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { status, body, code } = encodeFailure(error);
    if (code === "ERR_DS_INTERNAL") this.#onError(error);
    // What is left of the body is read and thrown away: a client that is still sending would miss the answer.
    request.resume();
    respond(response, status, body);
  }

  async #run(request: IncomingMessage, path: string, address: string): Promise<Bytes> {
    const route = this.#routes.get(path);
    if (route === undefined || request.method !== "POST" || request.headers["content-type"] !== MEDIA_TYPE) {
      throw deliveryError("ERR_DS_BAD_REQUEST", `calls are POST requests with a body of ${MEDIA_TYPE}`);
    }
    if (route.open) return route.handle(await readBody(request, ANONYMOUS_BODY_BYTES), address);
    const { user } = this.#accounts.authenticate(bearerToken(request));
    const announced = Number(request.headers["content-length"] ?? this.#limits.bodyBytes);
    this.#byUser.take(String(user), 1 + Math.floor(Math.min(announced, this.#limits.bodyBytes) / BYTES_PER_TOKEN));
    return route.handle(await readBody(request, this.#limits.bodyBytes), user);
  }
}

function bearerToken({ headers }: IncomingMessage): string {
  const token = /^Bearer ([\w-]{1,128})$/.exec(headers.authorization ?? "")?.[1];
  if (token === undefined) throw deliveryError("ERR_DS_UNAUTHENTICATED", "not signed in");
  return token;
}

function respond(response: ServerResponse, status: number, body: Uint8Array): void {
  response.writeHead(status, {
    "content-type": MEDIA_TYPE,
    "content-length": body.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}
