/** Which web pages may talk to the server from a browser. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { deliveryError } from "@coppice/delivery/wire";

export class CrossOrigin {
  readonly #allowed: ReadonlySet<string>;

  /** `allowed`: origins besides the server's own. */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  /** `ERR_DS_FORBIDDEN` for a request from a page of an origin that is not allowed. No `Origin`: not from a page. */
  check(request: IncomingMessage): void {
    const { origin } = request.headers;
    if (origin === undefined || this.#allowed.has(origin) || isSameHost(origin, request.headers.host)) return;
    throw deliveryError("ERR_DS_FORBIDDEN", "pages of this origin may not use this server");
  }

  /** Lets the browser hand the answer to the page, if it may have it. */
  addHeaders(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader("vary", "Origin");
    const { origin } = request.headers;
    if (origin === undefined || !this.#allowed.has(origin)) return;
    response.setHeader("access-control-allow-origin", origin);
    if (request.method !== "OPTIONS") return;
    response.setHeader("access-control-allow-methods", "POST");
    response.setHeader("access-control-allow-headers", "authorization, content-type");
    response.setHeader("access-control-max-age", "600");
  }
}

/** By host alone: behind a proxy that ends TLS the server does not know the page's scheme. */
function isSameHost(origin: string, host: string | undefined): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}
