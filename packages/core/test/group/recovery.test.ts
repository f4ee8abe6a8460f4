/** Coming back after a Commit that only some members can process (RFC 9420 §16.12). */
import { describe, expect, test } from "vitest";
import { randomBytes } from "@coppice/kit";
import { isCoppiceError } from "../../src/errors.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import { joinGroup } from "../../src/group/join.ts";
import { reinitGroup } from "../../src/group/successor.ts";
import { editNode, forgeCommit } from "../support/forge-commit.ts";
import type { Member } from "../support/group.ts";
import { at, expectRefusal, Group, LIFETIME } from "../support/group.ts";

/** A group of four in which Mallory's Commit can be processed by everyone but Bob, who shares her first parent. */
async function lockBobOut(): Promise<{ group: Group; bob: Member; malformed: Uint8Array<ArrayBuffer> }> {
  const group = await Group.of(["mallory", "bob", "carol", "dave"]);
  const [mallory, bob, carol, dave] = [0, 1, 2, 3].map((i) => at(group.members, i));
  if (!mallory || !bob || !carol || !dave) throw new Error("four members");
  const { message } = await forgeCommit(mallory, {
    path: (path) =>
      editNode(path, 0, (node) => ({
        ...node,
        encryptedPathSecret: node.encryptedPathSecret.map(({ kemOutput, ciphertext }) => ({
          ...{ kemOutput, ciphertext: ciphertext.map((byte) => byte ^ 1) },
        })),
      })),
  });
  await carol.receive(message);
  await dave.receive(message);
  group.members = [carol, dave];
  group.expectAgreement();
  return { group, bob, malformed: message };
}

describe("a member whom a malformed Commit locked out (R-16.12-1)", () => {
  test("refuses it with an error that can be reported, and stays where it was", async () => {
    const { bob, malformed } = await lockBobOut();
    await expectRefusal(bob, { code: "ERR_MLS_AEAD" }, () => bob.peek(malformed));
    const error: unknown = await bob.peek(malformed).catch((reason: unknown) => reason);
    if (!isCoppiceError(error)) throw new TypeError("a CoppiceError");
    const { code, message, requirement, detail } = error;
    expect(structuredClone({ code, message, requirement, detail })).toMatchObject({ code: "ERR_MLS_AEAD" });
  });

  test("comes back by an external Commit in place of its old leaf, and Mallory can be removed", async () => {
    const { group, bob } = await lockBobOut();
    const [carol, dave] = [at(group.members, 0), at(group.members, 1)];
    const old = bob.state;
    await group.joinExternally(bob, { replaces: old.leafIndex });
    expect(bob.state.leafIndex).toBe(old.leafIndex);
    await group.chat(bob, "back again");
    await group.chat(dave, "welcome back");
    await group.commit(carol, { proposals: [{ proposalType: 3, removed: 0 }] });
    await group.chat(bob, "without Mallory");
  });

  test("can have the group reinitialised once it is back", async () => {
    const { group, bob } = await lockBobOut();
    await group.joinExternally(bob, { replaces: bob.state.leafIndex });
    await group.commit(bob, { proposals: [{ proposalType: 3, removed: 0 }] });
    const { suite, rules, signer, capabilities } = bob;
    const groupId = randomBytes(suite.hash.Nh);
    await group.commit(bob, {
      proposals: [{ proposalType: 5, groupId, version: 1, cipherSuite: suite.id, extensions: [] }],
    });
    const others = group.members.filter((member) => member !== bob);
    const packages = await Promise.all(others.map((member) => member.keyPackage()));
    const { state, welcome } = await reinitGroup(bob.state, {
      ...{ suite, rules, signer, capabilities, lifetime: LIFETIME, credential: basicCredential("bob") },
      keyPackages: packages.map(({ keyPackage }) => keyPackage),
    });
    for (const [i, member] of others.entries()) {
      const old = member.state;
      const options = { suite, rules: member.rules, keyPackage: at(packages, i), findGroup: () => old };
      member.state = (await joinGroup(decodeMessageOf("mls_welcome", welcome).welcome, options)).state;
    }
    bob.state = state;
    group.expectAgreement();
    await group.chat(bob, "from scratch");
  });
});
