/** Which kernel runs the hot path: WebAssembly, or noble where that is not allowed. */
import type { Kernel, WasmKernel } from "@coppice/wasm";
import { createWasmKernel, wasmSupported } from "@coppice/wasm";
import type { NobleKernel } from "./noble-kernel.ts";

/** A kernel, told apart by `kind`. */
export type LoadedKernel = WasmKernel | NobleKernel;

const loaded = new Map<Kernel["kind"], Promise<LoadedKernel>>();

async function load(kind: Kernel["kind"]): Promise<LoadedKernel> {
  if (kind === "wasm") return createWasmKernel();
  const { createNobleKernel } = await import("./noble-kernel.ts");
  return createNobleKernel();
}

/**
 * The kernel of this context, made once: `wasm` where WebAssembly with SIMD may run, else `noble`.
 * `prefer` overrides the choice, for tests and comparisons.
 *
 * @example
 * ```ts run
 * import { loadKernel } from "@coppice/core";
 *
 * const kernel = await loadKernel();
 * console.assert(kernel.sha256.Nh === 32);
 * ```
 */
export function loadKernel(prefer: Kernel["kind"] = wasmSupported() ? "wasm" : "noble"): Promise<LoadedKernel> {
  let kernel = loaded.get(prefer);
  if (kernel === undefined) {
    kernel = load(prefer);
    loaded.set(prefer, kernel);
  }
  return kernel;
}
