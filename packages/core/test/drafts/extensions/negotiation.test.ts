/** What groups require of members (draft-ietf-mls-extensions-10 §5). */
import { expect, test } from "vitest";
import type { Bytes } from "../../../src/codec/bytes.ts";
import { appData, encodeComponents, readAppData, readComponents } from "../../../src/drafts/extensions/app-data.ts";
import { ComponentId, DraftExtensionType } from "../../../src/drafts/extensions/component.ts";
import { encodeMediaTypes } from "../../../src/drafts/extensions/media-types.ts";
import {
  leafExtensions,
  readWireFormats,
  requiredWireFormats,
  supported,
} from "../../../src/drafts/extensions/negotiation.ts";
import { withExtensions } from "../../../src/drafts/extensions/with-extensions.ts";
import type { Extension } from "../../../src/extensions/extension.ts";
import { forgeCommit } from "../../support/forge-commit.ts";
import { expectRefusal, Group, Member, testRules } from "../../support/group.ts";

const NOTES = 0x8001;
const text = { type: "text/plain", parameters: [] };
const rules = withExtensions(testRules(), { components: [{ componentId: NOTES }] });
const able = leafExtensions({ components: [NOTES], safeAad: [NOTES], mediaTypes: [text], wireFormats: [7] });
const data = (id: number, bytes: Bytes): Extension[] => [appData(new Map([[id, bytes]]))];

const requirements: readonly (readonly [string, string, readonly Extension[]])[] = [
  ["X-5-1", "component", data(ComponentId.appComponents, encodeComponents([NOTES]))],
  ["X-5-2", "component of safe AAD", data(ComponentId.safeAad, encodeComponents([NOTES]))],
  ["X-5-3", "wire format", [requiredWireFormats([7])]],
  ["X-6.2-3", "media type", data(ComponentId.contentMediaTypes, encodeMediaTypes([text]))],
];

test.each(requirements)("%s: a required %s is one that every leaf lists", async (requirement, _, extensions) => {
  const expected = { code: "ERR_MLS_CAPABILITIES", requirement } as const;
  const authenticatedData = Uint8Array.of(0);
  const group = await Group.of(["alice"], { rules, leafExtensions: able, extensions });
  const alice = group.member("alice");
  const bob = await Member.create("bob", { rules });
  bob.leafExtensions = able;
  await group.add(alice, [bob], { authenticatedData });

  // An Add of one who does not, made and received.
  const dave = await Member.create("dave", { rules });
  dave.leafExtensions = leafExtensions({ components: [] });
  const { keyPackage } = await dave.keyPackage();
  const add = { proposalType: 1, keyPackage } as const;
  await expectRefusal(alice, expected, () => alice.commit({ proposals: [add], authenticatedData }));
  const { message } = await forgeCommit(alice, { proposals: [add], framed: { authenticatedData } });
  await expectRefusal(bob, expected, () => bob.peek(message));

  // A join from outside, and a leaf that no longer says so.
  await expectRefusal(alice, expected, () => group.joinExternally(dave, { authenticatedData }));
  await expectRefusal(alice, expected, () =>
    alice.commit({ authenticatedData, leaf: { extensions: dave.leafExtensions } }),
  );
  // A founder who does not.
  await expect(Group.of(["carol"], { rules, extensions, leafExtensions: dave.leafExtensions })).rejects.toMatchObject(
    expected,
  );
});

test("app_components and safe_aad are understood by whoever supports the extension (§4.6)", async () => {
  const extensions = data(ComponentId.appComponents, encodeComponents([1, 2]));
  await expect(Group.of(["alice"], { rules, extensions })).resolves.toBeDefined();
});

test("a leaf lists what it supports, with GREASE in its lists (X-5.1-1, X-5.1-2)", () => {
  const leaf = readAppData(able);
  const listed = readComponents(leaf.get(ComponentId.appComponents));
  expect(listed.slice(0, 4)).toEqual([1, 2, 3, NOTES]);
  expect(listed).toHaveLength(5);
  expect((listed[4] ?? 0) & 0x0f0f).toBe(0x0a0a);
  expect(readComponents(leaf.get(ComponentId.safeAad))).toHaveLength(2);
  expect(readWireFormats(able, DraftExtensionType.supportedWireFormats)).toEqual([7]);
  expect(readWireFormats([], DraftExtensionType.requiredWireFormats)).toEqual([]);
  expect(supported).toEqual({ extensions: [6, 7, 8], proposals: [8, 9, 10] });
});

test("R-12.1.7-3: a group has data of components only if all members support the extension", async () => {
  const old = await Member.create("old");
  const group = await Group.of(["alice", "bob"], { rules, leafExtensions: able });
  await group.add(group.member("alice"), [old]);
  const change = { proposalType: 7, extensions: data(NOTES, encodeComponents([])) } as const;
  const alice = group.member("alice");
  await expectRefusal(alice, { code: "ERR_MLS_CAPABILITIES", requirement: "R-12.1.7-3" }, () =>
    alice.commit({ proposals: [change] }),
  );
});
