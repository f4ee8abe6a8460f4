/** Which kernel runs the hot path: WebAssembly, or noble where that cannot be had. */

import { type BasicWasmKernel, type Kernel, type WasmKernel, createBasicWasmKernel } from "@coppice/wasm";
import { CoppiceError } from "../errors.ts";
import type { NobleKernel } from "./noble-kernel.ts";

/** A kernel with what cipher suites 1 and 2 need, told apart by `kind`. */
export type LoadedKernel = BasicWasmKernel | NobleKernel;

type Kind = Kernel["kind"];

/** Makes something once for this context. A failure is not kept: memory, or a module, may be there the next time. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((cause: unknown) => {
      made = undefined;
      throw cause;
    });
    return made;
  };
}

const noble = once(async () => (await import("./noble-kernel.ts")).createNobleKernel());

/** By kind; without one, noble if no instance can be made: WebAssembly is missing or forbidden, or memory is short. */
function choosing<W>(create: () => W | Promise<W>): (kind?: Kind) => Promise<W | NobleKernel> {
  const wasm = once(async () => {
    try {
      return await create();
    } catch (cause) {
      throw new CoppiceError("ERR_MLS_CRYPTO", "The WebAssembly kernel cannot be made here", { cause });
    }
  });
  return (kind) => {
    if (kind === "noble") return noble();
    return kind === "wasm" ? wasm() : wasm().catch(noble);
  };
}

/**
 * The kernel of this context, made once: `wasm` where WebAssembly with SIMD may run, else `noble`. The argument overrides the
 * choice, for tests and comparisons: `ERR_MLS_CRYPTO` if `wasm` cannot be had.
 *
 * @example
 * ```ts run
 * import { loadKernel } from "@coppice/core";
 *
 * const kernel = await loadKernel();
 * console.assert(kernel.sha256.Nh === 32);
 * ```
 */
export const loadKernel: (kind?: Kind) => Promise<LoadedKernel> = choosing(createBasicWasmKernel);

/** The kernel with what all cipher suites need. */
export const loadFullKernel: (kind?: Kind) => Promise<WasmKernel | NobleKernel> = choosing(async () =>
  (await import("@coppice/wasm/full")).createWasmKernel(),
);
