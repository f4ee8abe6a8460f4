/** Choosing proposals for a Commit (RFC 9420 §12.2): nothing that was received can wedge the group. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import { toHex, utf8 } from "../../src/codec/bytes.ts";
import { opaque, struct } from "../../src/codec/codec.ts";
import { defineProposalType } from "../../src/proposal/custom-proposal.ts";
import type { MlsErrorCode } from "../../src/errors.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import type { CachedProposal, GroupState } from "../../src/state/group-state.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import type { KeyPackageEdits } from "../support/forge-join.ts";
import { forgeKeyPackage, forgeUpdateLeaf } from "../support/forge-join.ts";
import { forgeCommit, keyAt, refHex } from "../support/forge-commit.ts";
import { forgePublic } from "../support/forge-message.ts";
import type { Member } from "../support/group.ts";
import { expectRefusal, Group, Member as Client, NOW, testRules } from "../support/group.ts";

const group = await Group.of(["alice", "bob", "carol", "dave"]);
const [alice, bob, carol, dave] = [
  group.member("alice"),
  group.member("bob"),
  group.member("carol"),
  group.member("dave"),
];
const everyone = [alice, bob, carol, dave];
const start = everyone.map(({ state }): GroupState => state);
const newcomer = await Client.create("newcomer");

beforeEach(() => {
  for (const [i, member] of everyone.entries()) member.state = start[i] ?? member.state;
});

/** Sent by `sender` and cached by all others. */
async function propose(sender: Member, proposal: Proposal): Promise<string> {
  const message = await forgePublic(sender, { contentType: "proposal", proposal });
  let ref = "";
  for (const member of everyone) {
    const received = await member.receive(message);
    if (received.kind === "proposal") ref = refHex(received.ref);
  }
  return ref;
}
const remove = (removed: number): Proposal => ({ proposalType: 3, removed });

/** Alice commits what she has cached; everyone else follows. */
async function commitsWith(covered: number, left: number): Promise<void> {
  const made = await alice.commit();
  expect(made.staged.refused).toHaveLength(left);
  for (const member of [bob, carol, dave]) {
    if (made.staged.removed.some(({ leafIndex }) => leafIndex === member.state.leafIndex)) continue;
    const received = await member.peek(made.staged.commit);
    expect(received.kind).toBe("commit");
  }
  expect(made.staged.added.length + made.staged.removed.length + made.staged.updated.length).toBe(covered);
}

