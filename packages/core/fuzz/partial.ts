/** Partial members: annotated messages that were changed on the way are refused, only ever by a `CoppiceError`. */
import { toHex } from "../src/codec/bytes.ts";
import { joinPartially } from "../src/drafts/partial/join.ts";
import { processAnnotatedCommit } from "../src/drafts/partial/process-commit.ts";
import { processSenderAuthenticated } from "../src/drafts/partial/receive.ts";
import type { PartialSamples } from "../test/support/partial-samples.ts";
import { mutate, pick } from "./random.ts";
import type { Target } from "./target.ts";
import { Finding, requireCoppiceError } from "./target.ts";

export async function partialTargets(given: PartialSamples): Promise<Target[]> {
  const { samples, receiver, joiner, keyPackage, commits, application, proposal } = given;
  const { state, rules } = receiver;
  const { suite } = joiner;
  const expected = (await joinPartially(given.welcome, { suite, rules, keyPackage })).state.secrets.epochAuthenticator;
  const kinds = [
    ...commits.map((genuine) => ({
      genuine,
      process: (input: Uint8Array) => processAnnotatedCommit(state, input, { rules }),
    })),
    {
      genuine: application,
      process: (input: Uint8Array) =>
        processSenderAuthenticated(state, input, { wireFormat: "mls_private_message", rules }),
    },
    {
      genuine: proposal,
      process: (input: Uint8Array) =>
        processSenderAuthenticated(state, input, { wireFormat: "mls_public_message", rules }),
    },
  ];
  const follower: Target = {
    name: "partial: process what was changed on the way",
    run: async (random) => {
      const { genuine, process } = pick(random, kinds);
      const input = mutate(genuine, random, pick(random, samples).bytes);
      if (toHex(input) === toHex(genuine)) return;
      const accepted = await process(input).then(
        () => true,
        (error: unknown) => {
          requireCoppiceError(error, { input });
          return false;
        },
      );
      if (accepted) throw new Finding("a changed message is accepted", { input });
      await process(genuine).catch((cause: unknown) => {
        throw new Finding("the genuine message is refused afterwards", { input, genuine }, cause);
      });
    },
  };
  const joining: Target = {
    name: "partial: join by an AnnotatedWelcome that was changed on the way",
    run: async (random) => {
      const input = mutate(given.welcome, random, pick(random, samples).bytes);
      try {
        const joined = await joinPartially(input, { suite, rules, keyPackage });
        if (toHex(joined.state.secrets.epochAuthenticator) === toHex(expected)) return;
      } catch (error) {
        requireCoppiceError(error, { input });
        return;
      }
      throw new Finding("joined another group", { input });
    },
  };
  return [follower, joining];
}
