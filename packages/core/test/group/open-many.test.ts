/** A backlog of application messages (RFC 9420 §15): what comes of it is what comes of its messages one by one. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { utf8 } from "../../src/codec/bytes.ts";
import { CoppiceError } from "../../src/errors.ts";
import { encodeMessage } from "../../src/framing/mls-message.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import type { OpenedMessage } from "../../src/group/open-many.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { openMany } from "../../src/group/open-many.ts";
import { processMessage } from "../../src/group/receive.ts";
import { createProposal } from "../../src/group/send.ts";
import { encodeGroupState } from "../../src/group/serialise.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { forgePrivate } from "../support/forge-message.ts";
import type { Member } from "../support/group.ts";
import { Group, testRules } from "../support/group.ts";

let alice: Member;
let bob: Member;
let carol: Member;
/** Messages to carol: in and out of order, of two epochs, some of them broken. */
let messages: Bytes[];

const application = (text: string) => ({ contentType: "application", applicationData: utf8(text) }) as const;

beforeAll(async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
  const send = async (from: Member, count: number): Promise<Bytes[]> => {
    const sent: Bytes[] = [];
    for (let i = 0; i < count; i++) sent.push(await from.send(`${from.name} ${String(i)}`));
    return sent;
  };
  const late = [...(await send(alice, 4)), ...(await send(bob, 3))];
  await group.commit(bob);
  const current = [...(await send(alice, 6)), ...(await send(bob, 5))];
  const broken = [
    // Sealed under the next key of bob and of alice, but signed by another.
    await forgePrivate(bob, application("signed by alice"), { signer: alice.signer }),
    await forgePrivate(alice, application("signed by bob"), { signer: bob.signer }),
    await forgePrivate(alice, application("bad padding"), { padding: utf8("x") }),
    await forgePrivate(alice, application("no member"), { senderData: { leafIndex: 9 } }),
    await forgePrivate(alice, application("too far"), { senderData: { generation: 5000 } }),
    utf8("garbage"),
  ];
  // With the same key as the forged ones.
  messages = [...late, ...current, ...broken, ...(await send(alice, 2)), ...(await send(bob, 2))];
});

interface OneByOne {
  readonly state: GroupState;
  readonly outcomes: readonly OpenedMessage[];
}

async function oneByOne(state: GroupState, backlog: readonly Bytes[], rules = carol.rules): Promise<OneByOne> {
  let next = state;
  const outcomes: OpenedMessage[] = [];
  for (const message of backlog) {
    try {
      const { state: after, consumed: _, ...outcome } = await processMessage(next, message, { rules });
      if (outcome.kind !== "application") throw new TypeError("a handshake");
      next = after;
      outcomes.push(outcome);
    } catch (error) {
      if (!(error instanceof CoppiceError)) throw error;
      outcomes.push({ kind: "refused", error });
    }
  }
  return { state: next, outcomes };
}

test("in any order, with repetitions and forgeries: as one by one (R-9.2-5, R-15.3-1, T-26)", async () => {
  const limits = { ...DEFAULT_LIMITS, skippedKeys: 2, forwardSteps: 4 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: messages.length - 1 }), { maxLength: 90 }),
      fc.boolean(),
      async (order, tight) => {
        const rules = tight ? testRules({ limits }) : carol.rules;
        const backlog = order.flatMap((index) => messages[index] ?? []);
        const before = encodeGroupState(carol.state);
        const together = await openMany(carol.state, backlog, { rules });
        const expected = await oneByOne(carol.state, backlog, rules);
        expect(together.outcomes).toEqual(expected.outcomes);
        expect(encodeGroupState(together.state)).toEqual(encodeGroupState(expected.state));
        expect(encodeGroupState(carol.state)).toEqual(before);
      },
    ),
    { numRuns: 25 },
  );
});

test("a message that is sealed and signed well, but malformed inside, costs no key (R-9.2-5)", async () => {
  const malformed = messages[20] ?? utf8("");
  const genuine = messages.at(-4) ?? utf8("");
  const { outcomes } = await openMany(carol.state, [malformed, genuine], { rules: carol.rules });
  expect(outcomes).toMatchObject([{ kind: "refused", error: { code: "ERR_MLS_DECODE" } }, { data: utf8("alice 0") }]);
});

