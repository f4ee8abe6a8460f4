/** Operations of the curve kernel with secrets, and a control that leaks them on purpose. */
import { readFile } from "node:fs/promises";
import { compile } from "../../build.mjs";
import { type CurveExports, type CurveKernel, curveKernelOver } from "../../src/curve.ts";
import { fieldProducts } from "../../field-products.mjs";
import type { Target } from "./targets.ts";

const none = new Uint8Array(0);
const PEER = new Uint8Array(32).fill(9);
const MESSAGE = new Uint8Array(40).fill(7);

/** Always the same secret, or another one each time. */
const make: Target<CurveKernel>["make"] = (_kernel, cls) => [
  cls === "first" ? new Uint8Array(32) : crypto.getRandomValues(new Uint8Array(32)),
];

export const CURVE_TARGETS: readonly Target<CurveKernel>[] = [
  { name: "X25519 public key: private key", make, run: (kernel, [key = none]) => kernel.agreementKey(key) },
  { name: "X25519 agreement: private key", make, run: (kernel, [key = none]) => kernel.agree(key, PEER) },
  { name: "Ed25519 sign: seed", make, run: (kernel, [seed = none]) => kernel.sign(seed, PEER, MESSAGE) },
];

/** What the control has to be flagged for: the digits of a hashed seed have no pattern that shows. */
export const CURVE_CONTROLS: readonly string[] = ["X25519 public key: private key", "X25519 agreement: private key"];

const CONSTANT_TIME = [
  `      select(BASE_TABLE + i * BASE_MULTIPLES * FOUR, load<i8>(DIGITS + 4 * i + part));
      addPrepared(POINT, SELECTED);`,
  "    previous = bit;",
] as const;
const LEAKY = [
  `      const digit = <i32>load<i8>(DIGITS + 4 * i + part);
      select(BASE_TABLE + i * BASE_MULTIPLES * FOUR, digit);
      if (digit != 0) addPrepared(POINT, SELECTED);`,
  "    if (bit) multiply(L, PEER, PEER);\n    previous = bit;",
] as const;

/** A kernel that leaves additions out where a digit is 0, and whose ladder takes longer for a 1. */
export async function leakyCurveKernel(): Promise<CurveKernel> {
  let source = await readFile(new URL("../../assembly/curve/secret.ts", import.meta.url), "utf8");
  for (const [i, part] of CONSTANT_TIME.entries()) {
    if (source.split(part).length !== 2) throw new Error("secret.ts does not select where it did");
    source = source.replace(part, LEAKY[i] ?? part);
  }
  const replaced = new Map([
    ["assembly/curve/field-products.ts", fieldProducts()],
    ["assembly/curve/secret.ts", source],
  ]);
  const binary = await compile("curve/index.ts", { replaced, pages: 6 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
  return curveKernelOver(exports as unknown as CurveExports);
}
