/** Codes of the worker boundary, and how errors of any kind cross it. */
import { CoppiceError, type CoppiceErrorOptions, type ErrorCode, type ErrorDetail } from "@coppice/core/errors";
import { transferHandlers } from "comlink";
import { isRecord } from "./wire/primitives.ts";

/** Codes that the worker boundary adds to those of the engine. */
export type WorkerErrorCode =
  | "ERR_WORKER_DIED" // the worker ended, crashed or never started: open the client again
  | "ERR_WORKER_MESSAGE" // a message was lost or malformed
  | "ERR_WORKER_CLOSED" // the port to the worker was closed
  | "ERR_WORKER_VERSION" // page and worker are of different builds; `detail.page`, `detail.worker`
  | "ERR_WORKER_UNSUPPORTED"; // this context cannot start workers

/** Builds a `CoppiceError` with one of the boundary's codes. */
export function workerError(code: WorkerErrorCode, message: string, options?: CoppiceErrorOptions): CoppiceError {
  return new CoppiceError(code, message, options);
}

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
      readonly name: string;
      readonly message: string;
      readonly code: ErrorCode;
      readonly requirement?: string;
      readonly detail: ErrorDetail;
      readonly cause?: WireError;
    };

const NATIVE = new Map<string, new (message: string) => Error>([
  ["TypeError", TypeError],
  ["RangeError", RangeError],
  ["SyntaxError", SyntaxError],
  ["ReferenceError", ReferenceError],
  ["EvalError", EvalError],
  ["URIError", URIError],
]);

/** What of `error` may cross; a thrown value that is not an error becomes one without its content. */
export function encodeError(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error)) {
    return { kind: "error", name: "Error", message: "A value that is not an error was thrown" };
  }
  const common = {
    name: cut(error.name),
    message: cut(error.message),
    ...(error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: encodeError(error.cause, depth + 1) }),
  };
  if (!(error instanceof CoppiceError)) return { kind: "error", ...common };
  return {
    kind: "coppice",
    ...common,
    code: error.code,
    detail: copyDetail(error.detail),
    ...(error.requirement === undefined ? {} : { requirement: cut(error.requirement) }),
  };
}

/** The error that `encodeError` described, of the same class. `TypeError` for anything that it did not make. */
export function decodeError(wire: unknown, depth = 0): Error {
  if (!isRecord(wire)) throw malformed();
  const { kind, name, message } = wire;
  if (typeof name !== "string" || typeof message !== "string" || depth > MAX_CAUSES) throw malformed();
  const cause = wire["cause"] === undefined ? {} : { cause: decodeError(wire["cause"], depth + 1) };
  switch (kind) {
    case "coppice": {
      const { code, requirement } = wire;
      if (!isErrorCode(code) || !isRecord(wire["detail"])) throw malformed();
      return new CoppiceError(code, cut(message), {
        ...cause,
        ...(typeof requirement === "string" ? { requirement: cut(requirement) } : {}),
        detail: copyDetail(wire["detail"]),
      });
    }
    case "error": {
      const error = plainError(cut(name), cut(message));
      if (cause.cause !== undefined) {
        Object.defineProperty(error, "cause", { value: cause.cause, configurable: true, writable: true });
      }
      return error;
    }
    default:
      throw malformed();
  }
}

const malformed = (): TypeError => new TypeError("not an error of this boundary");
const cut = (text: string): string => text.slice(0, MAX_TEXT);

/** A thrown `DOMException` is recognised by its name (`AbortError`, `QuotaExceededError`), so it stays one. */
function plainError(name: string, message: string): Error {
  const Native = NATIVE.get(name);
  if (Native !== undefined) return new Native(message);
  if (DOM_NAMES.has(name)) return new DOMException(message, name);
  const error = new Error(message);
  if (name !== "Error") Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  return error;
}

const DOM_NAMES: ReadonlySet<string> = new Set([
  "AbortError",
  "ConstraintError",
  "DataCloneError",
  "DataError",
  "InvalidAccessError",
  "InvalidStateError",
  "NetworkError",
  "NotAllowedError",
  "NotSupportedError",
  "OperationError",
  "QuotaExceededError",
  "SecurityError",
  "TimeoutError",
  "UnknownError",
]);

/** Whether `code` has the form of one of Coppice's codes. */
function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && /^ERR_(?:MLS|STORE|DS|CLIENT|WORKER)_[A-Z0-9_]{1,64}$/.test(code);
}

/** The entries of `detail` that are what `ErrorDetail` allows; anything else is left out. */
function copyDetail(detail: Readonly<Record<string, unknown>>): ErrorDetail {
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

/** What Comlink sends for a thrown value. `coppice` marks ours; Comlink's own has an error's `stack` in its place. */
interface WireThrown {
  readonly isError: true;
  readonly value: { readonly name: string; readonly message: string; readonly coppice: WireError };
}

/** What a reply that throws `error` carries. */
export function thrown(error: unknown): WireThrown {
  const wire = encodeError(error);
  return { isError: true, value: { name: wire.name, message: wire.message, coppice: wire } };
}

/** The error in a reply; undefined if it is not one of ours. */
export function errorOfThrown(value: unknown): Error | undefined {
  if (!isRecord(value) || value["isError"] !== true || !isRecord(value["value"])) return undefined;
  const { coppice } = value["value"];
  if (coppice === undefined) return undefined;
  try {
    return decodeError(coppice);
  } catch {
    return undefined;
  }
}

let registered = false;

/**
 * Makes Comlink carry errors with class, code, requirement, detail and causes. Comlink's handlers are shared with the
 * rest of the application: what is not ours keeps going to the handler that was there before, and one that does not
 * know ours finds name and message where it looks for them.
 */
export function registerErrorHandler(): void {
  if (registered) return;
  registered = true;
  const original = transferHandlers.get("throw");
  if (original === undefined) return;
  transferHandlers.set("throw", {
    canHandle: (value): value is unknown => original.canHandle(value),
    serialize: (value) => {
      const content: unknown = isRecord(value) ? value["value"] : undefined;
      return content instanceof Error ? [thrown(content), []] : original.serialize(value);
    },
    deserialize: (value) => {
      const error = errorOfThrown(value);
      if (error !== undefined) throw error;
      return original.deserialize(value);
    },
  });
}
