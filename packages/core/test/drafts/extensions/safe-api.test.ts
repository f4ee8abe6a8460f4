/** Keys, pre-shared keys, authenticated data and content of components (draft-ietf-mls-extensions-10 §4.2, §4.3, §4.5, §4.9, §6). */
import { describe, expect, test } from "vitest";
import { EMPTY, toHex, utf8 } from "../../../src/codec/bytes.ts";
import { appAck, encodeAppAck, isAcknowledged, readAppAck } from "../../../src/drafts/extensions/app-ack.ts";
import { appData, encodeComponents } from "../../../src/drafts/extensions/app-data.ts";
import { proposeAppData, proposeEphemeral } from "../../../src/drafts/extensions/app-data-update.ts";
import { ComponentId, componentLabel } from "../../../src/drafts/extensions/component.ts";
import { encodeMediaTypes, frameContent, readContent } from "../../../src/drafts/extensions/media-types.ts";
import { leafExtensions } from "../../../src/drafts/extensions/negotiation.ts";
import { proposePsk } from "../../../src/drafts/extensions/psk.ts";
import { encodeSafeAad, readSafeAad } from "../../../src/drafts/extensions/safe-aad.ts";
import {
  ownKeyPair,
  safeDecrypt,
  safeEncrypt,
  safeSign,
  safeVerify,
  withExternalKeyPair,
} from "../../../src/drafts/extensions/safe-keys.ts";
import { withExtensions } from "../../../src/drafts/extensions/with-extensions.ts";
import { createGroupInfo } from "../../../src/group/export.ts";
import { createExternalCommit } from "../../../src/group/external-join.ts";
import { createApplicationMessage, createProposal } from "../../../src/group/send.ts";
import { forgePrivate, forgePublic } from "../../support/forge-message.ts";
import { at, expectRefusal, Group, Member, testRules } from "../../support/group.ts";

const rules = withExtensions(testRules(), { components: [appAck] });
const options = { rules, leafExtensions: leafExtensions({ components: [ComponentId.appAck], safeAad: [0x8001] }) };
const group = await Group.of(["alice", "bob"], options);
const [alice, bob] = [group.member("alice"), group.member("bob")];
const { suite } = alice;

describe("keys (§4.2, §4.3)", () => {
  const operation = { componentId: 0x8001, label: "receipt" };
  const content = utf8("paid");

  test("the label is the encoded ComponentOperationLabel", () => {
    const expected = "0d4d4c5320436f6d706f6e656e7480010472656365".slice(0, 34);
    expect(toHex(componentLabel({ componentId: 0x8001, label: "rece" })).startsWith(expected)).toBe(true);
    expect(toHex(componentLabel(operation))).toBe(`0d${toHex(utf8("MLS Component"))}800107${toHex(utf8("receipt"))}`);
  });

  test("X-4.3-1: a signature holds for its component, label, content and key alone", async () => {
    const signature = await safeSign(alice.signer, { ...operation, content });
    const good = { ...operation, content, signature, publicKey: alice.signer.publicKey };
    await safeVerify(suite, good);
    const bad = [
      { componentId: 0x8002 },
      { label: "receip" },
      { content: utf8("Paid") },
      { publicKey: bob.signer.publicKey },
    ];
    for (const change of bad) {
      await expect(safeVerify(suite, { ...good, ...change })).rejects.toMatchObject({
        code: "ERR_MLS_SIGNATURE",
        requirement: "X-4.3-1",
      });
    }
  });

  test("X-4.2-1: what is sealed opens for its component, label, context and key alone", async () => {
    const context = utf8("about");
    const publicKey = bob.state.tree.findLeaf(bob.state.leafIndex)?.encryptionKey ?? EMPTY;
    const sealed = await safeEncrypt(suite, publicKey, { ...operation, context, plaintext: content });
    const keys = ownKeyPair(bob.state);
    expect(await safeDecrypt(suite, keys, { ...operation, context, sealed })).toEqual(content);
    const bad = [{ componentId: 1 }, { label: "x" }, { context: EMPTY }];
    for (const change of bad) {
      await expect(safeDecrypt(suite, keys, { ...operation, context, sealed, ...change })).rejects.toMatchObject({
        code: "ERR_MLS_AEAD",
      });
    }
    await expect(safeDecrypt(suite, ownKeyPair(alice.state), { ...operation, context, sealed })).rejects.toMatchObject({
      code: "ERR_MLS_AEAD",
    });
  });

  test("the external key pair of an epoch is that of all members", async () => {
    const context = EMPTY;
    const publicKey = await withExternalKeyPair(alice.state, (keys) => Promise.resolve(keys.publicKey));
    const sealed = await safeEncrypt(suite, publicKey, { ...operation, context, plaintext: content });
    const opened = await withExternalKeyPair(bob.state, (keys) =>
      safeDecrypt(suite, keys, { ...operation, context, sealed }),
    );
    expect(opened).toEqual(content);
  });
});

