/** From the embedded bytes to a running instance, without a fetch and without waiting. */
import { decodeBytes } from "./byte-text.ts";

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
  sealPrivateMessage(
    hash: number,
    aead: number,
    generation: number,
    leafIndex: number,
    headerLength: number,
    aadStart: number,
    senderDataAadEnd: number,
    plaintextLength: number,
  ): void;
  openSenderData(hash: number, aead: number, count: number): void;
  aeadStart(alg: number): void;
  aeadAad(length: number): void;
  aeadData(length: number): void;
  aeadCrypt(length: number): void;
  aeadTag(): void;
  aeadVerify(): number;
  erase(): void;
}

/** By their texts. */
const compiled = new Map<string, WebAssembly.Module>();

/**
 * A new instance, with its own memory, of the kernel that `text` is: `decodeBytes` reads it. Instances share the compiled
 * code and nothing else.
 *
 * @throws Error when WebAssembly or its SIMD instructions are missing, a content security policy forbids them, or there is no memory for it.
 */
export function instantiate(text: string): KernelExports {
  // The module and this interface are built from the same commit.
  return instanceOf(text) as unknown as KernelExports;
}

/** The exports of such an instance, of any of the modules. */
export function instanceOf(text: string): WebAssembly.Exports {
  if (typeof WebAssembly === "undefined") throw new Error("WebAssembly is not available here");
  try {
    const module = compiled.get(text) ?? new WebAssembly.Module(decodeBytes(text));
    compiled.set(text, module);
    return new WebAssembly.Instance(module).exports;
  } catch (cause) {
    throw new Error("WebAssembly with SIMD is not available or not allowed here, or there is no memory for it", {
      cause,
    });
  }
}
