/** Members whose cryptography comes from different places judge alike, so that no message splits a group (adversarial 49). */
import type { EdwardsPoint } from "@noble/curves/abstract/edwards.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, fromHex } from "../../src/codec/bytes.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { externalSenders, ExtensionType, makeExtension } from "../../src/extensions/extension.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { littleEndian, toInteger } from "../support/edges/case.ts";
import { forgeCommit } from "../support/forge-commit.ts";
import { forgeKeyPackage } from "../support/forge-join.ts";
import { at, expectForgeryRefused, expectRefusal, Group, LIFETIME, Member, testRules } from "../support/group.ts";
import { PLATFORMS, suiteWhere } from "../support/platforms.ts";
import { createGroup } from "../../src/group/create.ts";
import { basicCredential } from "../../src/identity/credential.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** One member for each platform, who all follow each other. */
async function mixedGroup(): Promise<Group> {
  const [founder, ...others] = await Promise.all(
    PLATFORMS.map(async (platform) => Member.create(platform, { suite: await suiteWhere(1, platform) })),
  );
  if (founder === undefined) throw new Error("there are platforms");
  await founder.found();
  const group = Group.joined([founder]);
  await group.add(founder, others);
  return group;
}

/** Signs with R = r·B + T: valid if both sides are multiplied by the cofactor, and not otherwise. */
function mixedOrderSigner(seed: Bytes, torsion: EdwardsPoint): Signer {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const publicKey = pointBytes as Bytes;
  return {
    publicKey,
    sign: (message) => {
      const R = ed25519.Point.BASE.multiply(7n).add(torsion).toBytes();
      const k = toInteger(sha512(concat(R, publicKey, message)).toReversed());
      return Promise.resolve(concat(R, littleEndian((7n + k * scalar) % ed25519.Point.Fn.ORDER, 32)));
    },
  };
}

const ORDER_8 = ed25519.Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");

describe("a group of all platforms", () => {
  test("lives like any other", async () => {
    const group = await mixedGroup();
    for (const member of [...group.members]) {
      await group.commit(member, { forcePath: true });
      await group.chat(member, `from ${member.name}`);
    }
  });

  test("refuses a Commit that a cofactor would make valid, all alike (R-6.1-8, R-7.3-3)", async () => {
    const group = await mixedGroup();
    const [sender, ...receivers] = group.members;
    if (sender === undefined) throw new Error("there are members");
    const genuine = (await sender.commit()).staged.commit;
    const signer = mixedOrderSigner(sender.signaturePrivateKey, ORDER_8);
    expect(signer.publicKey).toEqual(sender.signer.publicKey);
    const framing = (await forgeCommit(sender, { signer })).message;
    const leaf = (await forgeCommit(sender, { leafSigner: signer })).message;
    for (const receiver of receivers) {
      await expectForgeryRefused(receiver, framing, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" }, genuine);
      await expectForgeryRefused(receiver, leaf, { code: "ERR_MLS_SIGNATURE", requirement: "R-7.3-3" }, genuine);
    }
  });
});

/** The neutral element: R = r·B and S = r are a signature of everything. */
const NEUTRAL = fromHex(`01${"00".repeat(31)}`);
const neutralSigner: Signer = {
  publicKey: NEUTRAL,
  sign: () => Promise.resolve(concat(ed25519.Point.BASE.toBytes(), littleEndian(1n, 32))),
};

describe("a signature key that signs everything", () => {
  const expected = { code: "ERR_MLS_LEAF_NODE", requirement: "R-5.1.1-2" } as const;

  test("is no leaf's, in an Add or in a path, and no creator's (R-5.1.1-2, R-10-4)", async () => {
    const group = await Group.of(["alice", "bob"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const genuine = (await alice.commit()).staged.commit;
    const mallory = Object.create(await Member.create("mallory"), { signer: { value: neutralSigner } }) as Member;
    const { keyPackage } = await forgeKeyPackage(mallory);
    const proposals: Proposal[] = [{ proposalType: 1, keyPackage }];
    const added = await forgeCommit(alice, { proposals, withPath: false });
    await expectForgeryRefused(bob, added.message, expected, genuine);
    await expectRefusal(alice, expected, () => alice.commit({ proposals }));
    const replaced = await forgeCommit(alice, { leafSigner: neutralSigner });
    await expectForgeryRefused(bob, replaced.message, expected, genuine);
    await expect(mallory.found()).rejects.toMatchObject(expected);
  });

  test("is no external sender's (R-5.1.1-2)", async () => {
    const listed = { signatureKey: NEUTRAL, credential: basicCredential("a server") };
    const extensions = [makeExtension(ExtensionType.externalSenders, externalSenders, [listed])];
    const refused = { code: "ERR_MLS_CREDENTIAL", requirement: "R-5.1.1-2", detail: { senderIndex: 0 } } as const;
    const group = await Group.of(["alice", "bob"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const genuine = (await alice.commit()).staged.commit;
    const proposals: Proposal[] = [{ proposalType: 7, extensions }];
    await expectForgeryRefused(bob, (await forgeCommit(alice, { proposals })).message, refused, genuine);
    await expectRefusal(alice, refused, () => alice.commit({ proposals }));
    const { suite, signer, capabilities } = at(group.members, 0);
    const founding = { suite, signer, capabilities, credential: basicCredential("alice"), lifetime: LIFETIME };
    await expect(createGroup({ ...founding, rules: testRules(), extensions })).rejects.toMatchObject(refused);
  });
});
