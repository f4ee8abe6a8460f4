/** Options of calls, as callers give them. */
import { assertSignal } from "@coppice/kit";
import type { CallOptions } from "./api.ts";

/** `TypeError` for anything but an object, whose `signal` is an `AbortSignal` if it has one. `example` shows what to pass. */
export function checkOptions(options: CallOptions, example = "{ signal }"): void {
  if (typeof options !== "object" || (options as unknown) === null) {
    throw new TypeError(`Options are an object, such as ${example}`);
  }
  assertSignal(options.signal);
}
