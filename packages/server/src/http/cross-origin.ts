/** Which web pages may talk to the server from a browser, and what its own pages may talk to. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { deliveryError } from "@coppice/delivery/wire";

export class CrossOrigin {
  readonly #own: ReadonlySet<string>;
  readonly #allowed: ReadonlySet<string>;

  /** `own`: the server's origins, which may grow until it listens; `allowed`: origins besides them. */
  constructor(own: ReadonlySet<string>, allowed: readonly string[]) {
    this.#own = own;
    this.#allowed = new Set(allowed);
  }

  /** `ERR_DS_FORBIDDEN` for a request from a page of an origin that is not allowed. No `Origin`: not from a page. */
  check({ headers: { origin } }: IncomingMessage): void {
    // `Host` says nothing here: who makes a browser send a request to a name of its own also chooses the page's origin.
    if (origin === undefined || this.#own.has(origin) || this.#allowed.has(origin)) return;
    throw deliveryError(
      "ERR_DS_FORBIDDEN",
      "Pages of this origin may not use this server: see --origin, --allow-origin",
    );
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

  /**
   * Sources for the `connect-src` of a page that is served to this request: the server alone. Its WebSocket is named because
   * `'self'` does not include it in Safari, and only where `Host` is one of the server's names.
   */
  connectSources({ headers: { host } }: IncomingMessage): string {
    const sockets = [...this.#own]
      .filter((origin) => new URL(origin).host === host)
      .map((origin) => origin.replace(/^http/, "ws"));
    return ["'self'", ...new Set(sockets)].join(" ");
  }
}
