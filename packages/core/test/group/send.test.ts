/** Sending (RFC 9420 §15): padding, wire formats, and what a state refuses to send. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/codec/bytes.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import { createApplicationMessage, createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { expectRefusal, Group, testRules } from "../support/group.ts";

const group = await Group.of(["alice", "bob", "carol"]);
const [alice, bob] = [group.member("alice"), group.member("bob")];

/** Length of data and padding together, from the length of a ciphertext. */
async function paddedLength(length: number): Promise<number> {
  const { message } = await createApplicationMessage(alice.state, new Uint8Array(length), alice);
  const { ciphertext } = decodeMessageOf("mls_private_message", message).privateMessage;
  const [lengthHeader, signature, tag] = [length < 64 ? 1 : length < 16_384 ? 2 : 4, 2 + 64, 16];
  return ciphertext.length - lengthHeader - signature - tag;
}

/** Padmé, as its authors define it: the mantissa keeps as many bits as the exponent has. */
function padme(length: number): number {
  const exponent = length.toString(2).length - 1;
  const kept = exponent.toString(2).length;
  const mask = 2 ** (exponent - kept) - 1;
  return (length + mask) & ~mask;
}

describe("the padding of application messages (R-15.1-1)", () => {
  test("is Padmé's, from 32 bytes on", async () => {
    for (const length of [32, 33, 63, 64, 65, 100, 1000, 16_383, 16_384, 70_001]) {
      expect(await paddedLength(length)).toBe(padme(length));
    }
    for (const length of [0, 1, 31]) expect(await paddedLength(length)).toBe(32);
  });

  test("adds at most 12 %, and makes few lengths of many", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 32, max: 40_000 }), async (length) => {
        const padded = await paddedLength(length);
        expect(padded).toBeGreaterThanOrEqual(length);
        expect(padded).toBeLessThanOrEqual(length * 1.12);
      }),
      { numRuns: 50 },
    );
    const lengths = new Set(Array.from({ length: 4096 }, (_, i) => padme(i + 32)));
    expect(lengths.size).toBeLessThan(100);
  });
});

describe("proposals", () => {
  test("that are sent are cached by their sender too (R-12.1-2)", async () => {
    const { state, ref } = await createProposal(alice.state, { proposalType: 3, removed: 2 }, alice);
    expect([...state.proposals.values()].map((cached) => cached.ref)).toEqual([ref]);
  });

  test("of an epoch are bounded for their sender too (adversarial 8)", async () => {
    const rules = testRules({ limits: { ...DEFAULT_LIMITS, pendingProposals: 1 } });
    const { state } = await createProposal(bob.state, { proposalType: 3, removed: 2 }, { ...bob, rules });
    await expect(createUpdateProposal(state, { ...bob, rules })).rejects.toMatchObject({ code: "ERR_MLS_LIMIT" });
  });

  test("of a member to remove itself are for others to commit (T-11)", async () => {
    const small = await Group.of(["dave", "erin"]);
    const [dave, erin] = [small.member("dave"), small.member("erin")];
    const leave = await createProposal(erin.state, { proposalType: 3, removed: erin.state.leafIndex }, erin);
    erin.state = leave.state;
    await dave.receive(leave.message);
    expect((await erin.commit()).staged.refused).toHaveLength(1);
    await small.commit(dave);
    expect(erin.state.status).toBe("removed");
    await expectRefusal(erin, { code: "ERR_MLS_STATE" }, () => erin.send("still here"));
  });
});

test("each message takes its own key, and the state without it is what is returned (R-6.3.1-5, R-9.1-3)", async () => {
  const one = await createApplicationMessage(alice.state, utf8("one"), alice);
  const two = await createApplicationMessage(one.state, utf8("two"), alice);
  bob.state = (await bob.peek(two.message)).state;
  await expect(bob.peek(one.message)).resolves.toMatchObject({ data: utf8("one"), generation: 0 });
  await expectRefusal(bob, { code: "ERR_MLS_REPLAY" }, () => bob.peek(two.message));
  expect(one.consumed.length).toBeGreaterThan(0);
});