describe("pre-shared keys (§4.5)", () => {
  const withPsk = (psk: Uint8Array | undefined): typeof rules => ({
    ...rules,
    findPsk: (id) => Promise.resolve(id.pskType === "application" && id.componentId === 0x8001 ? psk : undefined),
  });

  test("members who agree on a component's key go on; others cannot, nor who joins without it", async () => {
    const proposals = [proposePsk(suite, 0x8001, utf8("file"))];
    const made = await alice.commit({ rules: withPsk(utf8("secret")), proposals });
    const peek = (psk: Uint8Array | undefined): Promise<unknown> => {
      bob.rules = withPsk(psk);
      return bob.peek(made.staged.commit).finally(() => {
        bob.rules = rules;
      });
    };
    await peek(utf8("secret"));
    await expectRefusal(bob, { code: "ERR_MLS_PSK", requirement: "R-12.4.2-5" }, () => peek(undefined));
    await expectRefusal(bob, { code: "ERR_MLS_CONFIRMATION" }, () => peek(utf8("other")));
  });

  test("a component's key is not the external one of the same id, and its id is bounded", async () => {
    const psk = { pskType: "external", pskId: utf8("file"), pskNonce: new Uint8Array(32) } as const;
    const same = proposePsk(suite, 0x8001, utf8("file"));
    const made = await alice.commit({
      rules: { ...rules, findPsk: () => Promise.resolve(utf8("secret")) },
      proposals: [same, { proposalType: 4, psk }],
    });
    expect(made.staged.next.context.epoch).toBe(2n);
    const long = proposePsk(suite, 0x8001, new Uint8Array(2000));
    await expectRefusal(alice, { code: "ERR_MLS_LIMIT" }, () => alice.commit({ proposals: [long] }));
    await expectRefusal(alice, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-8" }, () =>
      alice.commit({ proposals: [same, same] }),
    );
  });

  test("one who joins by external Commit brings one along", async () => {
    const known = withPsk(utf8("secret"));
    for (const member of group.members) member.rules = known;
    const dave = await Member.create("dave", options);
    dave.leafExtensions = options.leafExtensions;
    await group.joinExternally(dave, { psks: [{ componentId: 0x8001, pskId: utf8("p"), psk: utf8("secret") }] });
    for (const member of group.members) member.rules = rules;
    expect(group.members).toHaveLength(3);
  });
});

describe("safe AAD (§4.9)", () => {
  const authenticatedData = encodeSafeAad(new Map());
  const framedGroup = async (): Promise<Group> => {
    const extensions = [appData(new Map([[ComponentId.safeAad, encodeComponents([0x8001])]]))];
    const made = await Group.of(["ann"], { ...options, extensions });
    const ben = await Member.create("ben", options);
    ben.leafExtensions = options.leafExtensions;
    await made.add(made.member("ann"), [ben], { authenticatedData });
    return made;
  };
  const items = encodeSafeAad(
    new Map([
      [0x8002, utf8("b")],
      [0x8001, utf8("a")],
    ]),
  );

  test("items are sorted, and read by their ids", () => {
    expect([...readSafeAad(items)]).toEqual([
      [0x8001, utf8("a")],
      [0x8002, utf8("b")],
    ]);
    expect(encodeSafeAad(new Map())).toEqual(Uint8Array.of(0));
  });

  test("messages, proposals, Commits and external Commits carry them", async () => {
    const group = await framedGroup();
    const [ann, ben] = [group.member("ann"), group.member("ben")];
    const sent = await createApplicationMessage(ann.state, utf8("hi"), { ...ann, authenticatedData: items });
    const received = await ben.peek(sent.message);
    expect(readSafeAad(received.authenticatedData).get(0x8001)).toEqual(utf8("a"));
    await group.commit(ann, { authenticatedData });
    const dave = await Member.create("dave", options);
    dave.leafExtensions = options.leafExtensions;
    await group.joinExternally(dave, { authenticatedData });
    expect(group.members).toHaveLength(3);
  });

  test.each([
    ["none at all", EMPTY],
    ["what is no SafeAAD", utf8("hello")],
    ["two items of one id", Uint8Array.of(6, 0x80, 1, 0, 0x80, 1, 0)],
    ["items in another order", Uint8Array.of(6, 0x80, 2, 0, 0x80, 1, 0)],
    ["a SafeAAD and more", Uint8Array.of(0, 0)],
  ])("X-4.9-1: %s is refused, sent and received", async (_, bad) => {
    const group = await framedGroup();
    const [ann, ben] = [group.member("ann"), group.member("ben")];
    const expected = { code: "ERR_MLS_DECODE", requirement: "X-4.9-1" } as const;
    await expectRefusal(ann, expected, () => ann.commit({ authenticatedData: bad }));
    await expectRefusal(ann, expected, () =>
      createProposal(ann.state, { proposalType: 3, removed: 1 }, { ...ann, authenticatedData: bad }),
    );
    await expectRefusal(ann, expected, () =>
      createApplicationMessage(ann.state, utf8("x"), { ...ann, authenticatedData: bad }),
    );
    const dave = await Member.create("dave", options);
    const info = await createGroupInfo(ann.state, ann.signer);
    await expectRefusal(ann, expected, () =>
      createExternalCommit(info, {
        ...dave,
        capabilities: dave.capabilities,
        leafExtensions: options.leafExtensions,
        authenticatedData: bad,
      }),
    );
    const edits = { framed: { authenticatedData: bad } };
    const data = await forgePrivate(ann, { contentType: "application", applicationData: utf8("x") }, edits);
    await expectRefusal(ben, expected, () => ben.peek(data));
    const remove = { contentType: "proposal", proposal: { proposalType: 3, removed: 0 } } as const;
    const open = await forgePublic(ann, remove, edits);
    await expectRefusal(ben, expected, () => ben.peek(open));
  });

  test("a group without the component takes any data", async () => {
    const sent = await createApplicationMessage(alice.state, utf8("hi"), { ...alice, authenticatedData: utf8("free") });
    expect((await bob.peek(sent.message)).authenticatedData).toEqual(utf8("free"));
  });
});

