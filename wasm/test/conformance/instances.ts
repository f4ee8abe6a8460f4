/** Instances beside one another. */
import { createWasmKernel } from "../../src/full.ts";
import type { WasmKernel } from "../../src/index.ts";
import { type ConformanceCase, expectSame } from "./case.ts";
import { AEADS, HASHES } from "./implementations.ts";
import { Random } from "./random.ts";

/** One call of every function, as one string of results. */
function everything(kernel: WasmKernel, seed: number): string {
  const random = new Random(seed);
  const [key, data] = [random.bytes(32), random.bytes(100)];
  const hashed = HASHES.flatMap((name) => {
    const { [name]: hash } = kernel;
    const secret = hash.digest(key);
    const { keys, secret: next } = hash.ratchet({ secret, generation: seed, count: 2, Nk: 16, Nn: 12 });
    return [secret, hash.hmac(key, data), ...keys.flatMap((pair) => [pair.key, pair.nonce]), next];
  });
  const sealed = AEADS.flatMap((name) => {
    const { [name]: aead } = kernel;
    return [aead.seal(key.subarray(0, aead.Nk), data.subarray(0, 12), data, key)];
  });
  return [...hashed, ...sealed].map((bytes) => bytes.join()).join(";");
}

export function instanceCases(): readonly ConformanceCase[] {
  return [
    {
      title: "two instances do not share secrets: calls of one do not show in the results of the other",
      run: () => {
        const [one, other] = [createWasmKernel(), createWasmKernel()];
        const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
        for (let seed = 0; seed < 50; seed++) {
          const alone = everything(createWasmKernel(), seed);
          const between = everything(one, seed);
          everything(other, seed + 1);
          expectSame(encode(everything(one, seed)), encode(alone), `seed ${seed}, after calls of another instance`);
          expectSame(encode(between), encode(alone), `seed ${seed}`);
        }
      },
    },
  ];
}
