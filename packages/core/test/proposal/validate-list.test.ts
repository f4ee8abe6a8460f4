/** Proposal lists (RFC 9420 §12.1, §12.2): what no Commit may cover, and the same refusals when making one. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, utf8 } from "../../src/codec/bytes.ts";
import type { Sender } from "../../src/framing/framed-content.ts";
import type { Proposal, UpdateProposal } from "../../src/framing/proposal.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { createExternalCommit } from "../../src/group/external-join.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { decodeMessage } from "../../src/framing/mls-message.ts";
import { processMessage } from "../../src/group/receive.ts";
import { createProposal } from "../../src/group/send.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { checkProposalSender, pathRequired } from "../../src/proposal/validate-list.ts";
import type { Rules } from "../../src/rules.ts";
import type { PreSharedKeyId, ResumptionPskUsage } from "../../src/schedule/psk.ts";
import { forgeCommit, forgeExternalCommit, refHex } from "../support/forge-commit.ts";
import { forgeUpdateLeaf } from "../support/forge-join.ts";
import { forgePublic } from "../support/forge-message.ts";
import type { Expected } from "../support/group.ts";
import { ANYBODY, expectForgeryRefused, expectRefusal, Group, Member, testRules } from "../support/group.ts";

const value = utf8("a pre-shared key");
const rules = testRules({ authentication: ANYBODY, findPsk: () => Promise.resolve(value) });
const group = await Group.of(["alice", "bob", "carol", "dave"], { rules });
const [alice, bob, carol, dave] = [
  group.member("alice"),
  group.member("bob"),
  group.member("carol"),
  group.member("dave"),
];
await group.commit(dave);
const newcomer = await Member.create("newcomer", { rules });
const { keyPackage } = await newcomer.keyPackage();
const { keyPackage: another } = await newcomer.keyPackage();
const genuine = (await alice.commit()).staged.commit;

const add: Proposal = { proposalType: 1, keyPackage };
const remove = (removed: number): Exclude<Proposal, UpdateProposal> => ({ proposalType: 3, removed });
const psk = (changes: Partial<PreSharedKeyId> = {}): Exclude<Proposal, UpdateProposal> => ({
  proposalType: 4,
  psk: { pskType: "external", pskId: utf8("id"), pskNonce: new Uint8Array(32), ...changes } as PreSharedKeyId,
});
const resumption = (
  usage: ResumptionPskUsage,
  pskGroupId = alice.state.context.groupId,
): Exclude<Proposal, UpdateProposal> => ({
  proposalType: 4,
  psk: {
    pskType: "resumption",
    usage,
    pskGroupId,
    pskEpoch: alice.state.context.epoch,
    pskNonce: new Uint8Array(32),
  },
});
const reinit = (version = 1): Exclude<Proposal, UpdateProposal> => ({
  proposalType: 5,
  groupId: utf8("next"),
  version,
  cipherSuite: 1,
  extensions: [],
});
const externalInit: Proposal = { proposalType: 6, kemOutput: new Uint8Array(32) };
const contextExtensions: Proposal = { proposalType: 7, extensions: [] };

/** Received by bob and made by alice: both refuse. */
async function refused(proposals: readonly Proposal[], expected: Expected): Promise<void> {
  const { message } = await forgeCommit(alice, { proposals, psks: proposals.map(() => value) });
  await expectForgeryRefused(bob, message, expected, genuine);
  await expectRefusal(alice, expected, () => alice.commit({ proposals }));
}

test("the id of a PSK, and the group's in one, are bounded (adversarial 8)", async () => {
  const longest = new Uint8Array(DEFAULT_LIMITS.pskIdBytes);
  const { message } = await forgeCommit(alice, { proposals: [psk({ pskId: longest })], psks: [value] });
  await bob.peek(message);
  const longer = new Uint8Array(longest.length + 1);
  const expected = { code: "ERR_MLS_LIMIT" } as const;
  await refused([psk({ pskId: longer })], expected);
  await refused([resumption("application", longer)], expected);
  const sent = await forgePublic(alice, { contentType: "proposal", proposal: psk({ pskId: longer }) });
  await expectForgeryRefused(bob, sent, expected, genuine);
});

