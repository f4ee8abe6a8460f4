/** Puts the server together: service, calls, events, files, and an orderly end. */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { EVENTS_PATH, MAX_CLIENT_FRAME_BYTES } from "@coppice/delivery/wire";
import { systemTime, type Time } from "@coppice/kit";
import { WebSocketServer } from "ws";
import { originsOf, parseOrigin, urlHost } from "./auth/origins.ts";
import { registerCalls } from "./calls.ts";
import { endSocket } from "./events/end-socket.ts";
import { ByteBudget } from "./guard/byte-budget.ts";
import { Pace } from "./guard/pace.ts";
import { TokenBuckets } from "./guard/token-buckets.ts";
import { Answers } from "./http/answers.ts";
import { Api } from "./http/api.ts";
import { Bodies } from "./http/body.ts";
import { CrossOrigin } from "./http/cross-origin.ts";
import { Front } from "./http/front.ts";
import { Sockets } from "./http/sockets.ts";
import { staticFiles } from "./http/static-files.ts";
import { resolveLimits, type ServerLimits } from "./limits.ts";
import { Health } from "./operate/health.ts";
import { Metrics, type RequestReport } from "./operate/metrics.ts";
import { listenForOperators, type Operators } from "./operate/operators.ts";
import { openService } from "./service.ts";

/** Longest pause between looks for requests that take too long, milliseconds. */
const MAX_CHECKING_INTERVAL = 5000;

/** How long `close` waits for requests that are under way, milliseconds. */
const CLOSE_TIMEOUT = 1000;

/** WebSocket close code of a server that stops (RFC 6455 §7.4.1). */
const CLOSE_GOING_AWAY = 1001;

/** The part of a budget that one user or address may use. */
const SHARE = 1 / 4;

/** Options of `createServer`. */
export interface ServerOptions {
  /** TCP port; 0 picks a free one. */
  readonly port: number;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Path of the database file, or `:memory:`. */
  readonly database: string;
  readonly limits?: Partial<ServerLimits>;
  /** Clock and timers. Default: the system's. */
  readonly time?: Time;
  /** Origins under which clients reach the server, besides its own addresses: `https://chat.example` behind a proxy. */
  readonly origins?: readonly string[];
  /** Origins of web pages, besides the server's own, that may use it. */
  readonly allowedOrigins?: readonly string[];
  /**
   * Whether the database was restored from a backup: give its logs new incarnations, so that clients notice and resynchronise,
   * and end all sessions. For one start. Default false.
   */
  readonly newIncarnations?: boolean;
  /** A folder with a web application to serve. */
  readonly staticDirectory?: string;
  /** Whether the last address in `X-Forwarded-For` is the client's: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
  /** Where to listen for those who watch the server: `/metrics`, `/healthz`, `/readyz`. Default: nowhere. */
  readonly monitor?: { readonly host: string; readonly port: number };
  /** Where in the file system to listen for `coppice-server admin`. Default: nowhere. */
  readonly adminSocket?: string;
  /** Told of each request that is over: the call, never who made it. */
  readonly onRequest?: (report: RequestReport) => void;
  /** Told about failures inside the server. They hold no payloads; clients see `ERR_DS_INTERNAL` only. */
  readonly onError?: (error: unknown) => void;
}

