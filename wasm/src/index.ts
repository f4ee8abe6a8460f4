export { createBasicWasmKernel } from "./basic.ts";
export { kdfLabel } from "./kdf-label.ts";
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
  MessageKernel,
  MessageToSeal,
  RatchetKeys,
  RatchetRun,
  SealedContent,
  SealedMessage,
  SealedSenderData,
  WasmKernel,
} from "./kernel.ts";
