/** Public keys of small order (RFC 7748 §6): refused before anyone seals to them. */
import { describe, expect, test } from "vitest";
import { EMPTY, fromHex } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { hasSmallOrder } from "../../src/crypto/small-order.ts";
import { forgeCommit } from "../support/forge-commit.ts";
import { forgeKeyPackage } from "../support/forge-join.ts";
import { expectForgeryRefused, expectRefusal, Group, Member } from "../support/group.ts";

const p25519 = 2n ** 255n - 19n;
const p448 = 2n ** 448n - 2n ** 224n - 1n;
/** Little-endian. */
const encoded = (value: bigint, length: number) => fromHex(value.toString(16).padStart(2 * length, "0")).reverse();

const ORDER_8 = [
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
];
const cases: [number, string, Uint8Array<ArrayBuffer>][] = [
  ...[0n, 1n, ...ORDER_8, p25519 - 1n, p25519, p25519 + 1n].flatMap((value): typeof cases => {
    const key = encoded(value, 32);
    const withTopBit = key.map((byte, i) => (i === 31 ? byte | 0x80 : byte));
    return [
      [1, value.toString(16), key],
      [1, `${value.toString(16)} with the top bit set`, withTopBit],
    ];
  }),
  ...[0n, 1n, p448 - 1n, p448, p448 + 1n].map((value): (typeof cases)[number] => [
    4,
    value.toString(16),
    encoded(value, 56),
  ]),
];

test.each(cases)("suite %i: %s (R-5.1.1-3, adversarial 15)", async (id, _, key) => {
  const { hpke } = await getCipherSuite(id);
  expect(hasSmallOrder(key)).toBe(true);
  await expect(hpke.validatePublicKey(key)).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO", requirement: "R-5.1.1-3" });
  // What the list says is what the key agreement finds.
  await expect(hpke.sealer(EMPTY)(key, EMPTY)).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO" });
});

test("keys that are made are not", async () => {
  for (const id of [1, 2, 4]) {
    const { hpke } = await getCipherSuite(id);
    for (let i = 0; i < 8; i++) expect(hasSmallOrder((await hpke.generateKeyPair()).publicKey)).toBe(false);
  }
  expect(hasSmallOrder(EMPTY)).toBe(false);
});

describe("a member with such a key would keep all others from committing", () => {
  test("so that its Add is refused, received and made (R-5.1.1-1, R-10-4, adversarial 15)", async () => {
    const group = await Group.of(["alice", "bob"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const genuine = (await alice.commit()).staged.commit;
    const { keyPackage } = await forgeKeyPackage(await Member.create("mallory"), {
      leaf: (leaf) => ({ ...leaf, encryptionKey: new Uint8Array(32) }),
    });
    const proposals = [{ proposalType: 1, keyPackage }] as const;
    const expected = { code: "ERR_MLS_LEAF_NODE", requirement: "R-5.1.1-1" } as const;
    const { message } = await forgeCommit(alice, { proposals, withPath: false });
    await expectForgeryRefused(bob, message, expected, genuine);
    await expectRefusal(alice, expected, () => alice.commit({ proposals }));
  });
});
