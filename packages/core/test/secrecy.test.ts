/** Secrets do not get into what is printed, logged or sent on (RFC 9420 §2, R-2-1). */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Bytes } from "../src/codec/bytes.ts";
import { toHex, utf8 } from "../src/codec/bytes.ts";
import { getCipherSuite } from "../src/crypto/cipher-suite.ts";
import { isCoppiceError } from "../src/errors.ts";
import { decodeMessageOf } from "../src/framing/mls-message.ts";
import { exportSecret } from "../src/group/export.ts";
import { joinGroup } from "../src/group/join.ts";
import { decodeGroupState, encodeGroupState } from "../src/group/serialise.ts";
import { epochSecretsOf } from "../src/state/group-state.ts";
import { editNode, forgeCommit } from "./support/forge-commit.ts";
import { forgePrivate, forgePublic } from "./support/forge-message.ts";
import { Group, Member, testRules } from "./support/group.ts";

/** Everything that the usual ways to print a value say of it, without spaces. */
function printed(value: unknown): string {
  const shown = inspect(value, {
    depth: Infinity,
    showHidden: true,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
  });
  const properties = typeof value === "object" && value !== null ? Object.getOwnPropertyNames(value) : [];
  return `${String(value)} ${shown} ${JSON.stringify(value)} ${properties.join()}`.replaceAll(/\s/gu, "");
}

/** The ways in which bytes are written. */
const forms = (secret: Bytes): string[] => [toHex(secret), Buffer.from(secret).toString("base64"), secret.join()];

const says = (text: string, secrets: readonly Bytes[]): boolean =>
  secrets.some((secret) => secret.length > 0 && forms(secret).some((form) => text.includes(form)));

describe("secrets (R-2-1, adversarial 14)", () => {
  test("are found by this test where they are", () => {
    const secret = Uint8Array.from({ length: 32 }, (_, i) => 7 * i);
    for (const value of [{ secret }, new Error(toHex(secret)), { deep: [{ secret: [...secret] }] }]) {
      expect(says(printed(value), [secret])).toBe(true);
    }
    expect(says(printed({ secret: "none" }), [secret])).toBe(false);
  });

  test("are not in errors, their details and causes, whatever was refused", async () => {
    const group = await Group.of(["alice", "bob", "carol"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    await group.chat(alice, "before");
    const newcomer = await Member.create("newcomer");
    const own = await newcomer.keyPackage();
    const { staged } = await alice.commit({ proposals: [{ proposalType: 1, keyPackage: own.keyPackage }] });
    const { welcome } = decodeMessageOf("mls_welcome", staged.welcome ?? new Uint8Array(0));
    const message = await alice.send("x");
    const hello = { contentType: "application", applicationData: utf8("hello") } as const;
    const stored = encodeGroupState(bob.state);
    const garbled = (bytes: Bytes, position: number): Bytes =>
      bytes.map((byte, i) => (i === bytes.length - position ? byte ^ 1 : byte));
    const failing = testRules({ authentication: { validate: () => Promise.reject(new Error("no")) } });

    const attempts: (() => Promise<unknown>)[] = [
      ...[1, 20, 60, 90].map((position) => () => bob.peek(garbled(message, position))),
      async () => bob.peek(await forgePrivate(alice, hello, { signer: newcomer.signer })),
      async () => bob.peek(await forgePrivate(alice, hello, { plaintext: (bytes) => bytes.slice(1) })),
      async () =>
        bob.peek(await forgePublic(alice, { contentType: "proposal", proposal: { proposalType: 3, removed: 9 } })),
      async () => bob.peek((await forgeCommit(alice, { auth: { confirmationTag: new Uint8Array(32) } })).message),
      async () => {
        const path: Parameters<typeof forgeCommit>[1] = {
          path: (made) => editNode(made, 0, (node) => ({ ...node, encryptedPathSecret: [] })),
        };
        return bob.peek((await forgeCommit(alice, path)).message);
      },
      () =>
        joinGroup(
          { ...welcome, encryptedGroupInfo: garbled(welcome.encryptedGroupInfo, 9) },
          { ...newcomer, keyPackage: own },
        ),
      () => joinGroup(welcome, { ...newcomer, rules: failing, keyPackage: own }),
      ...[1, 100, 400, 1000, 2000].map((position) => () => decodeGroupState(stored.slice(0, stored.length - position))),
      () => Promise.resolve().then(() => exportSecret(bob.state, { label: "x", context: utf8(""), length: 1e9 })),
      () => bob.commit({ proposals: [{ proposalType: 3, removed: 77 }] }),
    ];
    const secrets = [
      ...[alice, bob].flatMap(({ state }) => [...epochSecretsOf(state), ...state.resumptionPsks.values()]),
      ...[own.initPrivateKey, own.encryptionPrivateKey, alice.signaturePrivateKey, bob.signaturePrivateKey],
    ];
    for (const attempt of attempts) {
      const error: unknown = await attempt().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(isCoppiceError(error) || error instanceof RangeError).toBe(true);
      expect(says(printed(error), secrets)).toBe(false);
    }
  });

  test.each([1, 2, 4])("are not in what a signer of suite %i shows of itself", async (id) => {
    const { signer, signaturePrivateKey } = await Member.create("alice", { suite: await getCipherSuite(id) });
    expect(says(printed(signer), [signaturePrivateKey])).toBe(false);
    expect(says(printed(signer), [signer.publicKey])).toBe(true);
  });

  test("do not get out by way of JSON: a state and a key package refuse to be written as such", async () => {
    const alice = (await Group.of(["alice", "bob"])).member("alice");
    const own = await alice.keyPackage();
    for (const value of [alice.state, own]) expect(() => JSON.stringify(value)).toThrow(TypeError);
  });
});
