/** How errors of any kind cross the boundary. */
import { CoppiceError, type ErrorCode, type ErrorDetail, isCoppiceError } from "@coppice/kit";
import { workerError } from "../errors.ts";
import { isRecord } from "./codec.ts";

/** Causes deeper than this are left out. */
const MAX_CAUSES = 8;
/** UTF-16 code units of a message or of a text in `detail`; the rest is cut off. */
const MAX_TEXT = 2048;
const MAX_DETAIL_ENTRIES = 32;
const MAX_DETAIL_LIST = 1024;

/** An error as it travels: no stack, which names the worker's files and is of no use to a person. */
export type WireError =
  | { readonly kind: "error"; readonly name: string; readonly message: string; readonly cause?: WireError }
  | {
      readonly kind: "coppice";
      readonly message: string;
      readonly code: ErrorCode;
      readonly requirement?: string;
      readonly detail: ErrorDetail;
      readonly cause?: WireError;
    };

/** Mistakes of the caller: the only errors without a code that cross as they are. */
const MISTAKES = new Map<string, new (message: string) => Error>([
  ["TypeError", TypeError],
  ["RangeError", RangeError],
]);

/** What of a thrown value may cross. What has no code and is no caller's mistake becomes `ERR_WORKER_INTERNAL`. */
export function encodeError(thrown: unknown): WireError {
  const wire = encode(thrown, 0);
  if (wire.kind === "coppice" || MISTAKES.has(wire.name)) return wire;
  const message = "The engine failed in a way that it does not know; see the cause";
  return encode(workerError("ERR_WORKER_INTERNAL", message, { cause: thrown }), 0);
}

/** The error that `encodeError` described. `TypeError` for anything that it did not make. */
export function decodeError(wire: unknown): Error {
  const error = decode(wire, 0);
  if (!isCoppiceError(error) && !MISTAKES.has(error.name)) throw malformed();
  return error;
}

/** A thrown value that is not an error becomes one without its content. */
function encode(error: unknown, depth: number): WireError {
  if (!isError(error)) return { kind: "error", name: "Error", message: "A value that is not an error was thrown" };
  const { cause } = error;
  const common = {
    message: cut(error.message),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: encode(cause, depth + 1) }),
  };
  if (!isCoppiceError(error) || !isErrorCode(error.code)) return { kind: "error", name: cut(error.name), ...common };
  return {
    kind: "coppice",
    ...common,
    code: error.code,
    detail: copyDetail(error.detail),
    ...(typeof error.requirement === "string" ? { requirement: cut(error.requirement) } : {}),
  };
}

function decode(wire: unknown, depth: number): Error {
  if (!isRecord(wire)) throw malformed();
  const { kind, message } = wire;
  if (typeof message !== "string" || depth > MAX_CAUSES) throw malformed();
  const options = wire["cause"] === undefined ? {} : { cause: decode(wire["cause"], depth + 1) };
  switch (kind) {
    case "coppice": {
      const { code, requirement } = wire;
      if (!isErrorCode(code)) throw malformed();
      return new CoppiceError(code, cut(message), {
        ...options,
        ...(typeof requirement === "string" ? { requirement: cut(requirement) } : {}),
        detail: copyDetail(wire["detail"]),
      });
    }
    case "error": {
      if (typeof wire["name"] !== "string") throw malformed();
      const error = plainError(cut(wire["name"]), cut(message));
      if (options.cause !== undefined) define(error, "cause", options.cause);
      return error;
    }
    default:
      throw malformed();
  }
}

const malformed = (): TypeError => new TypeError("an error of this boundary is expected");
const cut = (text: unknown): string => String(text).slice(0, MAX_TEXT);

function define(error: Error, property: "name" | "cause", value: unknown): void {
  Object.defineProperty(error, property, { value, configurable: true, writable: true });
}

/** Also an error of another realm, of which `instanceof` knows nothing, and a `DOMException`. */
function isError(value: unknown): value is Error {
  return value instanceof Error || /^\[object (?:Error|DOMException)\]$/.test(Object.prototype.toString.call(value));
}

/** Any other error is recognised by its name (`AbortError`, `QuotaExceededError`). */
function plainError(name: string, message: string): Error {
  const Mistake = MISTAKES.get(name);
  if (Mistake !== undefined) return new Mistake(message);
  const error = new Error(message);
  define(error, "name", name);
  return error;
}

/** Whether `code` has the form of one of Coppice's codes. */
function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && /^ERR_(?:MLS|STORE|DS|CLIENT|WORKER)_[A-Z0-9_]{1,64}$/.test(code);
}

/** The entries of `detail` that are what `ErrorDetail` allows; anything else is left out. */
export function copyDetail(detail: unknown): ErrorDetail {
  if (!isRecord(detail)) throw malformed();
  const entries = Object.entries(detail).slice(0, MAX_DETAIL_ENTRIES);
  const copied = entries.flatMap(([key, value]): [string, ErrorDetail[string]][] => {
    if (typeof value === "string") return [[key, cut(value)]];
    if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return [[key, value]];
    if (!Array.isArray(value)) return [];
    const items: readonly unknown[] = value.slice(0, MAX_DETAIL_LIST);
    return [[key, items.filter((item) => typeof item === "string" || typeof item === "number")]];
  });
  return Object.fromEntries(copied);
}
