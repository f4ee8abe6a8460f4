/** What users of the package call. */
import { aeads, createAead } from "./aead.ts";
import { Arena } from "./arena.ts";
import { createHash, hashes } from "./hash.ts";
import { type KernelExports, instantiate } from "./instantiate.ts";
import type { WasmKernel } from "./kernel.ts";

/**
 * Creates a kernel: one WebAssembly instance with a fixed memory of its own.
 *
 * Every function runs synchronously, copies its arguments in and its result out, and has erased both from the kernel's
 * memory when it returns, also when it throws. Two kernels share nothing but code.
 *
 * @throws Error when WebAssembly or its SIMD instructions are missing, or a content security policy forbids them. The
 * `Kernel` of `@coppice/core` that needs no WebAssembly gives the same results.
 *
 * @example
 * const kernel = createWasmKernel();
 * const hash = kernel.sha256.digest(new TextEncoder().encode("abc"));
 */
export function createWasmKernel(): WasmKernel {
  return kernelOver(instantiate());
}

/** Whether `createWasmKernel` works here. Found out by doing it. */
export function wasmSupported(): boolean {
  try {
    instantiate();
    return true;
  } catch {
    return false;
  }
}

/** The kernel over an instance whose memory the tests can look into. Not exported by the package. */
export function kernelOver(exports: KernelExports): WasmKernel {
  const arena = new Arena(exports);
  return {
    kind: "wasm",
    sha256: createHash(exports, arena, hashes.sha256),
    sha384: createHash(exports, arena, hashes.sha384),
    sha512: createHash(exports, arena, hashes.sha512),
    aes128gcm: createAead(exports, arena, aeads.aes128gcm),
    aes256gcm: createAead(exports, arena, aeads.aes256gcm),
    chacha20poly1305: createAead(exports, arena, aeads.chacha20poly1305),
  };
}
