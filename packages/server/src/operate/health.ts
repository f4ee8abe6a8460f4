/** Whether the server lives, and whether it can serve. */
import type { ServerResponse } from "node:http";

export const HEALTH_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

export class Health {
  readonly #probe: () => Promise<unknown>;
  #isEnding = false;

  /** `probe` rejects while the server cannot serve. */
  constructor(probe: () => Promise<unknown>) {
    this.#probe = probe;
  }

  /** From now on the server is not ready: no new clients should be sent to it. */
  end(): void {
    this.#isEnding = true;
  }

  /** Answers `/healthz` (the process lives) or `/readyz` (it can serve): 200 or 503 with a word. */
  async answer(path: string, response: ServerResponse): Promise<void> {
    const isGood = path === "/healthz" || (await this.#isReady());
    response.writeHead(isGood ? 200 : 503, { "content-type": "text/plain", "cache-control": "no-store" });
    response.end(isGood ? "ok\n" : "not ready\n");
  }

  async #isReady(): Promise<boolean> {
    if (this.#isEnding) return false;
    return this.#probe().then(
      () => true,
      () => false,
    );
  }
}
