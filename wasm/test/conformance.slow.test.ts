import { describe, expect, it } from "vitest";
import { createWasmKernel } from "../src/full.ts";
import type { WasmKernel } from "../src/index.ts";
import { conformanceCases } from "./conformance/index.ts";

/** `npm run engines` compares 10,000 inputs; that takes minutes. */
const comparisons = Number(process.env["COPPICE_COMPARISONS"] ?? 100);

const cases = await conformanceCases({ kernel: createWasmKernel(), comparisons });

describe("kernel, noble and SubtleCrypto", { timeout: 600_000 }, () => {
  it.each(cases)("$title", ({ run }) => run());
});

/** `target` with some of its methods replaced. */
function altered<T extends object>(target: T, change: Partial<T>): T {
  return new Proxy(target, {
    get: (_target, name) => {
      const value: unknown = Reflect.get(name in change ? change : target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

describe("the suite can fail", () => {
  const kernel = createWasmKernel();
  const failures = async (broken: WasmKernel, about: string): Promise<string[]> => {
    const failed: string[] = [];
    const all = await conformanceCases({ kernel: broken, comparisons: 20 });
    for (const { title, run } of all.filter((one) => one.title.includes(about))) {
      await Promise.resolve()
        .then(run)
        .catch(() => failed.push(title));
    }
    return failed;
  };

  it("with a hash that is wrong for one length", async () => {
    const { sha256 } = kernel;
    const digest: typeof sha256.digest = (data) => sha256.digest(data.length === 1000 ? data.subarray(1) : data);
    expect(await failures({ ...kernel, sha256: altered(sha256, { digest }) }, "every length")).toEqual([
      "every length from 0 to 1025, one by one and in a batch: sha256, with noble",
      "every length from 0 to 1025, one by one and in a batch: sha256, with SubtleCrypto",
    ]);
  });

  it("with an AEAD that ignores the last bit of the tag", async () => {
    const { chacha20poly1305: aead } = kernel;
    const open: typeof aead.open = (key, nonce, aad, data) => {
      const opened = aead.open(key, nonce, aad, data);
      if (opened !== undefined || data.length < 16) return opened;
      const other = new Uint8Array(data);
      other[data.length - 1] = (other[data.length - 1] ?? 0) ^ 0x80;
      return aead.open(key, nonce, aad, other);
    };
    expect(await failures({ ...kernel, chacha20poly1305: altered(aead, { open }) }, "wrong tags")).toEqual([
      "chacha20poly1305, kernel: wrong tags are refused, of empty and of longer messages",
    ]);
  });
});