test("opens what is well sealed and signed, from all authors and epochs, and refuses the rest by code", async () => {
  const { outcomes } = await openMany(carol.state, messages, { rules: carol.rules });
  const shown = outcomes.map((outcome) =>
    outcome.kind === "refused" ? outcome.error.code : new TextDecoder().decode(outcome.data),
  );
  expect(shown).toEqual([
    ...["alice 0", "alice 1", "alice 2", "alice 3", "bob 0", "bob 1", "bob 2"],
    ...["alice 0", "alice 1", "alice 2", "alice 3", "alice 4", "alice 5"],
    ...["bob 0", "bob 1", "bob 2", "bob 3", "bob 4"],
    ...["ERR_MLS_SIGNATURE", "ERR_MLS_SIGNATURE", "ERR_MLS_DECODE", "ERR_MLS_SENDER", "ERR_MLS_LIMIT"],
    ...["ERR_MLS_VERSION", "alice 0", "alice 1", "bob 0", "bob 1"],
  ]);
});

test("calls signature verification for messages side by side, and the kernel once for all", async () => {
  let [inFlight, most, calls] = [0, 0, 0];
  const { suite } = carol.state;
  const verify: typeof suite.signature.verify = async (...given) => {
    most = Math.max(most, ++inFlight);
    return suite.signature.verify(...given).finally(() => inFlight--);
  };
  const counting =
    <A extends readonly unknown[], R>(call: (...given: A) => R) =>
    (...given: A): R => {
      calls++;
      return call(...given);
    };
  const messagesOfSuite: typeof suite.messages = {
    ...suite.messages,
    openSenderData: counting(suite.messages.openSenderData),
    openContents: counting(suite.messages.openContents),
  };
  const counted = { ...suite, signature: { ...suite.signature, verify }, messages: messagesOfSuite };
  const good = messages.slice(7, 18);
  await openMany({ ...carol.state, suite: counted }, good, { rules: carol.rules });
  expect(most).toBe(good.length);
  expect(calls).toBe(2);
});

describe("a backlog", () => {
  test("ends before the first handshake, encrypted or not", async () => {
    const removal = { proposalType: 3, removed: 0 } as const;
    for (const wireFormat of ["mls_private_message", "mls_public_message"] as const) {
      const { message } = await createProposal(bob.state, removal, { ...bob, wireFormat });
      const backlog = [...messages.slice(0, 2), message, ...messages.slice(2)];
      const { outcomes } = await openMany(carol.state, backlog, { rules: carol.rules });
      expect(outcomes.map(({ kind }) => kind)).toEqual(["application", "application"]);
    }
    expect(await openMany(carol.state, [], { rules: carol.rules })).toMatchObject({ state: carol.state, outcomes: [] });
  });

  test("has messages of a kind that is not sent to a group refused, and goes on (adversarial 18)", async () => {
    const groupInfo = await createGroupInfo(alice.state, alice.signer);
    const { keyPackage } = await alice.keyPackage();
    const strange = [
      encodeMessage({ wireFormat: "mls_key_package", keyPackage }),
      encodeMessage({ wireFormat: "mls_group_info", groupInfo }),
    ];
    const backlog = [...messages.slice(0, 1), ...strange, ...messages.slice(1, 2)];
    const { outcomes } = await openMany(carol.state, backlog, { rules: carol.rules });
    expect(outcomes).toMatchObject([
      { kind: "application" },
      { kind: "refused", error: { code: "ERR_MLS_DECODE", detail: { received: "mls_key_package" } } },
      { kind: "refused", error: { code: "ERR_MLS_DECODE", detail: { received: "mls_group_info" } } },
      { kind: "application" },
    ]);
  });

  test("of a member who was removed is refused as a whole (R-12.4.2-14)", async () => {
    const closed: GroupState = { ...carol.state, status: "removed" };
    await expect(openMany(closed, messages, { rules: carol.rules })).rejects.toMatchObject({ code: "ERR_MLS_STATE" });
  });

  test("reports its progress, and is stopped between batches with nothing changed", async () => {
    const backlog = Array.from({ length: 150 }, (_, i) => messages[i % 4] ?? utf8(""));
    const reported: number[] = [];
    const onProgress = (done: number, total: number): void => {
      expect(total).toBe(150);
      reported.push(done);
    };
    await openMany(carol.state, backlog, { rules: carol.rules, onProgress });
    expect(reported).toEqual([0, 64, 128, 150]);

    const stop = new AbortController();
    const before = encodeGroupState(carol.state);
    const stopped = openMany(carol.state, backlog, {
      rules: carol.rules,
      signal: stop.signal,
      onProgress: (done) => {
        if (done === 64) stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(encodeGroupState(carol.state)).toEqual(before);
  });
});
