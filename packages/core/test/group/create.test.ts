/** Creating a group (RFC 9420 §11). */
import { expect, test } from "vitest";
import { toHex, utf8 } from "../../src/codec/bytes.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { createGroup } from "../../src/group/create.ts";
import { encodeGroupState } from "../../src/group/serialise.ts";
import { LIFETIME, Member, TEST_EXTENSION } from "../support/group.ts";

test("a group has its own copies of id, extensions and credential: what the caller does to its buffers changes nothing (R-11-3)", async () => {
  const { suite, rules, signer, capabilities } = await Member.create("alice");
  // Of a Buffer, `slice` is no copy.
  const [groupId, credential] = [Buffer.from("group"), basicCredential("alice")];
  const list = (text: string) => [{ extensionType: TEST_EXTENSION, extensionData: utf8(text) }];
  const [extensions, leafExtensions] = [list("of the group"), list("of the leaf")];
  const options = { suite, rules, signer, capabilities, credential, groupId, extensions, leafExtensions };
  const state = await createGroup({ ...options, lifetime: LIFETIME });
  const before = toHex(encodeGroupState(state));
  groupId.fill(0);
  credential.identity.fill(0);
  for (const { extensionData } of [...extensions, ...leafExtensions]) extensionData.fill(0);
  expect(toHex(encodeGroupState(state))).toBe(before);
  expect(state.context.groupId).toEqual(utf8("group"));
});

test("an extension that is given twice is refused (R-13.4-3)", async () => {
  const { suite, rules, signer, capabilities } = await Member.create("alice");
  const extension = { extensionType: TEST_EXTENSION, extensionData: utf8("x") };
  const twice = [extension, extension];
  const options = { suite, rules, signer, capabilities, credential: basicCredential("alice"), lifetime: LIFETIME };
  const refusal = { code: "ERR_MLS_DECODE", requirement: "R-13.4-3" };
  await expect(createGroup({ ...options, extensions: twice })).rejects.toMatchObject(refusal);
  await expect(createGroup({ ...options, leafExtensions: twice })).rejects.toMatchObject(refusal);
});
