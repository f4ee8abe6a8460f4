import { describe, it } from "vitest";
import { createWasmKernel } from "../../src/full.ts";
import { conformanceCases } from "../conformance/index.ts";

// 10,000 in `npm run engines`.
const cases = await conformanceCases({ kernel: createWasmKernel(), comparisons: 100 });

describe("kernel, noble and SubtleCrypto", () => {
  it.each(cases)("$title", ({ run }) => run());
});
