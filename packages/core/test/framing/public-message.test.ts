/** Public messages (RFC 9420 §6.1, §6.2): what receivers refuse, and that nothing changes when they do. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { decode, encode } from "../../src/codec/codec.ts";
import type { MlsErrorCode } from "../../src/errors.ts";
import type { Content } from "../../src/framing/framed-content.ts";
import { decodeMessageOf, encodeMessage } from "../../src/framing/mls-message.ts";
import type { PublicMessage } from "../../src/framing/public-message.ts";
import { protectPublic, publicMessage } from "../../src/framing/public-message.ts";
import { createProposal } from "../../src/group/send.ts";
import { forgePublic, sealPublic, signedContent } from "../support/forge-message.ts";
import { forgeCommit, refHex } from "../support/forge-commit.ts";
import { expectForgeryRefused, Group } from "../support/group.ts";

const group = await Group.of(["alice", "bob", "carol"]);
const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
const beforeLast = alice.state;
await group.commit(carol);
const genuine = (await alice.commit({ wireFormat: "mls_public_message" })).staged.commit;

const remove = (removed: number): Content => ({
  contentType: "proposal",
  proposal: { proposalType: 3, removed },
});
const proposal = remove(carol.state.leafIndex);
const refused = (forged: Bytes, code: MlsErrorCode, requirement: string, detail = {}): Promise<void> =>
  expectForgeryRefused(bob, forged, { code, requirement, detail }, genuine);

test("a proposal that nothing was changed in is accepted", async () => {
  await expect(bob.peek(await forgePublic(alice, proposal))).resolves.toMatchObject({ kind: "proposal" });
});

describe("the membership tag of a member's message (R-6.2-2, R-6.2-3, adversarial 6)", () => {
  const withTag = (edit: (tag: Bytes) => Bytes) => ({
    message: (message: PublicMessage): PublicMessage => ({
      ...message,
      membershipTag: message.membershipTag && edit(message.membershipTag),
    }),
  });
  test.each<[string, (tag: Bytes) => Bytes]>([
    ["is of another key", (tag) => tag.map((byte) => byte ^ 0x55)],
    ["differs in its last bit", (tag) => tag.map((byte, i) => (i === tag.length - 1 ? byte ^ 1 : byte))],
    ["is empty", () => EMPTY],
    ["is truncated", (tag) => tag.slice(0, 16)],
    ["goes on", (tag) => concat(tag, Uint8Array.of(0))],
    ["stands twice", (tag) => concat(tag, tag)],
  ])("%s: refused", async (_, edit) => {
    await refused(await forgePublic(alice, proposal, withTag(edit)), "ERR_MLS_MAC", "R-6.2-3");
  });

  test("covers the signature", async () => {
    const message = (made: PublicMessage): PublicMessage => ({
      ...made,
      auth: { ...made.auth, signature: made.auth.signature.map((byte) => byte ^ 1) },
    });
    await refused(await forgePublic(alice, proposal, { message }), "ERR_MLS_MAC", "R-6.2-3");
  });
});

describe("the signature of a member (R-6.1-8)", () => {
  test("by another member's key: refused (adversarial 9)", async () => {
    await refused(await forgePublic(alice, proposal, { signer: carol.signer }), "ERR_MLS_SIGNATURE", "R-6.1-8");
  });

  test("in another member's name: refused", async () => {
    const sender = { senderType: "member", leafIndex: carol.state.leafIndex } as const;
    await refused(await forgePublic(alice, remove(1), { framed: { sender } }), "ERR_MLS_SIGNATURE", "R-6.1-8");
  });

  test("over another group context: refused (R-6.1-1, R-12.4.1-6)", async () => {
    const context = { treeHash: beforeLast.context.treeHash };
    await refused(await forgePublic(alice, proposal, { context }), "ERR_MLS_SIGNATURE", "R-6.1-8");
  });

  test("over the other wire format: refused (R-6.1-1)", async () => {
    const signed = await signedContent(alice, proposal, "mls_private_message");
    await refused(sealPublic(alice, { ...signed, wireFormat: "mls_public_message" }), "ERR_MLS_SIGNATURE", "R-6.1-8");
  });

  test.each([0, 1, 63, 65])("of %i bytes: refused", async (length) => {
    const { auth } = await signedContent(alice, proposal, "mls_public_message");
    const signature = concat(auth.signature, auth.signature).slice(0, length);
    await refused(await forgePublic(alice, proposal, { auth: { signature } }), "ERR_MLS_SIGNATURE", "R-6.1-8");
  });
});

describe("who and when", () => {
  test.each([3, 4, 0x7fff_ffff, 0xffff_ffff])(
    "member %i is a blank leaf or none at all: refused (R-6.1-4, adversarial 3)",
    async (leafIndex) => {
      const sender = { senderType: "member", leafIndex } as const;
      await refused(await forgePublic(alice, proposal, { framed: { sender } }), "ERR_MLS_SENDER", "R-6.1-4");
    },
  );

  test("another group: refused before any cryptography (R-6-8, adversarial 16)", async () => {
    const forged = await forgePublic(alice, proposal, {
      framed: { groupId: utf8("another group") },
      message: (message) => ({ ...message, membershipTag: EMPTY, auth: { ...message.auth, signature: EMPTY } }),
    });
    await refused(forged, "ERR_MLS_EPOCH", "R-6-8");
  });

  test("another group, though signature and tag verify: refused (R-6-8, adversarial 16)", async () => {
    const framed = { groupId: utf8("another group") };
    await refused(await forgePublic(alice, proposal, { framed }), "ERR_MLS_EPOCH", "R-6-8");
    await refused((await forgeCommit(alice, { framed })).message, "ERR_MLS_EPOCH", "R-6-8");
  });

  test("a proposal of a past epoch that a Commit refers to: refused (R-12.4-2, adversarial 16)", async () => {
    const others = await Group.of(["dave", "erin", "frank"]);
    const [dave, erin] = [others.member("dave"), others.member("erin")];
    const sent = await createProposal(dave.state, { proposalType: 3, removed: 2 }, dave);
    await others.propose(dave, sent);
    await others.commit(erin, { includeCached: false });
    expect(others.members.map(({ state }) => state.proposals.size)).toEqual([0, 0, 0]);
    const next = (await dave.commit()).staged.commit;
    const { message } = await forgeCommit(dave, { proposals: [refHex(sent.ref)] });
    const expected = { code: "ERR_MLS_PROPOSAL_REF", requirement: "R-12.4-2" } as const;
    await expectForgeryRefused(erin, message, expected, next);
  });

  test("an epoch to come: refused (R-6-8, R-12.1-1, adversarial 16)", async () => {
    const { epoch } = bob.state.context;
    const received = epoch + 1n;
    const forged = await forgePublic(alice, proposal, { framed: { epoch: received } });
    await refused(forged, "ERR_MLS_EPOCH", "R-6-8", { epoch, received });
  });

  test("a proposal of a past epoch that is replayed: refused (R-12.1-1, R-12.4.2-1, adversarial 16)", async () => {
    const options = { rules: alice.rules, signer: alice.signer, wireFormat: "mls_public_message" } as const;
    const { message } = await createProposal(beforeLast, { proposalType: 3, removed: 2 }, options);
    await refused(message, "ERR_MLS_EPOCH", "R-12.4.2-1");
  });

  test("a proposal of the past epoch under this epoch's number: refused (adversarial 16)", async () => {
    const options = { rules: alice.rules, signer: alice.signer, wireFormat: "mls_public_message" } as const;
    const { message } = await createProposal(beforeLast, { proposalType: 3, removed: 2 }, options);
    const { publicMessage: old } = decodeMessageOf("mls_public_message", message);
    const renumbered = { ...old, content: { ...old.content, epoch: bob.state.context.epoch } };
    await refused(
      encodeMessage({ wireFormat: "mls_public_message", publicMessage: renumbered }),
      "ERR_MLS_MAC",
      "R-6.2-3",
    );
  });

  test("a Commit for a past epoch: refused (R-12.4.2-1)", async () => {
    const { epoch } = bob.state.context;
    const received = epoch - 1n;
    const { message } = await forgeCommit(alice, { framed: { epoch: received } });
    await refused(message, "ERR_MLS_EPOCH", "R-12.4.2-1", { epoch, received });
  });
});

describe("application data as a public message (R-6-1)", () => {
  const content: Content = { contentType: "application", applicationData: utf8("in the clear") };

  test("is refused on receipt", async () => {
    const signed = await signedContent(alice, content, "mls_public_message");
    const forged = await forgePublic(alice, proposal, {
      message: ({ membershipTag }) => ({ content: signed.content, auth: signed.auth, membershipTag }),
    });
    await refused(forged, "ERR_MLS_SENDER", "R-6-1");
  });

  test("is refused when sending", async () => {
    const signed = await signedContent(alice, content, "mls_public_message");
    const { membershipKey } = alice.state.secrets;
    expect(() => protectPublic(alice.suite, signed, { membershipKey, context: alice.state.context })).toThrow(
      expect.objectContaining({ code: "ERR_MLS_SENDER", requirement: "R-6-1" }),
    );
  });
});

describe("the membership tag on the wire (R-6.2-1)", () => {
  test("stands exactly with members", async () => {
    const { publicMessage: made } = decodeMessageOf("mls_public_message", await forgePublic(alice, proposal));
    expect(() => encode(publicMessage, { ...made, membershipTag: undefined })).toThrow(TypeError);

    const outside: PublicMessage = {
      ...made,
      content: { ...made.content, sender: { senderType: "new_member_proposal" } },
      membershipTag: undefined,
    };
    const bytes = encode(publicMessage, outside);
    expect(decode(publicMessage, bytes)).toEqual(outside);
    expect(() => decode(publicMessage, concat(bytes, Uint8Array.of(0)))).toThrow(
      expect.objectContaining({ code: "ERR_MLS_DECODE", requirement: "R-2.1-4" }),
    );
  });
});