describe("AppAck (§6.1)", () => {
  test("says which messages arrived, and what is missing shows", async () => {
    const small = await Group.of(["ann", "ben"], options);
    const [ann, ben] = [small.member("ann"), small.member("ben")];
    const received = [];
    for (const text of ["0", "1", "2", "3"]) {
      const message = await ann.send(text);
      if (text !== "2") received.push(await ben.receive(message));
    }
    const opened = received.flatMap((one) => (one.kind === "application" ? [one] : []));
    const proposals = [proposeEphemeral(ComponentId.appAck, encodeAppAck(opened))];
    const made = await ben.commit({ proposals });
    const seen = await ann.receive(made.staged.commit);
    const [covered] = seen.kind === "commit" ? seen.effect.custom : [];
    const ranges = readAppAck(covered?.proposal.data.slice(3) ?? EMPTY);
    expect(ranges).toEqual([
      { sender: 0, firstGeneration: 0, lastGeneration: 1 },
      { sender: 0, firstGeneration: 3, lastGeneration: 3 },
    ]);
    const answers = [0, 1, 2, 3, 4].map((generation) => isAcknowledged(ranges, { sender: 0, generation }));
    expect(answers).toEqual([true, true, false, true, false]);
    expect(isAcknowledged(ranges, { sender: 1, generation: 0 })).toBe(false);
  });

  test("X-6.1-1: a range that ends before it begins is refused, and what is no AppAck", async () => {
    const reversed = Uint8Array.from([12, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]);
    expect(() => readAppAck(reversed)).toThrow(
      expect.objectContaining({ code: "ERR_MLS_DECODE", requirement: "X-6.1-1" }),
    );
    for (const data of [reversed, utf8("?")]) {
      await expectRefusal(alice, { code: "ERR_MLS_PROPOSAL", requirement: "X-4.8-2" }, () =>
        alice.commit({ proposals: [proposeEphemeral(ComponentId.appAck, data)] }),
      );
    }
  });
});

describe("content advertisement (§6.2)", () => {
  const text = { type: "text/plain", parameters: [{ name: "charset", value: "UTF-8" }] };
  const image = { type: "image/png", parameters: [] };
  const framed = { extensions: [appData(new Map([[ComponentId.contentMediaTypes, encodeMediaTypes([text, image])]]))] };

  test("framed content has its type, or the group's first one", () => {
    expect(readContent(framed, frameContent({ content: utf8("a") }))).toEqual({ mediaType: text, content: utf8("a") });
    expect(readContent(framed, frameContent({ mediaType: image, content: EMPTY })).mediaType).toEqual(image);
    expect(readContent({ extensions: [] }, utf8("a"))).toEqual({ mediaType: undefined, content: utf8("a") });
    expect(toHex(frameContent({ mediaType: image, content: utf8("x") }))).toBe(`09${toHex(utf8("image/png"))}000178`);
  });

  test.each([
    ["X-6.2-2", "data that are not framed", () => readContent(framed, utf8("hello, all of you"))],
    ["X-6.2-2", "data after the framing", () => readContent(framed, Uint8Array.of(0, 0, 0, 0))],
    ["X-6.2-1", "an empty list of types", () => encodeMediaTypes([])],
  ])("%s: %s are refused", (requirement, _, attempt) => {
    expect(attempt).toThrow(expect.objectContaining({ code: "ERR_MLS_DECODE", requirement }));
  });

  test("X-6.2-3: a group requires only what all members read, without regard to case", async () => {
    const reads = leafExtensions({ components: [], mediaTypes: [{ ...text, type: "TEXT/plain" }] });
    const small = await Group.of(["ann", "ben"], { rules, leafExtensions: reads });
    const ann = small.member("ann");
    const require = (types: (typeof text | typeof image)[]): Promise<unknown> =>
      ann.commit({ proposals: [proposeAppData(ComponentId.contentMediaTypes, encodeMediaTypes(types))] });
    await expectRefusal(ann, { code: "ERR_MLS_CAPABILITIES", requirement: "X-6.2-3" }, () => require([text, image]));
    await require([text]);
    expect(at(small.members, 0)).toBe(ann);
  });
});
