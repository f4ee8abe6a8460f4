/** Which kernel runs the hot path: WebAssembly, or noble where that is not allowed. */
import type { BasicWasmKernel, Kernel, WasmKernel } from "@coppice/wasm";
import { createBasicWasmKernel, wasmSupported } from "@coppice/wasm";
import type { NobleKernel } from "./noble-kernel.ts";

/** A kernel with what cipher suites 1 and 2 need, told apart by `kind`. */
export type LoadedKernel = BasicWasmKernel | NobleKernel;

type Kind = Kernel["kind"];

const chosen = (): Kind => (wasmSupported() ? "wasm" : "noble");

/** Kernels of this context, each made once. */
function once<T>(load: (kind: Kind) => Promise<T>): (kind?: Kind) => Promise<T> {
  const loaded = new Map<Kind, Promise<T>>();
  return (kind = chosen()) => {
    const kernel = loaded.get(kind) ?? load(kind);
    loaded.set(kind, kernel);
    return kernel;
  };
}

const loadNoble = once(async () => (await import("./noble-kernel.ts")).createNobleKernel());

/**
 * The kernel of this context, made once: `wasm` where WebAssembly with SIMD may run, else `noble`. The argument overrides the
 * choice, for tests and comparisons.
 *
 * @example
 * ```ts run
 * import { loadKernel } from "@coppice/core";
 *
 * const kernel = await loadKernel();
 * console.assert(kernel.sha256.Nh === 32);
 * ```
 */
export const loadKernel: (kind?: Kind) => Promise<LoadedKernel> = once(async (kind) =>
  kind === "wasm" ? createBasicWasmKernel() : loadNoble("noble"),
);

/** The kernel with what all cipher suites need. */
export const loadFullKernel: (kind?: Kind) => Promise<WasmKernel | NobleKernel> = once(async (kind) =>
  kind === "wasm" ? (await import("@coppice/wasm/full")).createWasmKernel() : loadNoble("noble"),
);
