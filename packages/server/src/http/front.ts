/** Where requests come in: what they are for, and whether they may come in at all. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { deliveryError, encodeFailure } from "@coppice/delivery/wire";
import type { Time } from "@coppice/kit";
import type { TokenBuckets } from "../guard/token-buckets.ts";
import { HEALTH_PATHS, type Health } from "../operate/health.ts";
import type { RequestReport } from "../operate/metrics.ts";
import { addressOf } from "./address.ts";
import type { Answers } from "./answers.ts";
import type { Api } from "./api.ts";
import type { CrossOrigin } from "./cross-origin.ts";
import type { Sockets } from "./sockets.ts";
import type { FileHandler } from "./static-files.ts";

/** All paths of calls and events. */
const API_PREFIX = "/v2/";

/** What the front needs of the server. */
export interface FrontOptions {
  readonly api: Api;
  readonly answers: Answers;
  readonly sockets: Sockets;
  readonly crossOrigin: CrossOrigin;
  readonly byAddress: TokenBuckets;
  readonly files: FileHandler | undefined;
  readonly trustProxy: boolean;
  readonly health: Health;
  /** Told of each request that is over. */
  readonly onRequest: (report: RequestReport) => void;
  readonly time: Time;
  /** Path of the event connection. */
  readonly eventsPath: string;
}

export class Front {
  readonly #options: FrontOptions;

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  /** Answers a request. */
  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { api, crossOrigin, byAddress, sockets, trustProxy } = this.#options;
    if (!sockets.begin(request, response)) return;
    const path = request.url?.split("?")[0] ?? "/";
    this.#watch(response, api.has(path) ? path.slice(1) : path.startsWith(API_PREFIX) ? "other" : "file");
    const address = addressOf(request, trustProxy);
    if (!path.startsWith(API_PREFIX)) {
      await this.#file(request, response, path, address);
      return;
    }
    crossOrigin.addHeaders(request, response);
    try {
      crossOrigin.check(request);
      byAddress.take(address);
      if (request.method === "OPTIONS") {
        response.writeHead(204).end();
        return;
      }
      if (!api.has(path)) throw deliveryError("ERR_DS_BAD_REQUEST", "There is no such call");
    } catch (error) {
      api.fail(request, response, error);
      return;
    }
    await api.answer(request, response, path, address);
  }

  /** The address that an upgrade to the event connection counts for; refuses and ends any other upgrade. */
  upgrade(request: IncomingMessage, socket: Duplex): string | undefined {
    const { crossOrigin, byAddress, eventsPath, trustProxy } = this.#options;
    const address = addressOf(request, trustProxy);
    try {
      byAddress.take(address);
      crossOrigin.check(request);
    } catch (error) {
      refuseUpgrade(socket, encodeFailure(error).status);
      return undefined;
    }
    if (request.url === `/${eventsPath}`) return address;
    refuseUpgrade(socket, 404);
    return undefined;
  }

  #watch(response: ServerResponse, call: string): void {
    const { onRequest, time } = this.#options;
    const start = time.elapsed();
    response.once("close", () => {
      const status = response.writableFinished ? response.statusCode : 0;
      onRequest({ call, status, milliseconds: time.elapsed() - start });
    });
  }

  async #file(request: IncomingMessage, response: ServerResponse, path: string, address: string): Promise<void> {
    const { files, answers, byAddress, crossOrigin, health } = this.#options;
    try {
      byAddress.take(address);
    } catch {
      response.writeHead(429, { "retry-after": "1" }).end();
      return;
    }
    if (HEALTH_PATHS.has(path)) {
      await health.answer(path, response);
      return;
    }
    if (files === undefined) {
      response.writeHead(404).end();
      return;
    }
    await files(request, response, path, {
      connectSources: crossOrigin.connectSources(request),
      reserve: (bytes, length) => answers.reserve(response, address, bytes, length),
    });
  }
}

/** Says no and ends the connection, without waiting for the peer: nobody else will, once a connection is upgraded. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${String(status)} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => {
    socket.destroy();
  });
}
