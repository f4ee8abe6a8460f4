/** What runs inside an engine: the suite, in pieces, so that its driver can tell a slow engine from one that hangs. */
import { createWasmKernel } from "../../src/full.ts";
import { type ConformanceCase, conformanceCases } from "../conformance/index.ts";
import type { Progress } from "./engines.ts";

let cases: readonly ConformanceCase[] = [];
let next = 0;
let passed = 0;
const failures: string[] = [];

export async function start({ comparisons }: { readonly comparisons: number }): Promise<void> {
  cases = await conformanceCases({ kernel: createWasmKernel(), comparisons });
}

/** Runs cases for about so many milliseconds, but at least one. */
export async function proceed(milliseconds: number): Promise<Progress> {
  for (const deadline = performance.now() + milliseconds; next < cases.length;) {
    const current = cases[next++];
    try {
      await current?.run();
      passed++;
    } catch (error) {
      failures.push(`${current?.title ?? ""}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (performance.now() >= deadline) break;
  }
  return { passed, failures, left: cases.length - next };
}