describe("proposals that do not fit together (R-12.2-5, adversarial 27)", () => {
  test("two members propose one Remove: the Commit covers one, and a list of both is refused", async () => {
    const refs = [await propose(bob, remove(3)), await propose(carol, remove(3))];
    expect(new Set(refs).size).toBe(2);
    await commitsWith(1, 1);
    const { message } = await forgeCommit(alice, { proposals: refs });
    await expectRefusal(bob, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-4" }, () => bob.peek(message));
  });

  test("two members propose one Add: the Commit covers one, and a list of both is refused (R-12.2-6)", async () => {
    const packages = [await newcomer.keyPackage(), await newcomer.keyPackage()];
    const refs: string[] = [];
    for (const [i, proposer] of [bob, carol].entries()) {
      const own = packages[i];
      if (own !== undefined) refs.push(await propose(proposer, { proposalType: 1, keyPackage: own.keyPackage }));
    }
    await commitsWith(1, 1);
    const { message } = await forgeCommit(alice, { proposals: refs });
    await expectRefusal(bob, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-6" }, () => bob.peek(message));
  });

  test("a Remove is preferred to Updates of that leaf, a newer Update to an older one", async () => {
    const [first, second] = [
      await createUpdateProposal(dave.state, dave),
      await createUpdateProposal(dave.state, dave),
    ];
    dave.state = first.state;
    for (const { message } of [first, second]) {
      for (const member of [alice, bob, carol]) await member.receive(message).catch(() => undefined);
    }
    // The second was sent from the same state, so that its key is used: only the first arrived. A forgery follows it.
    const leafNode = await forgeUpdateLeaf(dave);
    await propose(dave, { proposalType: 2, leafNode });
    const made = await alice.commit();
    expect(made.staged.updated.map(({ leafNode: leaf }) => leaf.encryptionKey)).toEqual([leafNode.encryptionKey]);
    await propose(bob, remove(3));
    const removing = await alice.commit();
    expect(removing.staged.updated).toEqual([]);
    expect(removing.staged.removed.map(({ leafIndex }) => leafIndex)).toEqual([3]);
    expect(removing.staged.refused).toHaveLength(2);
  });

  test("a Remove is preferred to a newer Update of that leaf", async () => {
    await propose(bob, remove(3));
    await propose(dave, { proposalType: 2, leafNode: await forgeUpdateLeaf(dave) });
    const { staged } = await alice.commit();
    expect(staged.removed.map(({ leafIndex }) => leafIndex)).toEqual([3]);
    expect(staged.refused.map(({ proposal }) => proposal.proposal.proposalType)).toEqual([2]);
  });

  test("an own Update is left to the path, an own Remove to others (R-12.2-2, R-12.2-3, T-11, T-12)", async () => {
    alice.state = (await createUpdateProposal(alice.state, alice)).state;
    alice.state = (await createProposal(alice.state, { proposalType: 3, removed: 0 }, alice)).state;
    const made = await alice.commit();
    expect(made.staged.refused.map(({ reason }) => reason.requirement).sort()).toEqual(["R-12.2-2", "R-12.2-3"]);
    await expect(bob.peek(made.staged.commit)).resolves.toMatchObject({ kind: "commit" });
  });

  test.each(["before", "after"])("a ReInit that came %s others waits for them (R-12.2-11)", async (when) => {
    const reinit: Proposal = { proposalType: 5, groupId: utf8("next"), version: 1, cipherSuite: 1, extensions: [] };
    const { keyPackage } = await newcomer.keyPackage();
    const others: [Member, Proposal][] = [
      [carol, remove(3)],
      [bob, { proposalType: 1, keyPackage }],
    ];
    const arrivals = when === "before" ? [[bob, reinit] as const, ...others] : [...others, [bob, reinit] as const];
    for (const [sender, proposal] of arrivals) await propose(sender, proposal);
    const { staged } = await alice.commit();
    expect([staged.added.length, staged.removed.length]).toEqual([1, 1]);
    expect(staged.refused.map(({ proposal }) => proposal.proposal.proposalType)).toEqual([5]);
    await expect(bob.peek(staged.commit)).resolves.toMatchObject({ kind: "commit" });
  });

  test("all others are covered (R-12.4-4), and a receiver does not insist (R-12.4-5)", async () => {
    await propose(carol, remove(3));
    const { keyPackage } = await newcomer.keyPackage();
    await propose(bob, { proposalType: 1, keyPackage });
    await commitsWith(2, 0);
    const made = await alice.commit({ includeCached: false });
    await expect(bob.peek(made.staged.commit)).resolves.toMatchObject({ effect: { removed: [], added: [] } });
  });
});

describe("proposals that are bad in themselves are left out, with the reason (adversarial 27, R-12.2-1)", () => {
  const cases: [string, MlsErrorCode, () => Promise<Proposal>][] = [
    [
      "an Add whose key package is expired",
      "ERR_MLS_LEAF_NODE",
      async () => {
        const source = { leafNodeSource: "key_package", lifetime: { notBefore: 0n, notAfter: NOW - 1n } } as const;
        const { keyPackage } = await forgeKeyPackage(newcomer, { leaf: (leaf) => ({ ...leaf, source }) });
        return { proposalType: 1, keyPackage };
      },
    ],
    [
      "an Add whose key package is not signed",
      "ERR_MLS_SIGNATURE",
      async () => {
        const signature = new Uint8Array(64);
        const { keyPackage } = await forgeKeyPackage(newcomer, { keyPackage: (made) => ({ ...made, signature }) });
        return { proposalType: 1, keyPackage };
      },
    ],
    [
      "an Add of a member's encryption key",
      "ERR_MLS_LEAF_NODE",
      async () => {
        const encryptionKey = keyAt(alice, 2);
        const { keyPackage } = await forgeKeyPackage(newcomer, { leaf: (leaf) => ({ ...leaf, encryptionKey }) });
        return { proposalType: 1, keyPackage };
      },
    ],
    [
      "an Update that keeps its key",
      "ERR_MLS_LEAF_NODE",
      async () => {
        const encryptionKey = keyAt(alice, 2);
        return { proposalType: 2, leafNode: await forgeUpdateLeaf(bob, (leaf) => ({ ...leaf, encryptionKey })) };
      },
    ],
    [
      "a GroupContextExtensions that nobody supports",
      "ERR_MLS_CAPABILITIES",
      () =>
        Promise.resolve({
          proposalType: 7,
          extensions: [{ extensionType: 0xf00d, extensionData: new Uint8Array(0) }],
        }),
    ],
    [
      "a PSK that is not known",
      "ERR_MLS_PSK",
      () =>
        Promise.resolve({
          proposalType: 4,
          psk: { pskType: "external", pskId: utf8("unknown"), pskNonce: new Uint8Array(32) },
        }),
    ],
  ];

  test.each(cases)("%s", async (_, code, bad) => {
    await propose(carol, remove(3));
    await propose(bob, await bad());
    const { keyPackage } = await (await Client.create("another newcomer")).keyPackage();
    await propose(carol, { proposalType: 1, keyPackage });
    const made = await alice.commit();
    expect(made.staged.refused.map(({ reason }) => reason.code)).toEqual([code]);
    expect([made.staged.added.length, made.staged.removed.length]).toEqual([1, 1]);
    await expect(carol.peek(made.staged.commit)).resolves.toMatchObject({ kind: "commit" });
  });

  test("several of them at once", async () => {
    for (const [, , bad] of cases) await propose(bob, await bad());
    await propose(carol, remove(3));
    await commitsWith(1, cases.length);
  });
});

describe("cached proposals that the committer chooses (R-12.4-4)", () => {
  test("are covered, in the order of arrival, and the others wait unharmed", async () => {
    const refs = [await propose(bob, remove(3)), await propose(carol, remove(2)), await propose(dave, remove(1))];
    const chosen = [2, 0].map((i) => Buffer.from(refs[i] ?? "", "hex"));
    const { staged } = await alice.commit({ includeCached: chosen });
    expect(staged.removed.map(({ leafIndex }) => leafIndex)).toEqual([3, 1]);
    expect(staged.refused).toEqual([]);
    await expect(carol.peek(staged.commit)).resolves.toMatchObject({ kind: "commit", effect: { selfRemoved: false } });
    expect((await alice.commit({ includeCached: [] })).staged.removed).toEqual([]);
    expect((await alice.commit()).staged.removed).toHaveLength(3);
  });

  test("are left out and reported if they do not fit together, as any others", async () => {
    const refs = [await propose(bob, remove(3)), await propose(carol, remove(3))];
    const includeCached = refs.map((ref) => Buffer.from(ref, "hex"));
    const { staged } = await alice.commit({ includeCached });
    expect([staged.removed.length, staged.refused.length]).toEqual([1, 1]);
  });

  test("and are not known: refused, and named (R-12.4-2)", async () => {
    await propose(bob, remove(3));
    const unknown = new Uint8Array(32).fill(1);
    const expected = {
      code: "ERR_MLS_PROPOSAL_REF",
      requirement: "R-12.4-2",
      detail: { missing: [toHex(unknown)] },
    } as const;
    await expectRefusal(alice, expected, () => alice.commit({ includeCached: [unknown] }));
  });
});

test("an own proposal that is invalid is the caller's to hear of, whatever is cached", async () => {
  await propose(carol, remove(3));
  await expectRefusal(alice, { code: "ERR_MLS_PROPOSAL", requirement: "R-12.1.3-1" }, () =>
    alice.commit({ proposals: [remove(77)] }),
  );
  const extensions = [{ extensionType: 0xf00d, extensionData: new Uint8Array(0) }];
  await expectRefusal(alice, { code: "ERR_MLS_CAPABILITIES", requirement: "R-12.1.7-3" }, () =>
    alice.commit({ proposals: [{ proposalType: 7, extensions }] }),
  );
});

describe("what is not a refusal is no reason to leave a proposal out", () => {
  const psk: Proposal = {
    proposalType: 4,
    psk: { pskType: "external", pskId: utf8("id"), pskNonce: new Uint8Array(32) },
  };

  test.each([0, 1])("a key store that fails at call %i", async (failing) => {
    await propose(bob, psk);
    let calls = 0;
    const findPsk = (): Promise<undefined> =>
      calls++ === failing ? Promise.reject(new Error("the key store is closed")) : Promise.resolve(undefined);
    await expect(alice.commit({ rules: testRules({ findPsk }) })).rejects.toThrow("the key store is closed");
    expect(calls).toBe(failing + 1);
  });

  test("a cached proposal that is none", async () => {
    const ref = await propose(bob, psk);
    const proposals = new Map(alice.state.proposals);
    const cached = proposals.get(ref);
    if (cached === undefined) throw new RangeError("the proposal is cached");
    proposals.set(ref, { ...cached, proposal: { proposalType: 4 } as Proposal });
    alice.state = { ...alice.state, proposals };
    await expect(alice.commit()).rejects.toThrow(TypeError);
  });
});

describe("many proposals cost as much as they are many (R-12.2-5, adversarial 8)", () => {
  /** Waits in alice's epoch, as if bob had sent it. */
  function cache(proposals: readonly Proposal[]): void {
    const cached = proposals.map((proposal, i): [string, CachedProposal] => {
      const ref = new Uint8Array(32).fill(i);
      return [toHex(ref), { proposal, ref, sender: { senderType: "member", leafIndex: bob.state.leafIndex } }];
    });
    alice.state = { ...alice.state, proposals: new Map(cached) };
  }
  const adds = (count: number, edits: KeyPackageEdits): Promise<Proposal[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, i): Promise<Proposal> => {
        const { keyPackage } = await forgeKeyPackage(await Client.create(`outsider ${String(i)}`), edits);
        return { proposalType: 1, keyPackage };
      }),
    );

  test.each([0, 8])("Adds that are no good are verified once each, %i good ones among them too", async (good) => {
    const bad = await adds(32, { signedLeaf: (leaf) => ({ ...leaf, signature: new Uint8Array(64) }) });
    cache([...bad.slice(16), ...(await adds(good, {})), ...bad.slice(0, 16)]);
    const { suite } = alice.state;
    const verify = vi.fn(suite.signature.verify);
    alice.state = { ...alice.state, suite: { ...suite, signature: { ...suite.signature, verify } } };
    const validate = vi.fn(() => Promise.resolve());
    const { staged } = await alice.commit({ rules: testRules({ authentication: { validate } }) });
    expect([staged.added.length, staged.refused.length]).toEqual([good, 32]);
    // Of a key package, two signatures.
    expect(verify.mock.calls.length).toBe(2 * (32 + good));
    expect(validate).toHaveBeenCalledTimes(good);
  });

  test("Adds that are good, beside others that do not go together, are verified once", async () => {
    const one = keyAt(alice, 2);
    const same = await adds(8, { leaf: (leaf) => ({ ...leaf, encryptionKey: one }) });
    cache([...(await adds(8, {})), ...same]);
    const { suite } = alice.state;
    const verify = vi.fn(suite.signature.verify);
    alice.state = { ...alice.state, suite: { ...suite, signature: { ...suite.signature, verify } } };
    const { staged } = await alice.commit();
    expect([staged.added.length, staged.refused.length]).toEqual([8, 8]);
    expect(verify.mock.calls.length).toBe(2 * 16);
  });

  test("each is held against the list once", async () => {
    const note = defineProposalType({
      customType: 0xf001,
      body: struct({ text: opaque }),
      external: false,
      pathRequired: false,
      order: "last",
    });
    const check = vi.fn(note.check);
    const rules = testRules({ proposalTypes: [{ ...note, check }] });
    const notes = await Group.of(["alice", "bob"], { rules });
    const before = alice.state;
    alice.state = notes.member("alice").state;
    cache(Array.from({ length: 64 }, (_, i) => note.propose({ text: utf8(String(i)) })));
    check.mockClear();
    const { staged } = await alice.commit({ rules, signer: notes.member("alice").signer });
    expect([staged.custom.length, staged.refused.length]).toEqual([64, 0]);
    expect(check).toHaveBeenCalledTimes(64);
    alice.state = before;
  });
});
