export { createWasmKernel, wasmSupported } from "./api.ts";
export type { Bytes, HashKernel, Kernel } from "./kernel.ts";