describe("a Commit of too many proposals is refused before any of them is looked at (adversarial 8)", () => {
  const most = 3;
  const bounded = { ...rules, limits: { ...DEFAULT_LIMITS, proposalsPerCommit: most } };
  const expected: Expected = { code: "ERR_MLS_LIMIT" };
  const psks = Array.from({ length: most + 1 }, (_, i) => psk({ pskId: Uint8Array.of(i) }));
  const values = psks.map(() => value);

  async function within(member: Member, limited: Partial<Rules>, attempt: () => Promise<void>): Promise<void> {
    member.rules = { ...bounded, ...limited };
    await attempt().finally(() => {
      member.rules = rules;
    });
  }
  const unasked = {
    allowProposals: () => Promise.reject(new Error("nobody asked")),
    findPsk: () => Promise.reject(new Error("nobody asked")),
  };

  test("by value, made and received", async () => {
    const fits = await forgeCommit(alice, { proposals: psks.slice(1), psks: values });
    const { message } = await forgeCommit(alice, { proposals: psks, psks: values });
    await bob.peek(message);
    await within(bob, {}, async () => {
      await bob.peek(fits.message);
    });
    const sealed = await forgeCommit(alice, { proposals: psks, psks: values, sealed: {} });
    // Decoded by somebody else, who has other limits.
    const decoded = decodeMessage(message);
    for (const received of [message, sealed.message, decoded]) {
      await within(bob, unasked, () =>
        expectRefusal(bob, expected, () => processMessage(bob.state, received, { rules: bob.rules })),
      );
    }
    expect(() => decodeMessage(message, bounded.limits)).toThrow(expect.objectContaining(expected));
    await within(alice, unasked, () => expectRefusal(alice, expected, () => alice.commit({ proposals: psks })));
  });

  test("by reference, whether or not the proposals are known, and left out where a Commit is made", async () => {
    const [before, bobsBefore] = [alice.state, bob.state];
    for (const proposal of psks) {
      const { message } = await createProposal(carol.state, proposal, { ...carol, wireFormat: "mls_public_message" });
      await alice.receive(message);
      await bob.receive(message);
    }
    const refs = [...alice.state.proposals.keys()];
    const known = await forgeCommit(alice, { proposals: refs, psks: values });
    const unknown = await forgeCommit(alice, { proposals: refs.map((_, i) => `0${String(i)}`.repeat(32)) });
    await within(bob, unasked, async () => {
      for (const { message } of [known, unknown]) await expectRefusal(bob, expected, () => bob.peek(message));
    });
    await within(alice, {}, async () => {
      const { staged } = await alice.commit();
      expect(staged.refused).toMatchObject([{ reason: { code: "ERR_MLS_LIMIT" } }]);
      await within(bob, {}, async () => {
        await bob.peek(staged.commit);
      });
    });
    [alice.state, bob.state] = [before, bobsBefore];
  });

  test("of somebody who joins by it", async () => {
    const { message } = await forgeExternalCommit(alice, newcomer, { proposals: psks, psks: values });
    await within(bob, unasked, () => expectRefusal(bob, expected, () => bob.peek(message)));
    const info = await createGroupInfo(alice.state, alice.signer);
    const { suite, signer, capabilities } = newcomer;
    const joining = { suite, signer, capabilities, credential: basicCredential("newcomer"), rules: bounded };
    const mixed = psks.map((_, i) => ({ pskId: Uint8Array.of(i), psk: value }));
    await expectRefusal(alice, expected, () => createExternalCommit(info, { ...joining, psks: mixed }));
  });
});

