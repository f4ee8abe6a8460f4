/** What becomes of the secrets of commits that are dropped. */
import type * as core from "@coppice/core";
import type { StagedCommit } from "@coppice/core";
import { CoppiceError } from "@coppice/kit";
import { expect, test, vi } from "vitest";
import { again, pair } from "./world.ts";

const made = vi.hoisted((): StagedCommit[] => []);

vi.mock("@coppice/core", async (original): Promise<typeof core> => {
  const actual = await original<typeof core>();
  return {
    ...actual,
    createCommit: async (...args) => {
      const result = await actual.createCommit(...args);
      made.push(result.staged);
      return result;
    },
  };
});

/** One that is kept for the epochs to come. */
const isErased = ({ next: { secrets } }: StagedCommit): boolean => secrets.resumptionPsk.every((byte) => byte === 0);

test("R-14-2: a commit that lost leaves no secrets in memory, nor does one that the Delivery Service refused", async () => {
  const { world, aliceDevice, alice, atAlice, atBob } = await pair();
  alice.crash();
  const before: (() => Promise<void>)[] = [
    () => Promise.reject(new CoppiceError("ERR_DS_TOO_LARGE", "Too large")),
    () => atBob.update(),
  ];
  const opened = await aliceDevice.open({
    wrap: (service) => ({
      ...service,
      submitCommit: async (...args) => {
        await before.shift()?.();
        return service.submitCommit(...args);
      },
    }),
  });
  const conversation = again(opened, atAlice);
  made.length = 0;
  await expect(world.run(conversation.rename("No"))).rejects.toMatchObject({ code: "ERR_DS_TOO_LARGE" });
  expect(made.map(isErased)).toEqual([true]);

  made.length = 0;
  await world.run(conversation.update());
  await world.agree(conversation, atBob);
  // Alice's, Bob's that won, and Alice's next.
  expect(made.map(isErased)).toEqual([true, false, false]);
  await world.run(conversation.rename("Yes"));
  await world.agree(conversation, atBob);
});
