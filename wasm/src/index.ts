export type { Bytes, HashKernel, Kernel } from "./kernel.ts";
