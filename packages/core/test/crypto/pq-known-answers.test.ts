/** Published answers of the KEMs of draft-ietf-hpke-pq. `npm run engines` asks browsers for the same ones. */
import { expect, test } from "vitest";
import { PQ_ANSWERS } from "../support/pq-answers.ts";

test.each(PQ_ANSWERS)("Q-2-1: $title", async ({ published, got }) => {
  expect(await got()).toBe(published);
});
