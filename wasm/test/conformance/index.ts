/** The suite over kernel, noble and SubtleCrypto, for any test runner and any engine. */
import type { WasmKernel } from "../../src/index.ts";
import { aeadEdgeCases } from "./aead-edges.ts";
import type { ConformanceCase } from "./case.ts";
import { hashEdgeCases } from "./hash-edges.ts";
import { kernelImplementation, noble, subtleImplementation } from "./implementations.ts";
import { instanceCases } from "./instances.ts";
import { knownAnswerCases } from "./known-answers.ts";
import { messageCases } from "./messages.ts";
import { randomCases } from "./random.ts";

export type { ConformanceCase } from "./case.ts";

export interface ConformanceOptions {
  readonly kernel: WasmKernel;
  /** Random inputs to each function, compared with each peer. */
  readonly comparisons: number;
}

/** All cases, which share the kernel: one that leaves it unusable fails the ones after it. */
export async function conformanceCases({
  kernel,
  comparisons,
}: ConformanceOptions): Promise<readonly ConformanceCase[]> {
  const peers = [noble, await subtleImplementation()];
  const all = [kernelImplementation(kernel), ...peers];
  return [
    ...all.flatMap(knownAnswerCases),
    ...hashEdgeCases(kernel, peers),
    ...aeadEdgeCases(kernel, all),
    ...instanceCases(),
    ...randomCases(kernel, peers, comparisons),
    ...messageCases(kernel, comparisons),
  ];
}
