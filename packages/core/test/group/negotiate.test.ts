/** Choosing what a new group is (RFC 9420 §11), and advertising what is used (§7.2). */
import { describe, expect, test } from "vitest";
import { basicCredential } from "../../src/identity/credential.ts";
import { createGroup } from "../../src/group/create.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { createExternalCommit } from "../../src/group/external-join.ts";
import { checkBestSuite, negotiateGroup } from "../../src/group/negotiate.ts";
import { createUpdateProposal } from "../../src/group/send.ts";
import { withGreaseCapabilities } from "../../src/extensions/grease.ts";
import { createKeyPackage, verifyKeyPackage } from "../../src/framing/key-package.ts";
import type { Capabilities } from "../../src/extensions/capabilities.ts";
import { defaultCapabilities } from "../../src/extensions/capabilities.ts";
import { expectRefusal, Group, LIFETIME, Member } from "../support/group.ts";

const own = defaultCapabilities([7, 3, 1], { extensions: [0xf001, 0xf002], proposals: [0xf003] });

describe("the best group for some members (R-11-1)", () => {
  test("has the creator's most preferred suite that all have, whatever their order", () => {
    expect(negotiateGroup(own, []).cipherSuite).toBe(7);
    expect(negotiateGroup(own, [defaultCapabilities([1, 3, 7]), defaultCapabilities([3, 7])]).cipherSuite).toBe(7);
    expect(negotiateGroup(own, [defaultCapabilities([1, 3]), defaultCapabilities([1, 3, 7])]).cipherSuite).toBe(3);
    expect(negotiateGroup(own, [defaultCapabilities([2, 1])])).toMatchObject({ version: 1, cipherSuite: 1 });
  });

  test("may use what all of them list, and no GREASE, even if they all list the same", () => {
    const other = defaultCapabilities([1], { extensions: [0x0a0a, 0xf002], proposals: [0xf003, 0xf004] });
    const greased = Array.from({ length: 30 }, () => withGreaseCapabilities(other));
    expect(negotiateGroup(own, greased)).toEqual({
      ...{ version: 1, cipherSuite: 1, extensions: [0xf002], proposals: [0xf003], credentials: [1, 2] },
    });
  });

  test.each<[string, Partial<Capabilities>]>([
    ["suite", { cipherSuites: [2, 5] }],
    ["version", { versions: [2] }],
  ])("R-11-1: there is none without a common %s", (_, change) => {
    const other = { ...defaultCapabilities([1, 3, 7]), ...change };
    expect(() => negotiateGroup(own, [other])).toThrow(
      expect.objectContaining({ code: "ERR_MLS_CAPABILITIES", requirement: "R-11-1" }),
    );
  });

  test("R-11-2: a group of a lesser suite is refused: key packages of a weak suite do not hide the better ones", async () => {
    const alice = await Member.create("alice");
    await alice.found();
    const { suite, signer } = await Member.create("bob");
    // The server hands out Bob's key package of suite 1 only; he signed that he has suite 7 as well.
    const { keyPackage } = await createKeyPackage({
      ...{ suite, signer, credential: basicCredential("bob"), lifetime: LIFETIME },
      capabilities: defaultCapabilities([1, 7]),
    });
    await verifyKeyPackage(suite, keyPackage);
    const others = [keyPackage.leafNode.capabilities];
    await expectRefusal(alice, { code: "ERR_MLS_CAPABILITIES", requirement: "R-11-2" }, async () => {
      await Promise.resolve();
      checkBestSuite(alice.state.context, own, others);
    });
    checkBestSuite(alice.state.context, defaultCapabilities([1, 7]), others);
    checkBestSuite(alice.state.context, own, [defaultCapabilities([1])]);
    const later = { version: 0, cipherSuite: 7 };
    expect(() => {
      checkBestSuite(later, own, others);
    }).toThrow(expect.objectContaining({ requirement: "R-11-2", detail: { version: 1, cipherSuite: 7 } }));
  });
});

describe("capabilities list what is used (R-7.2-4)", () => {
  test("by default all that this library has, and what the application adds", () => {
    expect(own).toEqual({
      ...{ versions: [1], cipherSuites: [7, 3, 1], extensions: [0xf001, 0xf002], proposals: [0xf003] },
      credentials: [1, 2],
    });
  });

  const lacking: [string, Partial<Capabilities>][] = [
    ["suite", { cipherSuites: [2] }],
    ["version", { versions: [] }],
    ["credential type", { credentials: [2] }],
  ];

  test.each(lacking)("R-7.2-4: no leaf is made whose capabilities lack the %s in use", async (_, change) => {
    const group = await Group.of(["alice", "bob"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const capabilities = { ...alice.capabilities, ...change };
    const credential = basicCredential("alice");
    const { suite, signer, rules } = alice;
    const expected = { code: "ERR_MLS_CAPABILITIES", requirement: "R-7.2-4" } as const;
    const leaf = { capabilities };
    await expectRefusal(alice, expected, () => alice.commit({ leaf }));
    await expectRefusal(alice, expected, () => createUpdateProposal(alice.state, { rules, signer, leaf }));
    const identity = { suite, signer, rules, credential, capabilities, lifetime: LIFETIME };
    await expect(createKeyPackage(identity)).rejects.toMatchObject(expected);
    const info = await createGroupInfo(bob.state, bob.signer);
    await expect(createExternalCommit(info, identity)).rejects.toMatchObject(expected);
    await expect(createGroup(identity)).rejects.toMatchObject({ name: "CoppiceError" });
  });
});
