/** Who may send what (RFC 9420 §6.1, §12.1.8), late messages (§15.3), and messages of the wrong kind. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, toHex, utf8 } from "../../src/codec/bytes.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { externalSenders, ExtensionType, makeExtension } from "../../src/extensions/extension.ts";
import type { Content, Sender } from "../../src/framing/framed-content.ts";
import { encodeMessage } from "../../src/framing/mls-message.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { openMany } from "../../src/group/open-many.ts";
import { processMessage } from "../../src/group/receive.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { encodeGroupState } from "../../src/group/serialise.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import type { Rules } from "../../src/rules.ts";
import { secretsOf } from "../../src/schedule/secret-tree.ts";
import type { ContentEdits } from "../support/forge-message.ts";
import { forgePublic } from "../support/forge-message.ts";
import { forgeCommit, forgeExternalCommit } from "../support/forge-commit.ts";
import type { Expected } from "../support/group.ts";
import { expectForgeryRefused, expectRefusal, Group, Member, testRules } from "../support/group.ts";

const observer = await Member.create("observer");
const senders = [{ signatureKey: observer.signer.publicKey, credential: basicCredential("observer") }];
const extensions = [makeExtension(ExtensionType.externalSenders, externalSenders, senders)];
const group = await Group.of(["alice", "bob", "carol"], { extensions });
const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
const newcomer = await Member.create("newcomer");
const { keyPackage } = await newcomer.keyPackage();
const genuine = (await alice.commit()).staged.commit;

const refused = (forged: Bytes, expected: Expected): Promise<void> =>
  expectForgeryRefused(bob, forged, expected, genuine);
const proposes = (proposal: Proposal): Content => ({ contentType: "proposal", proposal });
const from = (sender: Sender, edits: ContentEdits = {}): ContentEdits => ({ ...edits, framed: { sender } });

const add: Proposal = { proposalType: 1, keyPackage };
const remove: Proposal = { proposalType: 3, removed: 2 };
const psk: Proposal = {
  proposalType: 4,
  psk: { pskType: "external", pskId: utf8("id"), pskNonce: new Uint8Array(32) },
};
const reinit: Proposal = { proposalType: 5, groupId: utf8("next"), version: 1, cipherSuite: 1, extensions: [] };
const externalInit: Proposal = { proposalType: 6, kemOutput: new Uint8Array(32) };
const contextExtensions: Proposal = { proposalType: 7, extensions: [] };
const update = async (): Promise<Proposal> => {
  const { state, ref } = await createUpdateProposal(alice.state, alice);
  const cached = state.proposals.get(Buffer.from(ref).toString("hex"));
  if (cached === undefined) throw new RangeError("an own proposal is cached");
  return cached.proposal;
};

describe("a sender outside the group that the group lists (R-6.1-5, adversarial 17)", () => {
  const outside: Sender = { senderType: "external", senderIndex: 0 };
  const { signer } = observer;

  test.each([
    ["Add", add],
    ["Remove", remove],
    ["PreSharedKey", psk],
    ["ReInit", reinit],
    ["GroupContextExtensions", contextExtensions],
  ])("proposes %s (R-12.1.8-3)", async (_, proposal) => {
    const forged = await forgePublic(alice, proposes(proposal), from(outside, { signer }));
    await expect(bob.peek(forged)).resolves.toMatchObject({ kind: "proposal", sender: outside });
  });

  test("does not propose an ExternalInit (R-12.1.8-3)", async () => {
    const forged = await forgePublic(alice, proposes(externalInit), from(outside, { signer }));
    await refused(forged, { code: "ERR_MLS_SENDER", requirement: "R-12.1.8-3" });
  });

  test("does not propose an Update (R-12.1.8-3, R-12.1.2-1)", async () => {
    const forged = await forgePublic(alice, proposes(await update()), from(outside, { signer }));
    await refused(forged, { code: "ERR_MLS_SENDER", requirement: "R-12.1.8-3" });
  });

  test.each([1, 2, 0xffff_ffff])(
    "is number %i, which the list does not have: refused (R-12.1.8-2, adversarial 3)",
    async (senderIndex) => {
      const forged = await forgePublic(alice, proposes(add), from({ ...outside, senderIndex }, { signer }));
      await refused(forged, { code: "ERR_MLS_SENDER", requirement: "R-12.1.8-2" });
    },
  );

  test("commits: refused (R-6.1-5)", async () => {
    const { message } = await forgeCommit(alice, from(outside, { signer }));
    await refused(message, { code: "ERR_MLS_SENDER", requirement: "R-6.1-5" });
  });

  test("is impersonated by a member: refused (R-6.1-8)", async () => {
    const forged = await forgePublic(alice, proposes(remove), from(outside));
    await refused(forged, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
  });

  test("may be refused by the application (R-12.1.8-4)", async () => {
    const forged = await forgePublic(alice, proposes(remove), from(outside, { signer }));
    const rules = testRules({ allowOutsideProposal: () => Promise.reject(new Error("not today")) });
    await expectRefusal(bob, { code: "ERR_MLS_POLICY", requirement: "R-12.1.8-4" }, () =>
      processMessage(bob.state, forged, { rules }),
    );
  });

  test("is no longer one when the list is left out of a GroupContextExtensions, which all members see (adversarial 29)", async () => {
    const listing = await Group.of(["fay", "gus"], { extensions });
    const [fay, gus] = [listing.member("fay"), listing.member("gus")];
    const made = await fay.commit({ proposals: [contextExtensions] });
    const received = await gus.receive(made.staged.commit);
    expect(received.kind === "commit" && received.effect.extensions).toEqual([]);
    fay.adopt(made);
    const forged = await forgePublic(fay, proposes(remove), from(outside, { signer }));
    await expectRefusal(gus, { code: "ERR_MLS_SENDER", requirement: "R-12.1.8-2" }, () => gus.peek(forged));
  });

  test("is not listed in a group without external_senders (R-12.1.8-2, adversarial 29)", async () => {
    const plain = await Group.of(["dave", "erin"]);
    const forged = await forgePublic(plain.member("dave"), proposes(remove), from(outside, { signer }));
    await expectRefusal(plain.member("erin"), { code: "ERR_MLS_SENDER", requirement: "R-12.1.8-2" }, () =>
      plain.member("erin").peek(forged),
    );
  });
});

describe("a client that asks to be added (R-6.1-7, R-12.1.8-4, adversarial 17)", () => {
  const asking: Sender = { senderType: "new_member_proposal" };
  const { signer } = newcomer;

  test("proposes its own Add: refused, since the Delivery Service could ask too, unless the application allows it", async () => {
    const forged = await forgePublic(alice, proposes(add), from(asking, { signer }));
    await refused(forged, { code: "ERR_MLS_POLICY", requirement: "R-12.1.8-4" });
    const asked: unknown[] = [];
    const allowOutsideProposal: Rules["allowOutsideProposal"] = (request) => Promise.resolve(void asked.push(request));
    const rules = testRules({ allowOutsideProposal });
    const received = await processMessage(bob.state, forged, { rules });
    expect(received).toMatchObject({ kind: "proposal", sender: asking });
    expect(asked).toEqual([{ sender: asking, proposal: add }]);
  });

  test("proposes the Add of another: refused by the signature (R-6.1-8)", async () => {
    const forged = await forgePublic(alice, proposes(add), from(asking, { signer: observer.signer }));
    await refused(forged, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
  });

  test.each([
    ["Remove", remove],
    ["PreSharedKey", psk],
    ["ReInit", reinit],
    ["ExternalInit", externalInit],
    ["GroupContextExtensions", contextExtensions],
  ])("proposes %s: refused", async (_, proposal) => {
    const forged = await forgePublic(alice, proposes(proposal), from(asking, { signer }));
    await refused(forged, { code: "ERR_MLS_SENDER", requirement: "R-6.1-7" });
  });

  test("proposes an Update: refused", async () => {
    const forged = await forgePublic(alice, proposes(await update()), from(asking, { signer }));
    await refused(forged, { code: "ERR_MLS_SENDER", requirement: "R-6.1-7" });
  });

  test("commits: refused", async () => {
    const { message } = await forgeCommit(alice, from(asking, { signer }));
    await refused(message, { code: "ERR_MLS_SENDER", requirement: "R-6.1-7" });
  });
});

describe("a client that lets itself in (R-6.1-6, R-12.4.3.2-7)", () => {
  test("sends a proposal: refused", async () => {
    const joining: Sender = { senderType: "new_member_commit" };
    const forged = await forgePublic(alice, proposes(add), from(joining, { signer: newcomer.signer }));
    await refused(forged, { code: "ERR_MLS_SENDER", requirement: "R-6.1-6" });
  });

  test("commits without a path: refused (R-12.4.3.2-3)", async () => {
    const { message } = await forgeExternalCommit(alice, newcomer, { withPath: false });
    await refused(message, { code: "ERR_MLS_SENDER", requirement: "R-6.1-6" });
  });

  test("signs with another key than that of its leaf: refused (R-12.4.3.2-5)", async () => {
    const { message } = await forgeExternalCommit(alice, newcomer, { signer: observer.signer });
    await refused(message, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
  });

  test("signs without the group context: refused (R-6.1-1)", async () => {
    const { message } = await forgeExternalCommit(alice, newcomer, { context: { treeHash: new Uint8Array(32) } });
    await refused(message, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
  });
});

describe("proposals of members", () => {
  test("are cached by reference for the epoch (R-12.1-2, R-5.2-3)", async () => {
    const { message, ref } = await createProposal(alice.state, { proposalType: 3, removed: 2 }, alice);
    const received = await bob.peek(message);
    expect([...received.state.proposals.keys()]).toEqual([Buffer.from(ref).toString("hex")]);
  });

  test("consume a key where they are encrypted, nothing where they are public (R-9.2-1)", async () => {
    const consumed = async (wireFormat: "mls_public_message" | "mls_private_message"): Promise<readonly Bytes[]> => {
      const { message } = await createProposal(alice.state, { proposalType: 3, removed: 2 }, { ...alice, wireFormat });
      return (await bob.peek(message)).consumed;
    };
    expect(await consumed("mls_public_message")).toEqual([]);
    expect((await consumed("mls_private_message")).length).toBeGreaterThan(0);
  });

  test("have one reference per wire format (R-5.2-4)", async () => {
    const refs = await Promise.all(
      (["mls_public_message", "mls_private_message"] as const).map(async (wireFormat) => {
        const { ref } = await createProposal(alice.state, { proposalType: 3, removed: 2 }, { ...alice, wireFormat });
        return Buffer.from(ref).toString("hex");
      }),
    );
    expect(new Set(refs).size).toBe(2);
  });

  test("that arrive twice are kept once (T-23)", async () => {
    const forged = await forgePublic(alice, proposes(remove));
    const first = await bob.peek(forged);
    bob.state = first.state;
    const second = await bob.receive(forged);
    expect(second.state.proposals.size).toBe(1);
    bob.state = { ...bob.state, proposals: new Map() };
  });

  test("of one epoch are bounded in number (adversarial 8)", async () => {
    const before = bob.state;
    bob.rules = testRules({ limits: { ...DEFAULT_LIMITS, pendingProposals: 3 } });
    for (let i = 0; i < 3; i++) {
      const framed = { authenticatedData: Uint8Array.of(i) };
      await bob.receive(await forgePublic(alice, proposes(remove), { framed }));
    }
    const fourth = await forgePublic(alice, proposes(remove), { framed: { authenticatedData: Uint8Array.of(9) } });
    await expectForgeryRefused(bob, fourth, { code: "ERR_MLS_LIMIT" }, genuine);
    bob.rules = testRules();
    bob.state = before;
  });

  test("of one epoch are bounded in bytes, each by itself and all together (adversarial 8)", async () => {
    const before = bob.state;
    const reinit = (length: number): Content =>
      proposes({
        proposalType: 5,
        groupId: new Uint8Array(length),
        version: 1,
        cipherSuite: 1,
        extensions: [],
      });
    const sends = async (length: number, i = 0): Promise<Bytes> =>
      forgePublic(alice, reinit(length), { framed: { authenticatedData: Uint8Array.of(i) } });
    const { proposalBytes, pendingProposalBytes } = DEFAULT_LIMITS;
    expect([proposalBytes, pendingProposalBytes]).toEqual([2 ** 20, 2 ** 24]);
    await expectForgeryRefused(bob, await sends(2 ** 20), { code: "ERR_MLS_LIMIT" }, genuine);

    bob.rules = testRules({ limits: { ...DEFAULT_LIMITS, proposalBytes: 1009, pendingProposalBytes: 3030 } });
    await expectForgeryRefused(bob, await sends(1001), { code: "ERR_MLS_LIMIT" }, genuine);
    const first = await sends(1000);
    await bob.receive(first);
    for (const i of [1, 2]) await bob.receive(await sends(1000, i));
    await expectForgeryRefused(bob, await sends(0, 3), { code: "ERR_MLS_LIMIT" }, genuine);
    // One that is there already takes no more.
    expect((await bob.peek(first)).state.proposals.size).toBe(3);
    bob.rules = testRules();
    bob.state = before;
  });

  test("are bounded unless the application says otherwise: 10,000 of an epoch are not kept (adversarial 8)", async () => {
    const before = bob.state;
    const { state } = await bob.peek(await forgePublic(alice, proposes(remove)));
    const [cached] = state.proposals.values();
    if (cached === undefined) throw new RangeError("the proposal is cached");
    const { pendingProposals } = DEFAULT_LIMITS;
    expect(pendingProposals).toBeLessThan(10_000);
    const many = Array.from({ length: pendingProposals }, (_, i): [string, typeof cached] => {
      const ref = cached.ref.map((byte, at) => (at === 0 ? i & 0xff : at === 1 ? i >> 8 : byte));
      return [Buffer.from(ref).toString("hex"), { ...cached, ref }];
    });
    bob.state = { ...before, proposals: new Map(many.slice(1)) };
    const one = (i: number): Promise<Bytes> =>
      forgePublic(alice, proposes(remove), { framed: { authenticatedData: Uint8Array.of(i) } });
    await bob.receive(await one(1));
    expect(bob.state.proposals.size).toBe(pendingProposals);
    await expectForgeryRefused(bob, await one(2), { code: "ERR_MLS_LIMIT" }, genuine);
    bob.state = before;
  });
});

describe("messages of past epochs (R-5.3.3-1, R-15-1, R-15.3-1, R-15.3-4, adversarial 13)", () => {
  test("open within the retention and name the author of that epoch, even if the leaf was reused since", async () => {
    const old = await Group.of(["ann", "ben", "cat"]);
    const [ann, ben, cat] = [old.member("ann"), old.member("ben"), old.member("cat")];
    const [late, later] = [await cat.send("late"), await cat.send("later")];
    await old.commit(ann, { proposals: [{ proposalType: 3, removed: cat.state.leafIndex }] });
    const dan = await Member.create("dan");
    await old.add(ann, [dan]);
    expect(dan.state.leafIndex).toBe(cat.state.leafIndex);

    const received = await ben.receive(later);
    expect(received).toMatchObject({
      kind: "application",
      epoch: 1n,
      sender: { leafIndex: 2, credential: basicCredential("cat"), signatureKey: cat.signer.publicKey },
    });
    await expectRefusal(ben, { code: "ERR_MLS_REPLAY" }, () => ben.receive(later));
    await expect(ben.peek(late)).resolves.toMatchObject({ data: utf8("late") });

    ben.rules = testRules({ limits: { ...DEFAULT_LIMITS, pastEpochs: 2 } });
    await old.commit(ann);
    const gone = { epoch: ben.state.context.epoch, received: 1n };
    await expectRefusal(ben, { code: "ERR_MLS_EPOCH", requirement: "R-15.3-4", detail: gone }, () => ben.receive(late));
  });
});

test("skipped keys of an epoch go with it, for erasing: they are bounded in age (R-15.3-2, R-15.3-4, adversarial 5)", async () => {
  const old = await Group.of(["ann", "ben"]);
  const [ann, ben] = [old.member("ann"), old.member("ben")];
  ben.rules = testRules({ limits: { ...DEFAULT_LIMITS, pastEpochs: 1 } });
  await ann.send("skipped");
  await ben.receive(await ann.send("read"));
  await old.commit(ann);
  const [past] = ben.state.pastEpochs;
  if (past === undefined) throw new RangeError("the epoch before is kept");
  const kept = secretsOf(past.secretTree).map(toHex);
  const holds = (): boolean[] => {
    const stored = toHex(encodeGroupState(ben.state));
    return kept.map((secret) => stored.includes(secret));
  };
  // Among them the key and nonce of the message that was skipped.
  expect(kept.length).toBeGreaterThan(3);
  expect(holds().every(Boolean)).toBe(true);
  const made = await ann.commit();
  const { state, consumed } = await ben.peek(made.staged.commit);
  const gone = new Set(consumed.map(toHex));
  expect(kept.every((secret) => gone.has(secret))).toBe(true);
  ben.state = state;
  expect(holds().some(Boolean)).toBe(false);
});

describe("messages of the wrong kind (adversarial 18)", () => {
  test("a Welcome, a GroupInfo and a key package are no messages to a group", async () => {
    const groupInfo = await createGroupInfo(alice.state, alice.signer);
    const { staged } = await alice.commit({ proposals: [add] });
    await refused(staged.welcome ?? EMPTY, { code: "ERR_MLS_DECODE", detail: { received: "mls_welcome" } });
    for (const message of [
      { wireFormat: "mls_key_package", keyPackage },
      { wireFormat: "mls_group_info", groupInfo },
    ] as const) {
      await refused(encodeMessage(message), { code: "ERR_MLS_DECODE", detail: { received: message.wireFormat } });
    }
  });

  test("an own public proposal that comes back is kept once", async () => {
    const before = alice.state;
    const wireFormat = "mls_public_message";
    const sent = await createProposal(alice.state, { proposalType: 3, removed: 2 }, { ...alice, wireFormat });
    alice.state = sent.state;
    await alice.receive(sent.message);
    expect([...alice.state.proposals.values()].map(({ ref }) => ref)).toEqual([sent.ref]);
    alice.state = before;
  });

  test("an own Commit is adopted, not processed (R-12.4.2-16)", async () => {
    const { message } = await forgeCommit(alice);
    await expectRefusal(alice, { code: "ERR_MLS_STATE", requirement: "R-12.4.2-16" }, () => alice.peek(message));
  });
});

describe("a state that is closed", () => {
  test("after the own removal, nothing is sent or received (R-12.4.2-14, R-12.4.2-15)", async () => {
    const small = await Group.of(["fay", "gus", "hal"]);
    const [fay, gus] = [small.member("fay"), small.member("gus")];
    const hal = small.member("hal");
    const before = hal.state;
    await small.commit(fay, { proposals: [{ proposalType: 3, removed: hal.state.leafIndex }] });
    expect(hal.state.status).toBe("removed");
    const after = await gus.send("without hal");
    const closed: Expected = { code: "ERR_MLS_STATE", requirement: "R-12.4.2-14" };
    await expectRefusal(hal, closed, () => hal.receive(after));
    await expectRefusal(hal, closed, () => hal.send("hello?"));
    await expectRefusal(hal, closed, () => hal.commit());
    await expectRefusal(hal, closed, () => createGroupInfo(hal.state, hal.signer));
    await expectRefusal(hal, closed, () => createUpdateProposal(hal.state, hal));

    // Its state of before opens nothing of the new epoch either (adversarial 12).
    hal.state = before;
    await expectRefusal(hal, { code: "ERR_MLS_EPOCH" }, () => hal.receive(after));
    hal.state = { ...before, context: { ...before.context, epoch: before.context.epoch + 1n } };
    await expectRefusal(hal, { code: "ERR_MLS_AEAD" }, () => hal.receive(after));
  });

  test("after a ReInit was committed, nothing is sent, and no handshake received (R-12.4.2-13, R-12.1.5-2, adversarial 30)", async () => {
    const small = await Group.of(["ida", "jon"]);
    const [ida, jon] = [small.member("ida"), small.member("jon")];
    const late = await createProposal(jon.state, { proposalType: 3, removed: 0 }, jon);
    const forged = await forgePublic(jon, proposes(remove));
    await small.commit(ida, { proposals: [reinit] });
    expect(small.members.map(({ state }) => state.status)).toEqual(["reinitialised", "reinitialised"]);
    expect(jon.state.reinit).toMatchObject({ groupId: utf8("next"), cipherSuite: 1 });
    const closed: Expected = { code: "ERR_MLS_STATE", requirement: "R-12.4.2-13" };
    await expectRefusal(jon, closed, () => jon.send("too late"));
    await expectRefusal(jon, closed, () => jon.commit());
    await expectRefusal(jon, closed, () => createProposal(jon.state, { proposalType: 3, removed: 0 }, jon));
    await expectRefusal(jon, closed, () => createUpdateProposal(jon.state, jon));
    for (const message of [late.message, forged]) await expectRefusal(ida, closed, () => ida.receive(message));
  });

  test("after a ReInit was committed, messages that crossed it are still read (R-12.4.2-13, T-24, T-33)", async () => {
    const small = await Group.of(["ida", "jon"]);
    const [ida, jon] = [small.member("ida"), small.member("jon")];
    const [first, second] = [await jon.send("crossing"), await jon.send("crossing too")];
    await small.commit(ida, { proposals: [reinit] });
    const opened = await openMany(ida.state, [first, second], ida);
    expect(opened.outcomes).toMatchObject([{ data: utf8("crossing") }, { data: utf8("crossing too") }]);
    await expect(ida.receive(second)).resolves.toMatchObject({ kind: "application", data: utf8("crossing too") });
    await expect(ida.receive(first)).resolves.toMatchObject({ kind: "application", data: utf8("crossing") });
    await expectRefusal(ida, { code: "ERR_MLS_REPLAY" }, () => ida.receive(first));
  });
});

test("an application message waits until proposals are committed (R-12.4-3, R-15.2-2)", async () => {
  const before = carol.state;
  await carol.receive(await forgePublic(alice, proposes({ proposalType: 3, removed: 1 })));
  await expectRefusal(carol, { code: "ERR_MLS_STATE", requirement: "R-12.4-3" }, () => carol.send("now"));
  carol.state = before;
  await carol.send("later");
});
