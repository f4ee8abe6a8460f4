/** The positive control: the kernel with two parts exchanged for ones that leak. Made here and nowhere else. */
import { readFile } from "node:fs/promises";
import { kernelOver } from "../../src/full.ts";
import type { KernelExports } from "../../src/instantiate.ts";
import type { WasmKernel } from "../../src/index.ts";
import { compile } from "../../build.mjs";

const CONSTANT_TIME = "return !v128.any_true(v128.xor(v128.load(EXPECTED), v128.load(tag)));";
const EARLY_EXIT = `
  for (let i: usize = 0; i < TAG; i++) if (load<u8>(EXPECTED + i) != load<u8>(tag + i)) return false;
  return true;`;

const source = (path: string): Promise<string> => readFile(new URL(`../../assembly/${path}`, import.meta.url), "utf8");

/** A kernel whose AES looks up a table and whose comparison of tags stops at the first difference. */
export async function leakyKernel(): Promise<WasmKernel> {
  const aead = await source("aead.ts");
  if (aead.split(CONSTANT_TIME).length !== 2) throw new Error("aead.ts does not compare tags where it did");
  const replaced = new Map([
    ["assembly/aead.ts", aead.replace(CONSTANT_TIME, EARLY_EXIT)],
    ["assembly/aes.ts", await source("leaky/aes.ts")],
  ]);
  const binary = await compile("index.ts", { replaced, pages: 8 });
  return kernelOver(new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as unknown as KernelExports);
}
