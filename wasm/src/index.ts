export { createWasmKernel, wasmSupported } from "./api.ts";
export type {
  Aead,
  AeadKernel,
  AeadMessage,
  Bytes,
  Expansion,
  HashKernel,
  Kernel,
  RatchetKeys,
  RatchetRun,
  WasmKernel,
} from "./kernel.ts";
