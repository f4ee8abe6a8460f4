/** Shared by the tests: bytes from hex, reproducible random bytes, and a view of a kernel's whole memory. */
import { kernelOver } from "../src/full.ts";
import { fullKernelText } from "../src/generated/full-kernel.ts";
import { type KernelExports, instantiate } from "../src/instantiate.ts";

export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** mulberry32: a failure names its seed by being the same in every run. */
export function random(seed: number): { bytes(length: number): Uint8Array<ArrayBuffer>; below(limit: number): number } {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    bytes: (length) => Uint8Array.from({ length }, next),
    below: (limit) => next() % limit,
  };
}

/** A kernel whose memory can be looked into. */
export function openKernel(): {
  kernel: ReturnType<typeof kernelOver>;
  exports: KernelExports;
  /** Memory as it is now. */
  memory(): Uint8Array;
} {
  const exports = instantiate(fullKernelText);
  return { kernel: kernelOver(exports), exports, memory: () => new Uint8Array(exports.memory.buffer).slice() };
}

/** Whether eight successive bytes of `secret` occur anywhere in `memory`. */
export function holdsPartOf(memory: Uint8Array, secret: Uint8Array): boolean {
  const haystack = Buffer.from(memory);
  for (let i = 0; i + 8 <= secret.length; i++) {
    if (haystack.includes(Buffer.from(secret.subarray(i, i + 8)))) return true;
  }
  return false;
}
