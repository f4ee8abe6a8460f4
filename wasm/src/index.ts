export { createBasicWasmKernel, wasmSupported } from "./basic.ts";
export type {
  Aead,
  AeadKernel,
  AeadMessage,
  BasicKernel,
  BasicWasmKernel,
  Bytes,
  Expansion,
  HashKernel,
  Kernel,
  RatchetKeys,
  RatchetRun,
  WasmKernel,
} from "./kernel.ts";
