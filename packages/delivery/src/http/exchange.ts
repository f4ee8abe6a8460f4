/** One HTTP exchange: a body out, a body or an error of the contract back, within a time limit. */
import { deliveryError } from "../errors.ts";
import { settleOnAbort } from "../service.ts";
import { MEDIA_TYPE, WIRE_LIMITS } from "../wire/calls.ts";
import { decodeFailure } from "../wire/failure.ts";
import type { Bytes } from "../wire/codec.ts";

/** Where and how to send. */
export interface Endpoint {
  /** Ends with a slash. */
  readonly url: URL;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds after which an exchange counts as failed. */
  readonly timeout: number;
}

/**
 * Posts `body` to `path`. `ERR_DS_UNREACHABLE` if there is no answer in time, or one that does not come from a Delivery
 * Service (a proxy's error page, a captive portal).
 */
export async function exchange(
  endpoint: Endpoint,
  path: string,
  body: Bytes,
  options: { readonly signal: AbortSignal; readonly token?: string },
): Promise<Bytes> {
  const controller = new AbortController();
  const { signal } = controller;
  const abort = (): void => {
    controller.abort(options.signal.reason);
  };
  const timer = setTimeout(() => {
    controller.abort(deliveryError("ERR_DS_UNREACHABLE", "the Delivery Service did not answer in time"));
  }, endpoint.timeout);
  if (options.signal.aborted) abort();
  options.signal.addEventListener("abort", abort);
  try {
    return await settleOnAbort(post(endpoint, path, body, { ...options, signal }), signal);
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", abort);
  }
}

async function post(
  { url, fetch }: Endpoint,
  path: string,
  body: Bytes,
  { signal, token }: { readonly signal: AbortSignal; readonly token?: string },
): Promise<Bytes> {
  const headers: Record<string, string> = { "content-type": MEDIA_TYPE };
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  let response: Response;
  let answer: Bytes;
  try {
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
      throw deliveryError(
        "ERR_DS_UNREACHABLE",
        `no Delivery Service answered (HTTP status ${String(response.status)})`,
      );
    }
    answer = await readBody(response);
  } catch (error) {
    signal.throwIfAborted();
    throw deliveryError("ERR_DS_UNREACHABLE", "the Delivery Service cannot be reached", { cause: error });
  }
  if (!response.ok) throw readFailure(answer);
  return answer;
}

function readFailure(answer: Bytes): Error {
  try {
    return decodeFailure(answer);
  } catch (error) {
    return deliveryError("ERR_DS_INTERNAL", "the Delivery Service sent a malformed error", { cause: error });
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
      throw new RangeError("the answer is over the limit of the wire format");
    }
    chunks.push(next.value);
  }
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return body;
}
