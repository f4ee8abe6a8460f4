/** The kernel of cipher suites 1 and 2. */
import { aeads, createAead } from "./aead.ts";
import { Arena } from "./arena.ts";
import { basicKernelText } from "./generated/basic-kernel.ts";
import { createHash, hashes } from "./hash.ts";
import { type KernelExports, instantiate } from "./instantiate.ts";
import type { BasicWasmKernel } from "./kernel.ts";
import { createMessages } from "./message.ts";

/**
 * Creates a kernel with SHA-256 and AES-GCM, a third smaller than one with everything, which `@coppice/wasm/full` creates:
 * one WebAssembly instance with a fixed memory of its own.
 *
 * Every function runs synchronously, copies its arguments in and its result out, and has erased both from the kernel's
 * memory when it returns, also when it throws. Two kernels share nothing but code.
 *
 * @throws Error when WebAssembly or its SIMD instructions are missing, a content security policy forbids them, or there is
 * no memory for another instance. The `Kernel` of `@coppice/core` that needs no WebAssembly gives the same results.
 *
 * @example
 * const kernel = createBasicWasmKernel();
 * const hash = kernel.sha256.digest(new TextEncoder().encode("abc"));
 */
export function createBasicWasmKernel(): BasicWasmKernel {
  const exports = instantiate(basicKernelText);
  return basicKernelOver(exports, new Arena(exports));
}

/** The part that both kernels have, over an instance of either. */
export function basicKernelOver(exports: KernelExports, arena: Arena): BasicWasmKernel {
  return {
    kind: "wasm",
    sha256: createHash(exports, arena, hashes.sha256),
    aes128gcm: createAead(exports, arena, aeads.aes128gcm),
    aes256gcm: createAead(exports, arena, aeads.aes256gcm),
    messages: (hash, aead) => createMessages(exports, arena, { hash: named(hashes, hash), aead: named(aeads, aead) }),
  };
}

function named<T extends { readonly name: string }>(all: Readonly<Record<string, T>>, name: string): T {
  const found = Object.values(all).find((each) => each.name === name);
  if (found === undefined) throw new RangeError(`the kernel has no ${name}`);
  return found;
}