describe("a regular Commit (R-12.4.2-4, R-12.4.1-1)", () => {
  test.each<[string, string, Proposal[]]>([
    ["R-12.2-3", "removes the committer (adversarial 26)", [remove(0)]],
    ["R-12.2-4", "removes a leaf twice (adversarial 26)", [remove(2), remove(2)]],
    ["R-12.2-6", "adds one client twice", [add, { proposalType: 1, keyPackage: another }]],
    ["R-12.2-6", "adds one key package twice (adversarial 19)", [add, add]],
    ["R-12.2-8", "covers one PreSharedKeyID twice (adversarial 28)", [psk(), psk()]],
    ["R-12.2-9", "covers two GroupContextExtensions", [contextExtensions, contextExtensions]],
    ["R-12.2-10", "covers a ReInit with company before it (adversarial 30)", [add, reinit()]],
    ["R-12.2-10", "covers a ReInit with company after it (adversarial 30)", [reinit(), remove(2)]],
    ["R-12.2-10", "covers two ReInits", [reinit(), reinit()]],
    ["R-12.2-12", "covers an ExternalInit (R-12.1.6-1, adversarial 31)", [externalInit]],
  ])("%s: one that %s is refused", async (requirement, _, proposals) => {
    await refused(proposals, { code: "ERR_MLS_PROPOSAL_LIST", requirement });
  });

  test.each<[string, string, Exclude<Proposal, UpdateProposal>[]]>([
    ["R-12.1.4-1", "a PSK of usage reinit (R-11.2-4, adversarial 28)", [resumption("reinit")]],
    ["R-12.1.4-2", "a PSK of usage branch (R-11.3-4, adversarial 28)", [resumption("branch")]],
    ["R-12.1.4-3", "a PSK nonce that is too short (R-8.4-2, adversarial 28)", [psk({ pskNonce: new Uint8Array(31) })]],
    ["R-12.1.4-3", "a PSK nonce that is too long (adversarial 28)", [psk({ pskNonce: new Uint8Array(33) })]],
    ["R-12.1.4-3", "an empty PSK nonce (adversarial 28)", [psk({ pskNonce: EMPTY })]],
    ["R-12.1.5-1", "a ReInit to a lower version (adversarial 30)", [reinit(0)]],
    ["R-12.1.3-1", "a Remove of a leaf outside the tree (R-12.2-1, adversarial 3)", [remove(4)]],
    ["R-12.1.3-1", "a Remove of leaf 0xffffffff (adversarial 3)", [remove(0xffff_ffff)]],
  ])("%s: one that covers %s is refused, and so is the proposal by itself", async (requirement, _, proposals) => {
    const expected: Expected = { code: "ERR_MLS_PROPOSAL", requirement };
    await refused(proposals, expected);
    for (const proposal of proposals) {
      const message = await forgePublic(alice, { contentType: "proposal", proposal });
      await expectForgeryRefused(bob, message, expected, genuine);
      await expectRefusal(alice, expected, () => createProposal(alice.state, proposal, alice));
    }
  });

  test("a Remove of a blank leaf is refused (R-12.1.3-1)", async () => {
    const small = await Group.of(["ann", "ben", "cat"]);
    const [ann, ben] = [small.member("ann"), small.member("ben")];
    const good = (await ann.commit()).staged.commit;
    const { message } = await forgeCommit(ann, { proposals: [remove(3)] });
    await expectForgeryRefused(ben, message, { code: "ERR_MLS_PROPOSAL", requirement: "R-12.1.3-1" }, good);
  });

  test("an Update by the committer is refused, inline and by reference (R-12.2-2, adversarial 26)", async () => {
    const update: Proposal = { proposalType: 2, leafNode: await forgeUpdateLeaf(alice) };
    const expected: Expected = { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-2" };
    await refused([update], expected);
    const forged = await forgePublic(alice, { contentType: "proposal", proposal: update });
    const [before, sender] = [bob.state, alice.state];
    const received = await bob.receive(forged);
    alice.state = (await createProposal(sender, remove(2), alice)).state;
    if (received.kind !== "proposal") throw new TypeError("a proposal");
    alice.state = { ...sender, proposals: bob.state.proposals };
    const { message } = await forgeCommit(alice, { proposals: [refHex(received.ref)] });
    await expectForgeryRefused(bob, message, expected, genuine);
    [bob.state, alice.state] = [before, sender];
  });

  test("two Updates of one leaf, and an Update with a Remove of it, are refused (R-12.2-4, adversarial 26)", async () => {
    const states = [alice, bob].map(({ state }) => state);
    const refs: string[] = [];
    for (let i = 0; i < 2; i++) {
      const proposal: Proposal = { proposalType: 2, leafNode: await forgeUpdateLeaf(carol) };
      const forged = await forgePublic(carol, { contentType: "proposal", proposal });
      for (const member of [alice, bob]) {
        const received = await member.receive(forged);
        if (member === bob && received.kind === "proposal") refs.push(refHex(received.ref));
      }
    }
    const [first, second] = refs;
    if (first === undefined || second === undefined) throw new RangeError("two proposals");
    const expected: Expected = { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-4" };
    for (const proposals of [
      [first, second],
      [first, remove(2)],
      [remove(2), first],
    ]) {
      const { message } = await forgeCommit(alice, { proposals });
      await expectForgeryRefused(bob, message, expected, genuine);
    }
    const { message } = await forgeCommit(alice, { proposals: [second] });
    await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit" });
    for (const [i, member] of [alice, bob].entries()) member.state = states[i] ?? member.state;
  });

  test("PSKs that differ in their nonce alone are two (A-12)", async () => {
    const proposals = [psk(), psk({ pskNonce: new Uint8Array(32).fill(1) })];
    const { message } = await forgeCommit(alice, { proposals, psks: [value, value] });
    await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit" });
  });
});

describe("an external Commit (adversarial 31)", () => {
  test.each<[string, string, number, (Proposal | string)[]]>([
    ["R-12.2-16", "has no ExternalInit", 0, []],
    ["R-12.2-16", "has two ExternalInits", 2, []],
    ["R-12.2-17", "removes two members", 1, [remove(1), remove(2)]],
    ["R-12.2-18", "adds a client", 1, [add]],
    ["R-12.2-18", "covers a GroupContextExtensions", 1, [contextExtensions]],
    ["R-12.2-18", "covers a ReInit", 1, [reinit()]],
    ["R-12.2-8", "covers one PreSharedKeyID twice", 1, [psk(), psk()]],
    ["R-12.4.3.2-4", "refers to a proposal", 1, ["ab".repeat(32)]],
  ])("%s: one that %s is refused", async (requirement, _, externalInits, proposals) => {
    const psks = [value, value];
    const { message } = await forgeExternalCommit(alice, newcomer, { externalInits, proposals, psks });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_PROPOSAL_LIST", requirement }, genuine);
  });

  test("that covers an Update is refused (R-12.1.2-1)", async () => {
    const proposals: Proposal[] = [{ proposalType: 2, leafNode: await forgeUpdateLeaf(carol) }];
    const { message } = await forgeExternalCommit(alice, newcomer, { proposals });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_SENDER", requirement: "R-12.1.2-1" }, genuine);
  });

  test.each<[string, Proposal]>([
    ["R-12.1.3-1", remove(9)],
    ["R-12.1.3-1", remove(0xffff_ffff)],
    ["R-12.1.4-1", resumption("reinit")],
    ["R-12.1.4-2", resumption("branch")],
    ["R-12.1.4-3", psk({ pskNonce: EMPTY })],
  ])("%s: one with an invalid proposal is refused (adversarial 3, adversarial 28)", async (requirement, proposal) => {
    const { message } = await forgeExternalCommit(alice, newcomer, { proposals: [proposal] });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_PROPOSAL", requirement }, genuine);
  });

  test("by a sender of type member is none: the type decides, not the ExternalInit (R-12.2-12)", async () => {
    const { message } = await forgeExternalCommit(alice, newcomer, {
      signer: alice.signer,
      framed: { sender: { senderType: "member", leafIndex: 0 } },
    });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-12" }, genuine);
  });

  test("that removes someone else is put to the authentication service (R-12.2-17, R-5.3.1-8)", async () => {
    const asked: unknown[] = [];
    bob.rules = {
      ...rules,
      authentication: {
        validate: ({ moment, previous }) => {
          asked.push([moment, previous?.signatureKey]);
          return previous === undefined ? Promise.resolve() : Promise.reject(new Error("someone else"));
        },
      },
    };
    const { message } = await forgeExternalCommit(alice, newcomer, { proposals: [remove(2)] });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_CREDENTIAL", requirement: "R-5.3.1-8" }, genuine);
    bob.rules = rules;
    expect(asked[0]).toEqual(["commit", carol.signer.publicKey]);
    await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit", effect: { external: true } });
  });

  test("takes the place that its own Remove freed, or the leftmost blank one (R-12.4.2-7, R-12.4.1-2, T-14)", async () => {
    const { message } = await forgeExternalCommit(alice, newcomer, { proposals: [remove(2)] });
    await expect(bob.peek(message)).resolves.toMatchObject({ effect: { committer: { leafIndex: 2 } } });
    const { message: grown } = await forgeExternalCommit(alice, newcomer);
    await expect(bob.peek(grown)).resolves.toMatchObject({ effect: { committer: { leafIndex: 4 } } });
  });

  test("with the encryption key of the leaf that it replaces is refused (R-12.4.2-9, A-9)", async () => {
    const encryptionKey: Bytes | undefined = carol.state.tree.leaf(carol.state.leafIndex)?.encryptionKey;
    if (encryptionKey === undefined) throw new RangeError("carol has a leaf");
    const { message } = await forgeExternalCommit(alice, newcomer, {
      proposals: [remove(2)],
      leaf: (leaf) => ({ ...leaf, encryptionKey }),
    });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_UPDATE_PATH", requirement: "R-12.4.2-9" }, genuine);
  });

  test("with another KEM output than that of its init secret is refused (R-8.3-2, R-12.4.3.2-6)", async () => {
    const { kemOutput } = await alice.suite.hpke.sendExport(
      (await alice.suite.hpke.deriveKeyPair(alice.state.secrets.externalSecret)).publicKey,
      utf8("MLS 1.0 external init secret"),
      32,
    );
    const { message } = await forgeExternalCommit(alice, newcomer, {
      externalInits: 0,
      proposals: [{ proposalType: 6, kemOutput }],
    });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_CONFIRMATION", requirement: "R-12.4.2-12" }, genuine);
  });

  test.each([0, 31, 32])(
    "with a KEM output of %i zero bytes is refused (R-5.1.1-3, adversarial 15)",
    async (length) => {
      const { message } = await forgeExternalCommit(alice, newcomer, {
        externalInits: 0,
        proposals: [{ proposalType: 6, kemOutput: new Uint8Array(length) }],
      });
      await expectForgeryRefused(bob, message, { code: "ERR_MLS_AEAD" }, genuine);
    },
  );

  test("ignores cached proposals (T-15)", async () => {
    const before = bob.state;
    await bob.receive(await forgePublic(carol, { contentType: "proposal", proposal: remove(3) }));
    const { message } = await forgeExternalCommit(alice, newcomer);
    const received = await bob.peek(message);
    expect(received.kind === "commit" && received.effect.removed).toEqual([]);
    expect(received.state.proposals.size).toBe(0);
    bob.state = before;
  });
});

test("which proposals need a path (R-12.4-6, R-12.4-7)", () => {
  const sent = (proposal: Proposal) => ({ proposal, sender: { senderType: "member", leafIndex: 0 } as const });
  expect(pathRequired([], rules)).toBe(true);
  for (const proposal of [add, psk(), reinit()]) expect(pathRequired([sent(proposal)], rules)).toBe(false);
  for (const proposal of [remove(1), externalInit, contextExtensions]) {
    expect(pathRequired([sent(proposal)], rules)).toBe(true);
    expect(pathRequired([sent(add), sent(proposal)], rules)).toBe(true);
  }
});

test("who may propose what (R-12.1.6-1, R-12.1.8-3, R-12.1.8-4)", () => {
  const all: Proposal[] = [add, remove(1), psk(), reinit(), externalInit, contextExtensions];
  const mayPropose = (sender: Sender): Proposal["proposalType"][] =>
    all
      .filter((proposal) => {
        try {
          checkProposalSender(proposal, sender, []);
          return true;
        } catch (error) {
          const requirements: Partial<Record<Sender["senderType"], string>> = {
            member: "R-12.1.6-1",
            external: "R-12.1.8-3",
          };
          const requirement = requirements[sender.senderType] ?? "R-12.1.8-4";
          const { proposalType } = proposal;
          expect(error).toMatchObject({ code: "ERR_MLS_SENDER", requirement, detail: { proposalType } });
          return false;
        }
      })
      .map(({ proposalType }) => proposalType);
  expect(mayPropose({ senderType: "member", leafIndex: 0 })).toEqual([1, 3, 4, 5, 7]);
  expect(mayPropose({ senderType: "external", senderIndex: 0 })).toEqual([1, 3, 4, 5, 7]);
  expect(mayPropose({ senderType: "new_member_proposal" })).toEqual([1]);
  expect(mayPropose({ senderType: "new_member_commit" })).toEqual([1, 3, 4, 5, 6, 7]);
});

test("an ExternalInit that stands alone is neither made nor cached: it would keep members from sending (R-12.1.6-1)", async () => {
  const refusal = { code: "ERR_MLS_SENDER", requirement: "R-12.1.6-1" } as const;
  const forged = await forgePublic(alice, { contentType: "proposal", proposal: externalInit });
  await expectForgeryRefused(bob, forged, refusal, genuine);
  await expectRefusal(alice, refusal, () => createProposal(alice.state, externalInit, alice));
});
