/** A second address, for those who watch: metrics and health. It is for the operator's network, not for clients. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { HEALTH_PATHS, type Health } from "./health.ts";
import type { Metrics } from "./metrics.ts";

/** A watcher that is slower than this is disconnected, milliseconds. */
const TIMEOUT = 10_000;

export interface Monitor {
  readonly port: number;
  readonly close: () => void;
}

/** Listens on `host` and `port` (0 picks a free one). The system's error if it cannot. */
export async function startMonitor(
  { host, port }: { readonly host: string; readonly port: number },
  { health, metrics }: { readonly health: Health; readonly metrics: Metrics },
): Promise<Monitor> {
  const http: Server = createServer({ requestTimeout: TIMEOUT, headersTimeout: TIMEOUT }, (request, response) => {
    const answer = async (): Promise<void> => {
      const path = request.url ?? "";
      if (HEALTH_PATHS.has(path)) await health.answer(path, response);
      else if (path === "/metrics")
        response.writeHead(200, { "content-type": metrics.contentType }).end(await metrics.text());
      else response.writeHead(404).end();
    };
    answer().catch(() => response.destroy());
  });
  http.setTimeout(TIMEOUT);
  http.maxConnections = 64;
  metrics.watchProcess();
  http.listen(port, host);
  await once(http, "listening");
  return {
    port: (http.address() as AddressInfo).port,
    close: () => {
      http.close();
      http.closeAllConnections();
    },
  };
}
