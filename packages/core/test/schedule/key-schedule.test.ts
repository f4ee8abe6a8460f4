/** The key schedule, transcript hashes, pre-shared keys and the exporter (RFC 9420 §8). The vectors check the values. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, EMPTY, toHex, utf8 } from "../../src/codec/bytes.ts";
import { encode } from "../../src/codec/codec.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { createGroupInfo, exportSecret } from "../../src/group/export.ts";
import type { GroupContext } from "../../src/schedule/group-context.ts";
import { groupContext } from "../../src/schedule/group-context.ts";
import { computeEpochSecrets, computeJoinerSecret, computeWelcomeSecret } from "../../src/schedule/key-schedule.ts";
import type { PreSharedKey } from "../../src/schedule/psk.ts";
import { computePskSecret } from "../../src/schedule/psk.ts";
import {
  computeConfirmationTag,
  confirmedTranscriptHash,
  interimTranscriptHash,
  verifyConfirmationTag,
} from "../../src/schedule/transcript-hash.ts";
import { Group, testRules } from "../support/group.ts";

const suite = await getCipherSuite(1);
const { hash } = suite;
const zero = new Uint8Array(hash.Nh);
const filled = (byte: number): Bytes => new Uint8Array(hash.Nh).fill(byte);
const context: GroupContext = {
  version: 1,
  cipherSuite: 1,
  groupId: utf8("group"),
  epoch: 7n,
  treeHash: filled(1),
  confirmedTranscriptHash: filled(2),
  extensions: [],
};
const derive = (secret: Bytes, label: string): Bytes => hash.expandWithLabel(secret, label, EMPTY, hash.Nh);

describe("the secrets of an epoch", () => {
  const [initSecret, commitSecret, pskSecret] = [filled(3), filled(4), filled(5)];
  const encoded = encode(groupContext, context);

  test("follow the figure of §8: the chain is the salt, what is mixed in the keying material (R-8-1, R-8-2, R-8-3, R-8-4, R-8-5, R-8-6, R-8-8, T-4)", () => {
    const joinerSecret = computeJoinerSecret(suite, { initSecret, commitSecret, context });
    expect(joinerSecret).toEqual(
      hash.expandWithLabel(hash.extract(initSecret, commitSecret), "joiner", encoded, hash.Nh),
    );
    const member = hash.extract(joinerSecret, pskSecret);
    expect(computeWelcomeSecret(suite, joinerSecret, pskSecret)).toEqual(derive(member, "welcome"));
    const epochSecret = hash.expandWithLabel(member, "epoch", encoded, hash.Nh);
    expect(computeEpochSecrets(suite, { joinerSecret, pskSecret, context })).toEqual({
      senderDataSecret: derive(epochSecret, "sender data"),
      encryptionSecret: derive(epochSecret, "encryption"),
      exporterSecret: derive(epochSecret, "exporter"),
      externalSecret: derive(epochSecret, "external"),
      confirmationKey: derive(epochSecret, "confirm"),
      membershipKey: derive(epochSecret, "membership"),
      resumptionPsk: derive(epochSecret, "resumption"),
      epochAuthenticator: derive(epochSecret, "authentication"),
      initSecret: derive(epochSecret, "init"),
    });
  });

  test("depend on every field of the context (R-8.1-1)", () => {
    const changes: Partial<GroupContext>[] = [
      { version: 2 },
      { cipherSuite: 2 },
      { groupId: utf8("other") },
      { epoch: 8n },
      { treeHash: filled(9) },
      { confirmedTranscriptHash: filled(9) },
      { extensions: [{ extensionType: 1, extensionData: EMPTY }] },
    ];
    const authenticators = [{}, ...changes].map((change) => {
      const changed = { ...context, ...change };
      const { epochAuthenticator } = computeEpochSecrets(suite, { joinerSecret: zero, pskSecret, context: changed });
      return toHex(epochAuthenticator);
    });
    expect(new Set(authenticators).size).toBe(authenticators.length);
  });

  test("leave the secrets that went in as they were: a Commit may be tried again", () => {
    computeJoinerSecret(suite, { initSecret, commitSecret, context });
    computeEpochSecrets(suite, { joinerSecret: initSecret, pskSecret, context });
    expect([initSecret, commitSecret, pskSecret]).toEqual([filled(3), filled(4), filled(5)]);
  });
});

describe("pre-shared keys (R-8.4-4, R-8.4-5, R-8.4-6)", () => {
  const psk = (name: string): PreSharedKey => ({
    id: { pskType: "external", pskId: utf8(name), pskNonce: zero },
    psk: utf8(name),
  });

  test("none give zeros", () => {
    expect(computePskSecret(suite, [])).toEqual(zero);
  });

  test("count in their order and number", () => {
    const secrets = [[psk("a")], [psk("b")], [psk("a"), psk("b")], [psk("b"), psk("a")], [psk("a"), psk("a")]];
    expect(new Set(secrets.map((list) => toHex(computePskSecret(suite, list)))).size).toBe(secrets.length);
  });

  test("beyond 65,535 are refused before anything is derived", () => {
    const many = Array.from({ length: 2 ** 16 }, () => psk("a"));
    expect(() => computePskSecret(suite, many)).toThrow(expect.objectContaining({ code: "ERR_MLS_LIMIT" }));
  });
});

describe("transcript hashes (R-8.2-1, R-8.2-2)", () => {
  test("chain the Commit into the confirmed hash and its tag into the interim hash", () => {
    expect(confirmedTranscriptHash(suite, zero, utf8("input"))).toEqual(hash.digest(concat(zero, utf8("input"))));
    expect(interimTranscriptHash(suite, zero, filled(1))).toEqual(
      hash.digest(concat(zero, Uint8Array.of(32), filled(1))),
    );
  });

  test("of epoch 0: the confirmed hash is empty, the interim one has the tag in it (R-8.2-3, R-11-4, R-11-6, A-2)", async () => {
    const { state } = (await Group.of(["alice"])).member("alice");
    expect(state.context.epoch).toBe(0n);
    expect(state.context.confirmedTranscriptHash).toHaveLength(0);
    const tag = computeConfirmationTag(suite, state.secrets.confirmationKey, EMPTY);
    expect(state.confirmationTag).toEqual(tag);
    expect(state.interimTranscriptHash).toEqual(hash.digest(concat(Uint8Array.of(32), tag)));
  });

  test.each<[string, Bytes | undefined]>([
    ["missing", undefined],
    ["empty", EMPTY],
    ["truncated", zero.slice(1)],
    ["followed by a byte", concat(zero, Uint8Array.of(0))],
    ["of another key", filled(1)],
  ])("a confirmation tag that is %s does not verify (R-6.1-3, adversarial 6)", (_, received) => {
    expect(() => {
      verifyConfirmationTag(zero, received, "R-12.4.2-12");
    }).toThrow(expect.objectContaining({ code: "ERR_MLS_CONFIRMATION", requirement: "R-12.4.2-12" }));
  });
});

describe("the exporter (R-8.5-1, R-8.5-3, R-8.5-4)", () => {
  test("is bound to label, context, length and epoch", async () => {
    const group = await Group.of(["alice", "bob"]);
    const alice = group.member("alice");
    const request = { label: "label", context: utf8("context"), length: 32 };
    const variants = [
      request,
      { ...request, label: "other" },
      { ...request, context: EMPTY },
      { ...request, length: 31 },
    ];
    const exported = variants.map((variant) => toHex(exportSecret(alice.state, variant)).slice(0, 62));
    await group.commit(alice);
    exported.push(toHex(exportSecret(alice.state, request)).slice(0, 62));
    expect(new Set(exported).size).toBe(5);
  });

  test("gives 0 to 255 · Nh bytes, and refuses more", async () => {
    const { state } = (await Group.of(["alice"])).member("alice");
    for (const length of [0, 1, 255 * 32]) {
      expect(exportSecret(state, { label: "x", context: EMPTY, length })).toHaveLength(length);
    }
    for (const length of [255 * 32 + 1, 65_536, -1, 0.5]) {
      expect(() => exportSecret(state, { label: "x", context: EMPTY, length })).toThrow(RangeError);
    }
  });
});

test("resumption PSKs are kept within bounds, also of epochs whose messages are gone (R-8.6-1)", async () => {
  const rules = testRules();
  const bounded = { ...rules, limits: { ...rules.limits, resumptionPsks: 3, pastEpochs: 1 } };
  const group = await Group.of(["alice", "bob"], { rules: bounded });
  for (let i = 0; i < 5; i++) await group.commit(group.member("alice"));
  const { state } = group.member("bob");
  expect([...state.resumptionPsks.keys()]).toEqual([3n, 4n, 5n]);
  expect(state.pastEpochs.map(({ context: past }) => past.epoch)).toEqual([5n]);
});

test("every member computes the external key pair that a GroupInfo names (R-8-7)", async () => {
  const group = await Group.of(["alice", "bob"]);
  const infos = await Promise.all(group.members.map((member) => createGroupInfo(member.state, member.signer)));
  const keys = infos.map(({ extensions }) =>
    toHex(extensions.find(({ extensionType }) => extensionType === 4)?.extensionData ?? EMPTY),
  );
  expect(keys[0]).toBe(keys[1]);
  expect(keys[0]).toHaveLength(2 * 33);
});
