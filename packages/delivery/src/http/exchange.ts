/** One HTTP exchange: a body out, a body or an error of the contract back, within a time limit. */
import { concat } from "@coppice/core";
import { anySignal, untilAborted, type Time } from "@coppice/kit";
import { deliveryError } from "../errors.ts";
import { MEDIA_TYPE, WIRE_LIMITS } from "../wire/call.ts";
import { decodeFailure } from "../wire/failure.ts";
import type { Bytes } from "../wire/codec.ts";

/** Where and how to send. */
export interface Endpoint {
  /** In normal form: ends with a slash. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly time: Time;
  /** Milliseconds after which an exchange counts as failed. */
  readonly timeout: number;
}

/** What one exchange needs beside its endpoint. */
export interface ExchangeOptions {
  readonly signal: AbortSignal;
  readonly token?: string;
  /** Milliseconds that the server may take longer than usual. */
  readonly patience?: number;
}

/**
 * Posts `body` to `path`. `ERR_DS_UNREACHABLE` if there is no answer in time, or one that does not come from a Delivery
 * Service (a proxy's error page, a captive portal).
 */
export async function exchange(
  endpoint: Endpoint,
  path: string,
  body: Bytes,
  options: ExchangeOptions,
): Promise<Bytes> {
  const tooLate = new AbortController();
  const cancel = endpoint.time.after(endpoint.timeout + (options.patience ?? 0), () => {
    tooLate.abort(deliveryError("ERR_DS_UNREACHABLE", "The Delivery Service did not answer in time"));
  });
  const { signal, release } = anySignal(tooLate.signal, options.signal);
  try {
    return await untilAborted(post(endpoint, path, body, { ...options, signal }), signal);
  } finally {
    cancel();
    release();
  }
}

async function post(
  { url, fetch }: Endpoint,
  path: string,
  body: Bytes,
  { signal, token }: ExchangeOptions,
): Promise<Bytes> {
  const headers: Record<string, string> = { "content-type": MEDIA_TYPE };
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  let response: Response;
  let answer: Bytes;
  try {
    signal.throwIfAborted();
    response = await fetch(new URL(path, url), {
      method: "POST",
      headers,
      body,
      signal,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
    if (response.headers.get("content-type") !== MEDIA_TYPE) {
      await response.body?.cancel();
      throw deliveryError("ERR_DS_UNREACHABLE", `No Delivery Service answered (HTTP status ${response.status})`);
    }
    answer = await readBody(response);
  } catch (error) {
    signal.throwIfAborted();
    throw deliveryError("ERR_DS_UNREACHABLE", "The Delivery Service cannot be reached", { cause: error });
  }
  if (!response.ok) throw readFailure(answer);
  return answer;
}

function readFailure(answer: Bytes): Error {
  try {
    return decodeFailure(answer);
  } catch (error) {
    return deliveryError("ERR_DS_INTERNAL", "The Delivery Service sent a malformed error", { cause: error });
  }
}

/** Reads a body that the server may have made longer than it said. */
async function readBody(response: Response): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    length += next.value.length;
    if (length > WIRE_LIMITS.bodyBytes) {
      await reader?.cancel();
      throw new RangeError("The answer is over the limit of the wire format");
    }
    chunks.push(next.value);
  }
  return concat(...chunks);
}
