/** Puts the server together: database, calls, events, files, and an orderly end. */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { deliveryError, EVENTS_PATH, MAX_FRAME_BYTES } from "@coppice/delivery/wire";
import { WebSocketServer } from "ws";
import { ownOrigins, parseOrigin, urlHost } from "./auth/origins.ts";
import { Database } from "./database/database.ts";
import { EventHub } from "./events/hub.ts";
import { addressOf } from "./http/address.ts";
import { Api } from "./http/api.ts";
import { CrossOrigin } from "./http/cross-origin.ts";
import { staticFiles } from "./http/static-files.ts";
import { resolveLimits, type ServerLimits } from "./limits.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { registerCalls } from "./service.ts";
import { Accounts } from "./store/accounts.ts";
import { forget } from "./store/retention.ts";

/** Pause between looks at what is due for deletion, milliseconds. */
const RETENTION_INTERVAL = 60_000;

/** Longest pause between looks for requests that take too long, milliseconds. */
const MAX_CHECKING_INTERVAL = 5000;

/** How long `close` waits for requests that are under way, milliseconds. */
const CLOSE_TIMEOUT = 5000;

/** Options of `createServer`. */
export interface ServerOptions {
  /** TCP port; 0 picks a free one. */
  readonly port: number;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Path of the database file, or `:memory:`. */
  readonly database: string;
  readonly limits?: Partial<ServerLimits>;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number;
  /** Origins under which clients reach the server, besides its own addresses: `https://chat.example` behind a proxy. */
  readonly origins?: readonly string[];
  /** Origins of web pages, besides the server's own, that may use it. */
  readonly allowedOrigins?: readonly string[];
  /** A folder with a web application to serve. */
  readonly staticDirectory?: string;
  /** Whether the last address in `X-Forwarded-For` is the client's: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
  /** Told about failures inside the server. They hold no payloads; clients see `ERR_DS_INTERNAL` only. */
  readonly onError?: (error: unknown) => void;
}

/** A running server. */
export interface CoppiceServer {
  /** For clients on this machine. */
  readonly url: string;
  /** Ends connections and closes the database. Requests that are under way are answered first. */
  close(): Promise<void>;
}

/**
 * Starts a Delivery Service.
 *
 * @example
 * ```ts
 * const server = await createServer({ port: 8080, database: "coppice.db" });
 * console.log(server.url);
 * await server.close();
 * ```
 *
 * @throws `CoppiceError` `ERR_DS_DATABASE_BUSY`, `ERR_DS_DATABASE_NEWER`; `RangeError` for a limit out of range,
 * `TypeError` for a malformed origin; the system's error if it cannot listen.
 */
export async function createServer(options: ServerOptions): Promise<CoppiceServer> {
  const { host = "127.0.0.1", clock = Date.now, trustProxy = false, onError = (): void => undefined } = options;
  const limits = resolveLimits(options.limits);
  const audiences = new Set((options.origins ?? []).map(parseOrigin));
  const crossOrigin = new CrossOrigin((options.allowedOrigins ?? []).map(parseOrigin));
  const files = options.staticDirectory === undefined ? undefined : await staticFiles(options.staticDirectory);
  const byAddress = new RateLimiter(limits.requestsPerAddress, clock);

  const database = new Database(options.database);
  const accounts = new Accounts(database, limits, clock);
  const api = new Api({ accounts, limits, clock, onError });
  const hub = new EventHub(accounts, limits, clock);
  registerCalls({ api, accounts, database, hub, limits, clock, audiences });

  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split("?")[0] ?? "/";
    if (!path.startsWith("/v1/")) {
      if (files !== undefined) await files(request, response, path);
      else response.writeHead(404).end();
      return;
    }
    crossOrigin.addHeaders(request, response);
    const address = addressOf(request, trustProxy);
    try {
      crossOrigin.check(request);
      byAddress.take(address);
      if (request.method === "OPTIONS") {
        response.writeHead(204).end();
        return;
      }
      if (!api.has(path)) throw deliveryError("ERR_DS_BAD_REQUEST", "no such call");
    } catch (error) {
      api.fail(request, response, error);
      return;
    }
    await api.answer(request, response, path, address);
  };

  const { requestTimeout } = limits;
  const connectionsCheckingInterval = Math.min(requestTimeout, MAX_CHECKING_INTERVAL);
  const http = createHttpServer({ requestTimeout, connectionsCheckingInterval }, (request, response) => {
    onRequest(request, response).catch((error: unknown) => {
      // A client that went away in the middle of an answer is no failure of the server.
      if (!response.destroyed) onError(error);
      response.destroy();
    });
  });
  http.maxConnections = limits.connections;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    try {
      if (request.url !== `/${EVENTS_PATH}`) throw deliveryError("ERR_DS_BAD_REQUEST", "no events here");
      crossOrigin.check(request);
      byAddress.take(addressOf(request, trustProxy));
    } catch {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.binaryType = "arraybuffer";
      hub.accept(webSocket);
    });
  });

  let port: number;
  try {
    port = await listen(http, options.port, host);
  } catch (error) {
    database.close();
    throw error;
  }
  for (const origin of ownOrigins(host, port)) audiences.add(origin);

  const retention = setInterval(() => {
    try {
      while (forget(database, limits, clock()));
    } catch (error) {
      onError(error);
    }
  }, RETENTION_INTERVAL);

  let closed: Promise<void> | undefined;
  return {
    url: `http://${urlHost(host === "0.0.0.0" || host === "::" ? "localhost" : host)}:${String(port)}`,
    close: () =>
      (closed ??= closeAll(http, sockets).finally(() => {
        clearInterval(retention);
        database.close();
      })),
  };
}

async function listen(http: Server, port: number, host: string): Promise<number> {
  http.listen(port, host);
  await once(http, "listening");
  return (http.address() as AddressInfo).port;
}

/** Answers what is under way, within a time limit, and ends everything else. */
async function closeAll(http: Server, sockets: WebSocketServer): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    http.close(() => {
      resolve();
    });
  });
  for (const socket of sockets.clients) {
    socket.close(1001);
    setTimeout(() => {
      socket.terminate();
    }, CLOSE_TIMEOUT / 10).unref();
  }
  http.closeIdleConnections();
  const timer = setTimeout(() => {
    http.closeAllConnections();
  }, CLOSE_TIMEOUT);
  await ended;
  clearTimeout(timer);
}
