/** Private messages (RFC 9420 §6.3): refusals cost no key, and a key opens once. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { senderDataKey } from "../../src/crypto/message-protection.ts";
import { createCommit } from "../../src/commit/create.ts";
import type { Content } from "../../src/framing/framed-content.ts";
import { decodeMessageOf, encodeMessage } from "../../src/framing/mls-message.ts";
import type { PrivateMessage } from "../../src/framing/private-message.ts";
import { protectPrivate } from "../../src/framing/private-message.ts";
import { unprotectPrivate } from "../../src/framing/unprotect.ts";
import { createApplicationMessage, createProposal } from "../../src/group/send.ts";
import { decodeGroupState, encodeGroupState } from "../../src/group/serialise.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { forgeCommit } from "../support/forge-commit.ts";
import { forgePrivate, forgePublic, signedContent } from "../support/forge-message.ts";
import type { Expected } from "../support/group.ts";
import { expectForgeryRefused, expectRefusal, Group, testRules } from "../support/group.ts";
import { watchingSeals } from "../support/watch-seals.ts";

const group = await Group.of(["alice", "bob", "carol"]);
const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
const hello: Content = { contentType: "application", applicationData: utf8("hello") };
/** Of generation 0, as every forgery below. */
const genuine = (await createApplicationMessage(alice.state, utf8("genuine"), alice)).message;
const refused = (forged: Bytes, expected: Expected): Promise<void> =>
  expectForgeryRefused(bob, forged, expected, genuine);

test("a message that nothing was changed in opens, with its author and generation (R-16.9-1, R-9.1-4)", async () => {
  await expect(bob.peek(await forgePrivate(alice, hello))).resolves.toMatchObject({
    kind: "application",
    data: utf8("hello"),
    generation: 0,
    sender: { leafIndex: alice.state.leafIndex, signatureKey: alice.signer.publicKey },
  });
});

