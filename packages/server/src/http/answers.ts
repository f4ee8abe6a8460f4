/** Answers: written within a budget for all that wait for slow readers, and a time that follows their size. */
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { deliveryError, encodeFailure, MEDIA_TYPE, type Bytes } from "@coppice/delivery/wire";
import type { ByteBudget } from "../guard/byte-budget.ts";
import type { Pace } from "../guard/pace.ts";

/** What an answer costs besides its body: its headers, and what the platform keeps for it. */
const OVERHEAD_BYTES = 1024;

/** Headers of all answers to calls. */
const CALL_HEADERS: Readonly<Record<string, string>> = {
  "content-type": MEDIA_TYPE,
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

export class Answers {
  readonly #budget: ByteBudget;
  readonly #pace: Pace;

  constructor(budget: ByteBudget, pace: Pace) {
    this.#budget = budget;
    this.#pace = pace;
  }

  /** Bytes that are held now. */
  get bytes(): number {
    return this.#budget.bytes;
  }

  /**
   * Sets `bytes` aside until the response is over, in the share of `key`, and disconnects a peer that takes too long to
   * read `length` bytes. False where there is no room.
   */
  reserve(response: ServerResponse, key: string, bytes: number, length: number = bytes): boolean {
    const end = (): void => {
      response.destroy();
    };
    const holding = this.#budget.open(key, end);
    if (!holding.resize(bytes + OVERHEAD_BYTES)) return false;
    const endWatch = this.#pace.watch(() => length, end);
    response.once("close", () => {
      endWatch();
      holding.release();
    });
    return true;
  }

  /** Answers a call; with `ERR_DS_RATE_LIMITED` instead where there is no room for the answer. */
  succeed(response: ServerResponse, key: string, body: Bytes): void {
    if (this.reserve(response, key, body.length)) {
      write(response, 200, body);
      return;
    }
    const message = "Too many answers are under way: try again later";
    this.fail(response, deliveryError("ERR_DS_RATE_LIMITED", message, { detail: { retryAfter: 1 } }));
  }

  /** Answers with an error. Returns whether it is the server's own. */
  fail(response: ServerResponse, error: unknown): boolean {
    const { status, body, code } = encodeFailure(error);
    const endWatch = this.#pace.watch(
      () => 0,
      () => {
        response.destroy();
      },
    );
    response.once("close", endWatch);
    write(response, status, body);
    return code === "ERR_DS_INTERNAL";
  }
}

function write(response: ServerResponse, status: number, body: Uint8Array): void {
  const headers: OutgoingHttpHeaders = { ...CALL_HEADERS, "content-length": body.length };
  response.writeHead(status, headers);
  response.end(body);
}
