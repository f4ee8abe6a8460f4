/** Each target of `npm run fuzz` a few times, so that none of them is broken unnoticed. */
import { expect, test } from "vitest";
import { decoderTargets } from "../fuzz/decoders.ts";
import { partialTargets } from "../fuzz/partial.ts";
import { processingTargets } from "../fuzz/processing.ts";
import { seeded } from "../fuzz/random.ts";
import { surroundingTargets } from "../fuzz/surroundings.ts";
import { partialSamples } from "./support/partial-samples.ts";

const partial = await partialSamples();
const targets = [
  ...(await decoderTargets(partial.samples)),
  ...(await processingTargets()),
  ...(await partialTargets(partial)),
  ...(await surroundingTargets()),
];

test.each(targets.map((target) => [target.name, target] as const))("%s", async (_, { run }) => {
  const random = seeded(1);
  for (let i = 0; i < 10; i++) await expect(Promise.resolve(run(random))).resolves.toBeUndefined();
});
