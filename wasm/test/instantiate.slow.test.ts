import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { decodeBytes } from "../src/byte-text.ts";
import { basicKernelText } from "../src/generated/basic-kernel.ts";
import { fullKernelText } from "../src/generated/full-kernel.ts";

const load = async (): Promise<typeof import("../src/index.ts")> => {
  vi.resetModules();
  return import("../src/index.ts");
};

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("where WebAssembly cannot be used", () => {
  it("works here", async () => {
    expect((await load()).createBasicWasmKernel().kind).toBe("wasm");
  });

  it("is missing: a plain Error", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    const { createBasicWasmKernel } = await load();
    expect(createBasicWasmKernel).toThrow(/WebAssembly is not available/);
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
    const { createBasicWasmKernel } = await load();
    expect(createBasicWasmKernel).toThrow(expect.objectContaining({ name: "Error", cause: refusal }));
  });
});

describe("the embedded bytes", () => {
  it("are what the sources compile to", { timeout: 60_000 }, async () => {
    const { compileKernels } = await import("../build.mjs");
    for (const { name, source } of await compileKernels()) {
      const committed = await readFile(new URL(`../src/generated/${name}.ts`, import.meta.url), "utf8");
      // Not toBe: a difference of 30 kB of text in a report helps no one.
      expect(source === committed).toBe(true);
    }
  });

  it("import nothing", async () => {
    for (const text of [basicKernelText, fullKernelText]) {
      expect(WebAssembly.Module.imports(new WebAssembly.Module(decodeBytes(text)))).toEqual([]);
    }
  });
});
