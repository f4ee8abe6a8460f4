/**
 * `npm run ct -- [--filter TEXT] [--rounds N] [--samples N]`: looks for timings that depend on secrets. Exit code 1 if
 * one is found in the kernel, or is not found in the control, which leaks on purpose.
 */
import { parseArgs } from "node:util";
import { createWasmKernel } from "../../src/full.ts";
import { createCurveKernel } from "../../src/curve.ts";
import { leakyKernel } from "./control.ts";
import { CURVE_CONTROLS, CURVE_TARGETS, leakyCurveKernel } from "./curve-targets.ts";
import { examine } from "./measure.ts";
import { TARGETS, type Target } from "./targets.ts";
import type { Verdict } from "./welch.ts";

const { values } = parseArgs({
  options: {
    filter: { type: "string", default: "" },
    rounds: { type: "string", default: "15" },
    samples: { type: "string", default: "20000" },
  },
});
const effort = { rounds: Number(values.rounds), samples: Number(values.samples) };
if (!(effort.rounds >= 3 && effort.samples >= 1_000)) throw new RangeError("at least 3 rounds of 1000 samples");

/** What the control has to be flagged for: its AES and its comparison. AES in counter mode never sees the plaintext. */
const CONTROLS = [
  "aes128gcm seal: key",
  "aes128gcm open: key and plaintext",
  "aes128gcm tag comparison: first or last byte wrong",
  "chacha20poly1305 tag comparison: first or last byte wrong",
];

const wanted = ({ name }: { readonly name: string }): boolean => name.includes(values.filter);

function line(name: string, { t, effect, crop, agreeing, rounds, flagged }: Verdict): string {
  const numbers = `t ${t.toFixed(1).padStart(7)}, ${(100 * effect).toFixed(2).padStart(6)} %`;
  return `${name.padEnd(60)} ${numbers}, crop ${crop.toFixed(2)}, ${agreeing}/${rounds} rounds${flagged ? "  FLAGGED" : ""}`;
}

function examineAll<Kernel>(kernel: Kernel, targets: readonly Target<Kernel>[]): number {
  let flagged = 0;
  for (const target of targets.filter(wanted)) {
    const verdict = examine(target, kernel, effort);
    console.log(line(target.name, verdict));
    if (verdict.flagged) flagged++;
  }
  return flagged;
}

const [kernel, leaky] = [createWasmKernel(), await leakyKernel()];
const [key, nonce, data] = [new Uint8Array(16).fill(1), new Uint8Array(12), new Uint8Array(50)];
const results = [kernel, leaky].map(({ aes128gcm }) => aes128gcm.seal(key, nonce, data, data).join());
if (results[0] !== results[1]) throw new Error("the control does not compute AES-GCM");

const controls = TARGETS.filter(({ name }) => CONTROLS.includes(name));
console.log("Control, with a table and an early exit: all have to be flagged");
const curveControls = CURVE_TARGETS.filter(({ name }) => CURVE_CONTROLS.includes(name));
const found = examineAll(leaky, controls) + examineAll(await leakyCurveKernel(), curveControls);
console.log("\nThe kernel: none may be flagged");
const leaks = examineAll(kernel, TARGETS) + examineAll(createCurveKernel(), CURVE_TARGETS);
const missed = [...controls, ...curveControls].filter(wanted).length - found;
console.log(`\n${leaks} of the kernel flagged, ${missed} of the control missed`);
if (leaks > 0 || missed > 0) process.exitCode = 1;
