/** From the embedded bytes to a running instance, without a fetch and without waiting. */
import { decodeBytes } from "./byte-text.ts";
import { kernelText } from "./generated/kernel-bytes.ts";

/** What the WebAssembly module exports; `assembly/index.ts` documents the functions. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly arena: WebAssembly.Global;
  readonly capacity: WebAssembly.Global;
  readonly outputCapacity: WebAssembly.Global;
  digest(alg: number, length: number): void;
  digestMany(alg: number, count: number): void;
  hmac(alg: number, keyLength: number, length: number): void;
  expand(alg: number, prkLength: number, infoLength: number, length: number): void;
  expandWithLabel(alg: number, secretLength: number, labelLength: number, contextLength: number, length: number): void;
  expandMany(alg: number, secretLength: number, count: number, length: number): void;
  ratchet(alg: number, generation: number, count: number, Nk: number, Nn: number): void;
  digestStart(alg: number): void;
  hmacStart(alg: number, keyLength: number): void;
  update(length: number): void;
  digestFinish(alg: number): void;
  hmacFinish(alg: number): void;
  aeadBatch(alg: number, open: 0 | 1, count: number): void;
  aeadStart(alg: number): void;
  aeadAad(length: number): void;
  aeadData(length: number): void;
  aeadCrypt(length: number): void;
  aeadTag(): void;
  aeadVerify(): number;
  erase(): void;
}

let compiled: WebAssembly.Module | undefined;

/**
 * A new instance with its own memory. Instances share the compiled code and nothing else.
 *
 * @throws Error when WebAssembly or its SIMD instructions are missing, or a content security policy forbids them.
 */
export function instantiate(): KernelExports {
  if (typeof WebAssembly === "undefined") throw new Error("WebAssembly is not available here");
  try {
    compiled ??= new WebAssembly.Module(decodeBytes(kernelText));
    // The module and this interface are built from the same commit.
    return new WebAssembly.Instance(compiled).exports as unknown as KernelExports;
  } catch (cause) {
    throw new Error("WebAssembly with SIMD is not available or not allowed here", { cause });
  }
}
