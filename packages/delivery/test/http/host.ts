/** A Delivery Service behind a `fetch` and a `WebSocket` that reach no network: the domain, as a server puts it together. */
import { randomBytes, toHex } from "@coppice/core";
import { systemTime, type Time } from "@coppice/kit";
import { DeliveryDomain, EventHub, hostCall, hostCalls, MemoryDomainStore, Polls } from "@coppice/delivery/domain";
import type { ClientId } from "@coppice/delivery/contract";
import * as wire from "@coppice/delivery/wire";

const headers = { "content-type": wire.MEDIA_TYPE };

/** Who holds a token. */
class Tokens {
  readonly #clients = new Map<string, ClientId>();

  issue(client: ClientId): string {
    const token = toHex(randomBytes(16));
    this.#clients.set(token, client);
    return token;
  }

  find(token: string): ClientId {
    const client = this.#clients.get(token);
    if (client === undefined) throw wire.deliveryError("ERR_DS_UNAUTHENTICATED", "Who are you?");
    return client;
  }

  revoke({ user, device }: ClientId): void {
    for (const [token, client] of this.#clients) {
      if (client.user === user && client.device === device) this.#clients.delete(token);
    }
  }

  clear(): void {
    this.#clients.clear();
  }
}

export async function openHost({ time = systemTime }: { readonly time?: Time } = {}) {
  const hub = new EventHub();
  const tokens = new Tokens();
  const polls = new Polls(hub, time);
  const domain = await DeliveryDomain.open({
    store: new MemoryDomainStore(),
    time,
    notify: (notice) => {
      if (notice.type === "revoked") tokens.revoke(notice.client);
      hub.publish(notice);
    },
  });
  const polling = hostCall(wire.pollEvents, (client, request) => polls.poll(client, request));
  const calls = new Map([...hostCalls(domain), polling].map((call) => [`/${call.path}`, call]));

  const answer = async (path: string, body: Uint8Array, token: string): Promise<Uint8Array<ArrayBuffer>> => {
    if (path === `/${wire.requestChallenge.path}`) {
      wire.decode(wire.requestChallenge.request, body);
      return wire.encode(wire.requestChallenge.answer, { nonce: randomBytes(16) });
    }
    if (path === `/${wire.signIn.path}`) {
      const { signature, register, ...statement } = wire.decode(wire.signIn.request, body);
      if (!(await wire.verifySignIn(statement, signature))) {
        throw wire.deliveryError("ERR_DS_SIGN_IN", "The challenge was not answered correctly");
      }
      const { client, suite, publicKey } = statement;
      await domain.signIn({ client, key: { suite, publicKey: new Uint8Array(publicKey) }, register });
      return wire.encode(wire.signIn.answer, { token: tokens.issue(client), expiresAt: 0 });
    }
    const call = calls.get(path);
    if (call === undefined) throw wire.deliveryError("ERR_DS_BAD_REQUEST", "There is no such call");
    return call.run(tokens.find(token), body);
  };

  const state = { isDown: false, hasSockets: true, requests: [] as string[], openings: 0 };
  const sockets = new Set<HostSocket>();

  const fetch = async (input: URL | string, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = input instanceof URL ? input : new URL(input);
    state.requests.push(pathname);
    if (state.isDown) throw new TypeError("fetch failed");
    try {
      const token = new Headers(init.headers).get("authorization")?.slice("Bearer ".length) ?? "";
      return new Response(await answer(pathname, new Uint8Array(init.body as Uint8Array<ArrayBuffer>), token), {
        headers,
      });
    } catch (error) {
      const { status, body } = wire.encodeFailure(error);
      return new Response(body, { status, headers });
    }
  };

  /** As much of a WebSocket as the client uses. */
  class HostSocket {
    binaryType = "blob";
    onopen: (() => void) | null = null;
    onmessage: ((event: { readonly data: unknown }) => void) | null = null;
    onclose: ((event: { readonly code: number }) => void) | null = null;
    onerror: (() => void) | null = null;
    #release: () => void = () => undefined;

    constructor(url: string | URL) {
      state.openings += 1;
      if (new URL(url).pathname !== `/${wire.EVENTS_PATH}`) throw new SyntaxError("no events here");
      queueMicrotask(() => {
        if (state.isDown || !state.hasSockets) {
          this.onerror?.();
          return;
        }
        sockets.add(this);
        this.onopen?.();
      });
    }

    send(bytes: Uint8Array): void {
      const frame = wire.decode(wire.clientFrame, bytes);
      if (frame.type !== "authenticate") return;
      try {
        const client = tokens.find(frame.token);
        this.#release = hub.subscribe(client, {
          send: (event) => this.deliver(event),
          end: () => this.end(wire.CLOSE_UNAUTHENTICATED),
        });
        this.deliver(wire.encode(wire.serverFrame, { type: "ready", heartbeat: 25_000 }));
      } catch {
        this.end(wire.CLOSE_UNAUTHENTICATED);
      }
    }

    deliver(bytes: Uint8Array<ArrayBuffer>): void {
      queueMicrotask(() => this.onmessage?.({ data: bytes.slice().buffer }));
    }

    end(code: number): void {
      this.close();
      queueMicrotask(() => this.onclose?.({ code }));
    }

    close(): void {
      sockets.delete(this);
      this.#release();
    }
  }

  return {
    domain,
    tokens,
    polls,
    state,
    fetch: fetch as typeof globalThis.fetch,
    WebSocket: HostSocket as unknown as new (url: string | URL) => WebSocket,
    /** Everything breaks off, as when a server ends. */
    goDown: () => {
      state.isDown = true;
      for (const socket of [...sockets]) socket.end(1006);
    },
    comeUp: () => {
      state.isDown = false;
    },
    sockets,
  };
}
