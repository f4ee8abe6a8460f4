export { createWasmKernel, wasmSupported } from "./api.ts";
export type { Aead, AeadKernel, AeadMessage, Bytes, HashKernel, Kernel, WasmKernel } from "./kernel.ts";
