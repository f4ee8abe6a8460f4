/** The kernel of all cipher suites. */
import { aeads, createAead } from "./aead.ts";
import { Arena } from "./arena.ts";
import { basicKernelOver } from "./basic.ts";
import { fullKernelText } from "./generated/full-kernel.ts";
import { createHash, hashes } from "./hash.ts";
import { type KernelExports, instantiate } from "./instantiate.ts";
import type { WasmKernel } from "./kernel.ts";

/**
 * Creates a kernel with everything that the cipher suites of RFC 9420 need; otherwise like `createBasicWasmKernel`.
 *
 * @throws Error where that one throws.
 *
 * @example
 * const kernel = createWasmKernel();
 * const hash = kernel.sha512.digest(new TextEncoder().encode("abc"));
 */
export function createWasmKernel(): WasmKernel {
  return kernelOver(instantiate(fullKernelText));
}

/** The kernel over an instance whose memory the tests can look into. Not exported by the package. */
export function kernelOver(exports: KernelExports): WasmKernel {
  const arena = new Arena(exports);
  return {
    ...basicKernelOver(exports, arena),
    sha384: createHash(exports, arena, hashes.sha384),
    sha512: createHash(exports, arena, hashes.sha512),
    chacha20poly1305: createAead(exports, arena, aeads.chacha20poly1305),
  };
}