describe("a member that seals in another's name (adversarial 9)", () => {
  const inName = { leafIndex: alice.state.leafIndex };
  const framed = { sender: { senderType: "member", ...inName } } as const;

  test("is refused by the signature, and the genuine message of that generation still opens (R-6.1-8, R-6.3.1-9, R-9.2-5)", async () => {
    const forged = await forgePrivate(carol, hello, { keyOf: inName, framed });
    await refused(forged, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
  });

  test("is refused too when its own name is signed", async () => {
    const forged = await forgePrivate(carol, hello, { keyOf: inName });
    await refused(forged, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
  });

  test("is refused with a proposal and with a Commit", async () => {
    const proposal: Content = { contentType: "proposal", proposal: { proposalType: 3, removed: 2 } };
    const forged = await forgePrivate(carol, proposal, { keyOf: inName, framed });
    await refused(forged, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
    const { message } = await forgeCommit(carol, { framed, sealed: { keyOf: inName } });
    await refused(message, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
  });

  test("cannot take its signature from a public message (R-6.3.1-9)", async () => {
    const proposal: Content = { contentType: "proposal", proposal: { proposalType: 3, removed: 2 } };
    const { auth } = await signedContent(alice, proposal, "mls_public_message");
    await refused(await forgePrivate(alice, proposal, { auth }), { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
  });
});

describe("the padding (R-6.3.1-1, R-6.3.1-3)", () => {
  const padding = (length: number, at: number): Bytes => {
    const bytes = new Uint8Array(length);
    if (at >= 0) bytes[at] = 1;
    return bytes;
  };

  test.each([0, 1, 63, 1000])("%i zero bytes are accepted", async (length) => {
    await expect(bob.peek(await forgePrivate(alice, hello, { padding: padding(length, -1) }))).resolves.toMatchObject({
      data: utf8("hello"),
    });
  });

  test.each([
    [1, 0],
    [64, 0],
    [64, 31],
    [64, 63],
  ])("of %i bytes with byte %i set: refused", async (length, at) => {
    const forged = await forgePrivate(alice, hello, { padding: padding(length, at) });
    await refused(forged, { code: "ERR_MLS_DECODE", requirement: "R-6.3.1-3" });
  });

  test("is all zero when sent, and hides the length (R-6.3.1-2, R-15.1-1)", async () => {
    const lengths = await Promise.all(
      [0, 1, 20, 32].map(async (length) => {
        const { message } = await createApplicationMessage(alice.state, new Uint8Array(length), alice);
        return decodeMessageOf("mls_private_message", message).privateMessage.ciphertext.length;
      }),
    );
    expect(new Set(lengths).size).toBe(1);
    const { message } = await createApplicationMessage(alice.state, utf8("x"), { ...alice, padding: () => 501 });
    await expect(bob.peek(message)).resolves.toMatchObject({ data: utf8("x") });
  });
});

describe("the plaintext (R-6.3.1-1)", () => {
  test("cut at any byte: refused (adversarial 1)", async () => {
    let whole = 1;
    for (let length = 0; length < whole; length++) {
      const plaintext = (bytes: Bytes): Bytes => {
        whole = bytes.length;
        return bytes.slice(0, length);
      };
      await refused(await forgePrivate(alice, hello, { plaintext }), { code: "ERR_MLS_DECODE" });
    }
    // The data and its length, the signature and its length.
    expect(whole).toBe(1 + 5 + 2 + 64);
  });
});

test("the key of a message is overwritten once it was tried, whether it opened or not (R-9.2-1)", async () => {
  const used: Bytes[] = [];
  const { suite } = bob.state;
  const openContents: typeof suite.messages.openContents = (sealed, read) => {
    used.push(...sealed.flatMap(({ key, nonce }) => [key, nonce]));
    return suite.messages.openContents(sealed, read);
  };
  const before = bob.state;
  bob.state = { ...before, suite: { ...suite, messages: { ...suite.messages, openContents } } };
  await bob.peek(genuine);
  const broken = await forgePrivate(alice, hello, {
    message: (made) => ({ ...made, ciphertext: made.ciphertext.map((byte, i) => (i < 32 ? byte : byte ^ 1)) }),
  });
  await expect(bob.peek(broken)).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
  bob.state = before;
  expect(used).toHaveLength(4);
  for (const secret of used) expect(secret.every((byte) => byte === 0)).toBe(true);
});

describe("the sender data (R-6.3.2-1)", () => {
  test.each([3, 4, 5, 0xffff_ffff])(
    "names leaf %i, which is blank or no leaf: refused (R-6.3.2-6, adversarial 3)",
    async (leafIndex) => {
      const forged = await forgePrivate(alice, hello, { senderData: { leafIndex } });
      await refused(forged, { code: "ERR_MLS_SENDER", requirement: "R-6.3.2-6", detail: { leafIndex } });
    },
  );

  test("names another member than the one whose key was used: refused", async () => {
    const { leafIndex } = carol.state;
    await refused(await forgePrivate(alice, hello, { senderData: { leafIndex } }), { code: "ERR_MLS_AEAD" });
  });

  test("names another generation than the one that was used: refused, no key is burned (R-9.2-5)", async () => {
    await refused(await forgePrivate(alice, hello, { senderData: { generation: 7 } }), { code: "ERR_MLS_AEAD" });
  });

  test.each([0xffff_ffff, 0x8000_0000, 1025])(
    "names generation %i: refused without running the ratchet (R-15.3-3, adversarial 5)",
    async (generation) => {
      const started = performance.now();
      const forged = await forgePrivate(alice, hello, { senderData: { generation } });
      await refused(forged, { code: "ERR_MLS_LIMIT", requirement: "R-15.3-3" });
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );

  test.each([
    ["is a byte short", (bytes: Bytes) => bytes.slice(0, 11)],
    ["is a byte long", (bytes: Bytes) => concat(bytes, Uint8Array.of(0))],
    ["is empty", () => EMPTY],
  ])("%s: refused", async (_, senderDataBytes) => {
    await refused(await forgePrivate(alice, hello, { senderDataBytes }), { code: "ERR_MLS_DECODE" });
  });

  test("is sealed under a sample of the ciphertext, short ones whole (R-6.3.2-3, R-6.3.2-4)", () => {
    const secret = new Uint8Array(32).fill(7);
    const long = new Uint8Array(40).map((_, i) => i);
    const key = (sample: Bytes): string => senderDataKey(alice.suite, secret, sample).key.join();
    expect(key(long)).toBe(key(long.slice(0, 32)));
    expect(key(long)).not.toBe(key(long.slice(0, 31)));
    expect(key(long.slice(0, 5))).toBe(alice.suite.hash.expandWithLabel(secret, "key", long.slice(0, 5), 16).join());
  });
});

describe("what is authenticated (R-6.3.1-8, R-6.3.2-5)", () => {
  const edits: [string, (message: PrivateMessage) => PrivateMessage][] = [
    ["the authenticated data", (message) => ({ ...message, authenticatedData: utf8("other") })],
    ["the content type", (message) => ({ ...message, contentType: "proposal" })],
    [
      "the ciphertext",
      (message) => ({ ...message, ciphertext: message.ciphertext.map((b, i) => (i === 40 ? b ^ 1 : b)) }),
    ],
    [
      "the ciphertext's sample",
      (message) => ({ ...message, ciphertext: message.ciphertext.map((b, i) => (i === 0 ? b ^ 1 : b)) }),
    ],
    [
      "the sender data",
      (message) => ({ ...message, encryptedSenderData: message.encryptedSenderData.map((b) => b ^ 1) }),
    ],
    ["the ciphertext's end", (message) => ({ ...message, ciphertext: message.ciphertext.slice(0, -1) })],
    ["all of the ciphertext", (message) => ({ ...message, ciphertext: EMPTY })],
    ["all of the sender data", (message) => ({ ...message, encryptedSenderData: EMPTY })],
    ["a tag alone", (message) => ({ ...message, encryptedSenderData: message.encryptedSenderData.slice(0, 15) })],
  ];
  test.each(edits)("%s is changed on the way: refused (adversarial 6)", async (_, message) => {
    await refused(await forgePrivate(alice, hello, { message }), { code: "ERR_MLS_AEAD" });
  });

  test("the group and epoch are matched first (R-6-8, adversarial 16)", async () => {
    const { epoch } = alice.state.context;
    for (const change of [{ groupId: utf8("other") }, { epoch: epoch + 1n }]) {
      const forged = await forgePrivate(alice, hello, { message: (message) => ({ ...message, ...change }) });
      await refused(forged, { code: "ERR_MLS_EPOCH", requirement: "R-6-8" });
    }
  });

  test("another group or an epoch to come, though signed and sealed for it: refused (R-6-8, adversarial 16)", async () => {
    const { epoch } = alice.state.context;
    for (const framed of [{ groupId: utf8("other") }, { epoch: epoch + 1n }, { epoch: 2n ** 64n - 1n }]) {
      await refused(await forgePrivate(alice, hello, { framed }), { code: "ERR_MLS_EPOCH", requirement: "R-6-8" });
      const { message } = await forgeCommit(alice, { framed, sealed: {} });
      await refused(message, { code: "ERR_MLS_EPOCH", requirement: "R-6-8" });
    }
  });

  test("an epoch that was never kept: refused (R-15.3-4)", async () => {
    const forged = await forgePrivate(alice, hello, { message: (message) => ({ ...message, epoch: 0n }) });
    await refused(forged, { code: "ERR_MLS_EPOCH", requirement: "R-15.3-4" });
  });

  test("a handshake of a past epoch: refused (R-12.4.2-1)", async () => {
    const { message } = await forgeCommit(alice, { sealed: { message: (made) => ({ ...made, epoch: 0n }) } });
    await refused(message, { code: "ERR_MLS_EPOCH", requirement: "R-12.4.2-1" });
  });
});

describe("a message opens once (R-9.2-1, adversarial 10)", () => {
  test("from memory, after a reload, and from the skipped keys", async () => {
    const others = await Group.of(["dave", "erin"]);
    const [dave, erin] = [others.member("dave"), others.member("erin")];
    const [first, second, third] = [await dave.send("0"), await dave.send("1"), await dave.send("2")];
    await erin.receive(third);
    await erin.receive(first);
    for (const used of [third, first]) {
      await expectRefusal(erin, { code: "ERR_MLS_REPLAY", requirement: "R-9.2-1" }, () => erin.receive(used));
    }
    erin.state = await decodeGroupState(encodeGroupState(erin.state));
    for (const used of [third, first]) {
      await expectRefusal(erin, { code: "ERR_MLS_REPLAY", requirement: "R-9.2-1" }, () => erin.receive(used));
    }
    await expect(erin.receive(second)).resolves.toMatchObject({ data: utf8("1") });
    await expectRefusal(erin, { code: "ERR_MLS_REPLAY" }, () => erin.receive(second));
  });

  test("an own message cannot be opened again, which is no replay (adversarial 18)", async () => {
    const { state, message } = await createApplicationMessage(alice.state, utf8("echo"), alice);
    const before = alice.state;
    alice.state = state;
    await expectRefusal(alice, { code: "ERR_MLS_ECHO" }, () => alice.receive(message));
    alice.state = before;
  });

  test("nor an own proposal or Commit: it is told from others before and after it was accepted (adversarial 18)", async () => {
    const before = alice.state;
    const proposed = await createProposal(alice.state, { proposalType: 3, removed: 2 }, alice);
    alice.state = proposed.state;
    await expectRefusal(alice, { code: "ERR_MLS_ECHO" }, () => alice.receive(proposed.message));
    expect(alice.state.proposals.size).toBe(1);
    const made = await alice.commit();
    await expectRefusal(alice, { code: "ERR_MLS_ECHO" }, () => alice.receive(made.staged.commit));
    const staged = alice.state;
    alice.state = before;
    // As after a crash that lost the used key.
    const own: Expected = { code: "ERR_MLS_STATE", requirement: "R-12.4.2-16" };
    await expectRefusal(alice, own, () => alice.receive(made.staged.commit));
    alice.state = staged;
    alice.adopt(made);
    const past: Expected = { code: "ERR_MLS_EPOCH", requirement: "R-12.4.2-1" };
    for (const message of [proposed.message, made.staged.commit]) {
      await expectRefusal(alice, past, () => alice.receive(message));
    }
    alice.state = before;
  });
});

test("handshakes and application data have ratchets of their own (R-6.3.1-4, R-9.1-4, R-12.4.2-2)", async () => {
  const { state, message } = await createProposal(alice.state, { proposalType: 3, removed: 2 }, alice);
  expect(state.secretTree).not.toBe(alice.state.secretTree);
  const opened = await bob.peek(message);
  const { message: application } = await createApplicationMessage(alice.state, utf8("zero"), alice);
  const { privateMessage: message2 } = decodeMessageOf("mls_private_message", application);
  const { outcomes } = await unprotectPrivate(bob.suite, [message2], {
    senderDataSecret: opened.state.secrets.senderDataSecret,
    secretTree: opened.state.secretTree,
    isMember: () => true,
    own: bob.state.leafIndex,
    limits: DEFAULT_LIMITS,
  });
  expect(outcomes).toMatchObject([{ generation: 0 }]);
});

test("sealing again from one state repeats no key and nonce, in either ratchet, nor after a reload (R-6.3.1-6, R-6.3.1-7, adversarial 11)", async () => {
  const used: string[] = [];
  const suite = watchingSeals(alice.suite, (key, nonce) => used.push([...key, ...nonce].join()));
  const reloaded = await decodeGroupState(encodeGroupState(alice.state));
  for (const state of [alice.state, reloaded].map((stored) => ({ ...stored, suite }))) {
    for (let i = 0; i < 8; i++) {
      await createApplicationMessage(state, utf8("again"), alice);
      await createProposal(state, { proposalType: 3, removed: 2 }, alice);
      await createCommit(state, { ...alice, forcePath: true });
    }
  }
  // Content and sender data of each.
  expect(used.length).toBe(2 * 8 * 3 * 2);
  expect(new Set(used).size).toBe(used.length);
});

test("only members send private messages (R-6.3.2-2, R-6-6, R-12.1.8-1, adversarial 17)", async () => {
  const authenticated = await signedContent(alice, hello, "mls_private_message");
  for (const sender of [
    { senderType: "external", senderIndex: 0 },
    { senderType: "new_member_proposal" },
    { senderType: "new_member_commit" },
  ] as const) {
    const content = { ...authenticated.content, sender };
    const { secrets, secretTree } = alice.state;
    expect(() =>
      protectPrivate(alice.suite, { ...authenticated, content }, { ...secrets, secretTree, padding: 0 }),
    ).toThrow(expect.objectContaining({ code: "ERR_MLS_SENDER", requirement: "R-6.3.2-2" }));
  }
});

test("authenticated data is authenticated, sent in clear, and bounded (R-6.3.1-10, R-6.3.1-11, adversarial 8)", async () => {
  const authenticatedData = utf8("in clear");
  const { message } = await createApplicationMessage(alice.state, utf8("x"), { ...alice, authenticatedData });
  expect(decodeMessageOf("mls_private_message", message).privateMessage.authenticatedData).toEqual(authenticatedData);
  await expect(bob.peek(message)).resolves.toMatchObject({ authenticatedData });

  const tooLong = new Uint8Array(2 ** 20);
  const expected: Expected = { code: "ERR_MLS_LIMIT", requirement: "R-6.3.1-10" };
  await expectRefusal(alice, expected, () =>
    createApplicationMessage(alice.state, utf8("x"), { ...alice, authenticatedData: tooLong }),
  );
  const framed = { authenticatedData: tooLong };
  await refused(await forgePrivate(alice, hello, { framed }), expected);
  await refused(
    await forgePublic(alice, { contentType: "proposal", proposal: { proposalType: 3, removed: 2 } }, { framed }),
    expected,
  );
  await refused((await forgeCommit(alice, { framed })).message, expected);
});

test("a message longer than the limit is not read (R-2.1.2-8)", async () => {
  const rules = testRules({ limits: { ...DEFAULT_LIMITS, messageBytes: 100 } });
  bob.rules = rules;
  await expectRefusal(bob, { code: "ERR_MLS_LIMIT", requirement: "R-2.1.2-8" }, () => bob.receive(genuine));
  bob.rules = testRules();
  await expect(bob.peek(genuine)).resolves.toMatchObject({ kind: "application" });
});

test("every bit of an encoded private message counts", async () => {
  const short = await forgePrivate(alice, hello);
  for (let i = 0; i < short.length; i += 7) {
    const flipped = short.map((byte, at) => (at === i ? byte ^ 0x10 : byte));
    await expectRefusal(bob, {}, () => bob.peek(flipped));
  }
  const { privateMessage } = decodeMessageOf("mls_private_message", short);
  expect(encodeMessage({ wireFormat: "mls_private_message", privateMessage })).toEqual(short);
});
