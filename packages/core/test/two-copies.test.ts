/** Two copies of the SDK in one application: errors are recognised by their brand (adversarial 54). */
import { afterEach, describe, expect, test, vi } from "vitest";
import { CoppiceError, isCoppiceError } from "../src/errors.ts";
import { openMany } from "../src/group/open-many.ts";
import { Group } from "./support/group.ts";
import { suiteWhere } from "./support/platforms.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(["wasm", "noble"] as const)("a suite of another copy, on %s", (kernel) => {
  test("its refusals are outcomes, not failures, of a backlog and of a Commit", async () => {
    const foreign = await suiteWhere(1, kernel === "wasm" ? "Node" : "a browser without the curves");
    const group = await Group.of(["alice", "bob"], { suite: foreign });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const sent = [await alice.send("one"), await alice.send("two"), await alice.send("three")];
    const last = sent[1];
    if (last === undefined) throw new Error("three messages were sent");
    sent[1] = last.with(-1, (last.at(-1) ?? 0) ^ 1);
    const opened = await openMany(bob.state, sent, { rules: bob.rules });
    expect(opened.outcomes.map((outcome) => (outcome.kind === "refused" ? outcome.error.code : outcome.kind))).toEqual([
      "application",
      "ERR_MLS_AEAD",
      "application",
    ]);
    const { commit } = (await alice.commit()).staged;
    const broken = commit.with(-1, (commit.at(-1) ?? 0) ^ 1);
    const error: unknown = await bob.peek(broken).catch((cause: unknown) => cause);
    expect(isCoppiceError(error, "ERR_MLS_AEAD")).toBe(true);
    expect(error).not.toBeInstanceOf(CoppiceError);
  });
});
