import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { decodeBytes } from "../src/byte-text.ts";

const load = async (): Promise<typeof import("../src/index.ts")> => {
  vi.resetModules();
  return import("../src/index.ts");
};

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("where WebAssembly cannot be used", () => {
  it("works here", async () => {
    expect((await load()).wasmSupported()).toBe(true);
  });

  it("is missing: a plain Error, and not supported", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    const { createWasmKernel, wasmSupported } = await load();
    expect(wasmSupported()).toBe(false);
    expect(createWasmKernel).toThrow(/WebAssembly is not available/);
  });

  it("is forbidden by a content security policy: the engine's error is the cause", async () => {
    const refusal = new WebAssembly.CompileError("Refused to compile or instantiate WebAssembly module");
    vi.stubGlobal("WebAssembly", {
      Module: class {
        constructor() {
          throw refusal;
        }
      },
    });
    const { createWasmKernel, wasmSupported } = await load();
    expect(wasmSupported()).toBe(false);
    expect(createWasmKernel).toThrow(expect.objectContaining({ name: "Error", cause: refusal }));
  });
});

describe("the embedded bytes", () => {
  it("are what the sources compile to", { timeout: 60_000 }, async () => {
    const { compileKernel } = await import("../build.mjs");
    const committed = await readFile(new URL("../src/generated/kernel-bytes.ts", import.meta.url), "utf8");
    // Not toBe: a difference of 30 kB of text in a report helps no one.
    expect((await compileKernel()).source === committed).toBe(true);
  });

  it("import nothing", async () => {
    const { kernelText } = await import("../src/generated/kernel-bytes.ts");
    const module = new WebAssembly.Module(decodeBytes(kernelText));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });
});
