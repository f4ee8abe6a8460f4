/** What RFC 9420 leaves to applications: docs/security.md says it, and what can be tested about it is tested here. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { randomBytes } from "@coppice/kit";
import { concat, toHex, utf8 } from "../src/codec/bytes.ts";
import { basicCredential } from "../src/identity/credential.ts";
import { getCipherSuite, SUPPORTED_CIPHER_SUITES } from "../src/crypto/cipher-suite.ts";
import { decodeMessage, decodeMessageOf, encodeMessage } from "../src/framing/mls-message.ts";
import { createGroupInfo, exportSecret } from "../src/group/export.ts";
import { createApplicationMessage } from "../src/group/send.ts";
import type { Rules } from "../src/rules.ts";
import { expectRefusal, Group, Member, TEST_EXTENSION, testRules } from "./support/group.ts";

const page = readFileSync(new URL("../../../docs/security.md", import.meta.url), "utf8");

test.each([
  ...["R-3.2-1", "R-3.2-2", "R-5.3.2-3", "R-8.5-2", "R-11-1", "R-11-2", "R-15.1-1", "R-15.2-1"],
  ...["R-16.1-1", "R-16.3-1", "R-16.4-1", "R-16.6-2", "R-16.12-1"],
  ...["R-2-1", "R-9.2-1", "R-12.1.7-1", "R-12.1.8-4", "R-14-2"],
])("%s has its paragraph in docs/security.md", (requirement) => {
  expect(page).toContain(requirement);
});

test("R-5.3.2-3: a member with an expired credential renews it, or others remove it", async () => {
  /** Refuses the old credentials of bob and carol. */
  const expired: Rules["authentication"] = {
    validate: ({ credential }) =>
      credential.credentialType === 1 && ["bob", "carol"].includes(new TextDecoder().decode(credential.identity))
        ? Promise.reject(new Error("expired"))
        : Promise.resolve(),
    sameIdentity: () => true,
  };
  const group = await Group.of(["alice", "bob", "carol"]);
  const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
  for (const member of group.members) member.rules = testRules({ authentication: expired });
  const unrenewed = await carol.commit();
  await expectRefusal(alice, { code: "ERR_MLS_CREDENTIAL" }, () => alice.peek(unrenewed.staged.commit));
  await group.commit(bob, { leaf: { credential: basicCredential("bob, again") } });
  await group.commit(alice, { proposals: [{ proposalType: 3, removed: carol.state.leafIndex }] });
  await group.chat(bob, "renewed");
});

test("R-8.5-2: secrets of different labels have nothing in common, those of one label are one", async () => {
  const { state } = (await Group.of(["alice", "bob"])).member("alice");
  const secret = (label: string): string => toHex(exportSecret(state, { label, context: utf8("c"), length: 32 }));
  const labels = ["example.org file", "example.org call", "example.com file"];
  expect(new Set(labels.map(secret)).size).toBe(3);
  expect(secret("example.org file")).toBe(secret("example.org file"));
});

describe("R-16.3-1: the AEAD of every suite", () => {
  test.each(SUPPORTED_CIPHER_SUITES)(
    "is AES-GCM or ChaCha20-Poly1305, and opens nothing that was changed (suite %i)",
    async (id) => {
      const { name, aead } = await getCipherSuite(id);
      expect(name).toMatch(/_(AES128GCM|AES256GCM|CHACHA20POLY1305)_/u);
      const [key, nonce, aad] = [randomBytes(aead.Nk), randomBytes(aead.Nn), utf8("aad")];
      const sealed = await aead.seal(key, nonce, aad, utf8("plaintext"));
      await expect(aead.open(key, nonce, aad, sealed)).resolves.toEqual(utf8("plaintext"));
      for (let i = 0; i < sealed.length; i++) {
        const changed = sealed.map((byte, at) => (at === i ? byte ^ 0x40 : byte));
        await expect(aead.open(key, nonce, aad, changed)).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
      }
      await expect(aead.open(key, nonce, utf8("other"), sealed)).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
    },
  );

  test.each([0, 8, 0x0a0a, 0xf000, 0xffff])("is none of ours for suite %i", async (id) => {
    await expect(getCipherSuite(id)).rejects.toMatchObject({ code: "ERR_MLS_VERSION", requirement: "R-5.1-1" });
  });
});

describe("what is in clear, and what is not (R-16.4-1, R-6.3.1-11)", () => {
  const contains = (bytes: Uint8Array, text: string): boolean =>
    toHex(new Uint8Array(bytes)).includes(toHex(utf8(text)));

  test("of private messages: group, epoch, kind and authenticated data", async () => {
    const group = await Group.of(["alice", "bob"]);
    const alice = group.member("alice");
    const { message } = await createApplicationMessage(alice.state, utf8("the content"), {
      ...{ rules: alice.rules, signer: alice.signer, authenticatedData: utf8("seen by all") },
    });
    const { groupId, epoch } = alice.state.context;
    expect(decodeMessageOf("mls_private_message", message).privateMessage).toMatchObject({
      ...{ groupId, epoch, contentType: "application", authenticatedData: utf8("seen by all") },
    });
    expect(contains(message, "the content")).toBe(false);
    const handshake = (
      await alice.commit({
        leaf: { extensions: [{ extensionType: TEST_EXTENSION, extensionData: utf8("a new name") }] },
      })
    ).staged.commit;
    expect(decodeMessage(handshake)).toMatchObject({ privateMessage: { contentType: "commit" } });
    expect(contains(handshake, "a new name")).toBe(false);
  });

  test("all of public messages, key packages and GroupInfos; of a Welcome, suite and references", async () => {
    const group = await Group.of(["alice", "bob"]);
    const [alice, carol] = [group.member("alice"), await Member.create("carol")];
    const info = await createGroupInfo(alice.state, alice.signer);
    expect(
      ["alice", "bob"].every((name) =>
        contains(encodeMessage({ wireFormat: "mls_group_info", groupInfo: info }), name),
      ),
    ).toBe(true);
    const { keyPackage, ref } = await carol.keyPackage();
    expect(contains(encodeMessage({ wireFormat: "mls_key_package", keyPackage }), "carol")).toBe(true);
    const proposals = [{ proposalType: 1, keyPackage }] as const;
    const { commit, welcome } = (await alice.commit({ proposals, wireFormat: "mls_public_message" })).staged;
    expect(contains(commit, "carol")).toBe(true);
    const sealed = decodeMessageOf("mls_welcome", welcome ?? concat()).welcome;
    expect([sealed.cipherSuite, sealed.secrets.map(({ newMember }) => newMember)]).toEqual([1, [ref]]);
    expect(["alice", "bob", "carol"].some((name) => contains(welcome ?? concat(), name))).toBe(false);
  });
});