/** A running server. */
export interface CoppiceServer {
  /** For clients on this machine. */
  readonly url: string;
  /** The port of the monitor, if there is one. */
  readonly monitorPort: number | undefined;
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
 * @throws `CoppiceError` `ERR_DS_DATABASE_BUSY`, `ERR_DS_DATABASE_NEWER`, `ERR_DS_DATABASE_OLD`; `RangeError` for a limit out of range,
 * `TypeError` for a malformed origin; the system's error if it cannot listen.
 */
export async function createServer(options: ServerOptions): Promise<CoppiceServer> {
  const { host = "127.0.0.1", time = systemTime, trustProxy = false } = options;
  const limits = resolveLimits(options.limits);
  const ownOrigins = new Set((options.origins ?? []).map(parseOrigin));
  const crossOrigin = new CrossOrigin(ownOrigins, (options.allowedOrigins ?? []).map(parseOrigin));
  const files = options.staticDirectory === undefined ? undefined : await staticFiles(options.staticDirectory);
  const pace = new Pace(time, limits.bytesPerSecond);
  const budget = (total: number): ByteBudget => new ByteBudget({ total, share: total * SHARE, time });
  const bodies = new Bodies(budget(limits.bodiesInFlightBytes), pace);
  const answers = new Answers(budget(limits.answersInFlightBytes), pace);

  const metrics = new Metrics({
    connections: () => sockets.count,
    eventConnections: () => webSockets.clients.size,
    bodyBytes: () => bodies.bytes,
    answerBytes: () => answers.bytes,
    eventBytes: () => service.sockets.waitingBytes,
    storeBytes: () => service.storeBytes(),
  });
  const onError = (error: unknown): void => {
    metrics.error();
    options.onError?.(error);
  };
  const onRequest = (report: RequestReport): void => {
    metrics.request(report);
    options.onRequest?.(report);
  };
  const service = await openService({
    database: options.database,
    limits,
    time,
    newIncarnations: options.newIncarnations ?? false,
    onError,
    onCommit: metrics.commit,
  });
  const health = new Health(service.storeBytes);
  const { domain, sessions, polls } = service;
  const api = new Api({ sessions, limits, time, bodies, answers, onError });
  registerCalls({ api, domain, sessions, polls, limits, time, audiences: ownOrigins });

  // All connections of a trusted proxy come from its address.
  const sockets = new Sockets({ perAddress: trustProxy ? Infinity : limits.connectionsPerAddress });
  const byAddress = new TokenBuckets(limits.requestsPerAddress, time);
  const front = new Front({
    api,
    answers,
    sockets,
    crossOrigin,
    byAddress,
    files,
    trustProxy,
    health,
    onRequest,
    time,
    eventsPath: EVENTS_PATH,
  });
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_CLIENT_FRAME_BYTES,
    perMessageDeflate: false,
    autoPong: false,
  });
  const http = makeHttpServer(limits);
  sockets.watch(http);
  http.on("request", (request, response) => {
    front.request(request, response).catch((error: unknown) => {
      // A client that went away in the middle of an answer is no failure of the server.
      if (!response.destroyed) onError(error);
      response.destroy();
    });
  });
  http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const address = front.upgrade(request, socket);
    if (address === undefined) return;
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.binaryType = "arraybuffer";
      service.sockets.accept(webSocket, address);
    });
  });

  let port: number;
  let operators: Operators | undefined;
  try {
    operators = await listenForOperators(options, { health, metrics, administration: service.administration, onError });
    port = await listen(http, options.port, host);
  } catch (error) {
    operators?.close();
    await service.close();
    throw error;
  }
  // Such as a failure to accept a connection: the next one may be accepted.
  http.on("error", onError);
  for (const origin of originsOf(host, port)) ownOrigins.add(origin);

  const close = async (): Promise<void> => {
    health.end();
    polls.close();
    for (const socket of webSockets.clients) endSocket(time, socket, CLOSE_GOING_AWAY);
    await endHttp(http, sockets, time);
    operators.close();
    await service.close();
  };
  let closed: Promise<void> | undefined;
  return {
    monitorPort: operators.monitorPort,
    url: `http://${urlHost(host === "0.0.0.0" || host === "::" ? "localhost" : host)}:${String(port)}`,
    close: () => (closed ??= close()),
  };
}

function makeHttpServer({ requestTimeout, headersTimeout, connections }: ServerLimits): Server {
  const shortest = Math.min(requestTimeout, headersTimeout);
  const http = createHttpServer({
    requestTimeout,
    headersTimeout: shortest,
    connectionsCheckingInterval: Math.min(shortest, MAX_CHECKING_INTERVAL),
  });
  http.maxConnections = connections;
  return http;
}

async function listen(http: Server, port: number, host: string): Promise<number> {
  http.listen(port, host);
  await once(http, "listening");
  return (http.address() as AddressInfo).port;
}

/** Answers what is under way, within a time limit, and ends everything else. */
async function endHttp(http: Server, sockets: Sockets, time: Time): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    http.close(() => {
      resolve();
    });
  });
  http.closeIdleConnections();
  const cancel = time.after(CLOSE_TIMEOUT, () => {
    sockets.destroyAll();
  });
  await ended;
  cancel();
}
