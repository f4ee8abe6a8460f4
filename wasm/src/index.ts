export { createWasmKernel, wasmSupported } from "./api.ts";
export type {
  Aead,
  AeadKernel,
  AeadMessage,
  BatchHashKernel,
  Bytes,
  HashKernel,
  Kernel,
  WasmKernel,
} from "./kernel.ts";
