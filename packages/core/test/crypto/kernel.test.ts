/** Kernels where WebAssembly is missing, forbidden or out of memory (adversarial 54). */
import { afterEach, describe, expect, test, vi } from "vitest";
import { utf8 } from "../../src/codec/bytes.ts";

const { Instance } = WebAssembly;

afterEach(() => {
  vi.unstubAllGlobals();
});

/** `crypto/cipher-suite.ts` and `crypto/kernel.ts` of a new context, in which so many instances can be made. */
async function contextOf(instances: number): Promise<{
  readonly kernel: typeof import("../../src/crypto/kernel.ts");
  readonly suites: typeof import("../../src/crypto/cipher-suite.ts");
  readonly allow: (more: number) => void;
}> {
  let left = instances;
  vi.stubGlobal("WebAssembly", {
    ...{ Module: WebAssembly.Module, Memory: WebAssembly.Memory },
    Instance: function (module: WebAssembly.Module) {
      if (left-- <= 0) throw new RangeError("WebAssembly.Instance(): Out of memory");
      return new Instance(module);
    },
  });
  vi.resetModules();
  return {
    kernel: await import("../../src/crypto/kernel.ts"),
    suites: await import("../../src/crypto/cipher-suite.ts"),
    allow: (more) => {
      left = more;
    },
  };
}

describe("when no WebAssembly instance can be made", () => {
  test.each([
    ["the first one", 0, ["noble", "noble"]],
    ["the second one", 1, ["wasm", "noble"]],
  ])("%s: suites run on noble, with the same results", async (_, instances, expected) => {
    const { kernel, suites } = await contextOf(instances);
    expect((await kernel.loadKernel()).kind).toBe(expected[0]);
    expect((await kernel.loadFullKernel()).kind).toBe(expected[1]);
    for (const id of [1, 3]) {
      const suite = await suites.getCipherSuite(id);
      const [key, nonce] = [new Uint8Array(suite.aead.Nk), new Uint8Array(12)];
      const sealed = await suite.aead.seal(key, nonce, utf8("aad"), utf8("text"));
      expect(await suite.aead.open(key, nonce, utf8("aad"), sealed)).toEqual(utf8("text"));
    }
  });

  test("and WebAssembly is asked for, the error has a code and is not kept", async () => {
    const { kernel, suites, allow } = await contextOf(0);
    const refused = { code: "ERR_MLS_CRYPTO", cause: { cause: { name: "RangeError" } } };
    await expect(kernel.loadKernel("wasm")).rejects.toMatchObject(refused);
    await expect(suites.getCipherSuite(3, { kernel: "wasm" })).rejects.toMatchObject(refused);
    allow(10);
    expect((await kernel.loadKernel("wasm")).kind).toBe("wasm");
    expect((await kernel.loadKernel()).kind).toBe("wasm");
    expect((await suites.getCipherSuite(3, { kernel: "wasm" })).name).toContain("CHACHA20POLY1305");
  });

  test("no instance is made to find out whether one can be", async () => {
    const { kernel } = await contextOf(1);
    expect((await kernel.loadKernel()).kind).toBe("wasm");
  });
});
