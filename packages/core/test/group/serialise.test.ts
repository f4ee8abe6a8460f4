/** Stored values: whole, damaged, and of other versions. */
import { describe, expect, test } from "vitest";
import { concat, EMPTY, toHex, utf8 } from "../../src/codec/bytes.ts";
import { createCommit } from "../../src/commit/create.ts";
import { isCoppiceError } from "../../src/errors.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import {
  decodeGroupState,
  decodeOwnKeyPackage,
  decodeStagedCommit,
  encodeGroupState,
  encodeOwnKeyPackage,
  encodeStagedCommit,
} from "../../src/group/serialise.ts";
import type { SecretTree } from "../../src/schedule/secret-tree.ts";
import { Group, Member } from "../support/group.ts";
import { takeNextKey } from "../support/take-key.ts";

const group = await Group.of(["alice", "bob", "carol"]);
const alice = group.member("alice");
await group.commit(group.member("bob"));
const stored = encodeGroupState(alice.state);

test("a state survives being stored, skipped keys and past epochs included", async () => {
  const restored = await decodeGroupState(stored);
  expect(toHex(encodeGroupState(restored))).toBe(toHex(stored));
  expect(restored.pastEpochs.length).toBe(alice.state.pastEpochs.length);
});

test("a state longer than any message may be survives, as does a Commit that was staged from it", async () => {
  const long = { extensionType: 0xf0aa, extensionData: new Uint8Array(40 * 2 ** 20) };
  const context = { ...alice.state.context, extensions: [long] };
  const [past] = alice.state.pastEpochs;
  if (past === undefined) throw new RangeError("there was an epoch before");
  const state = {
    ...alice.state,
    context,
    pastEpochs: [{ ...past, context: { ...past.context, extensions: [long] } }],
  };
  const bytes = encodeGroupState(state);
  expect(bytes.length).toBeGreaterThan(64 * 2 ** 20);
  const restored = await decodeGroupState(bytes);
  expect(restored.context.extensions).toHaveLength(1);

  const { staged } = await createCommit(alice.state, alice);
  const next = {
    ...staged.next,
    context: { ...staged.next.context, extensions: [long, { ...long, extensionType: 0xf0ab }] },
  };
  const commit = encodeStagedCommit(alice.state, { ...staged, next }, alice.rules);
  expect(commit.length).toBeGreaterThan(64 * 2 ** 20);
  expect((await decodeStagedCommit(alice.state, commit)).next.context.extensions).toHaveLength(2);
});

test("stored values are not bounded as messages are (R-2.1.2-8)", async () => {
  const extensions = Array.from({ length: 5000 }, (_, i) => ({ extensionType: i, extensionData: EMPTY }));
  const state = { ...alice.state, context: { ...alice.state.context, extensions } };
  expect((await decodeGroupState(encodeGroupState(state))).context.extensions).toHaveLength(5000);
});

test("a ratchet at its very end survives too (R-9.1-5)", async () => {
  const ratchet = { generation: 2 ** 32 - 1, secret: new Uint8Array(32), skipped: new Map() };
  const tree: SecretTree = { leafCount: 1, root: { kind: "leaf", handshake: ratchet, application: ratchet } };
  const solo = await Group.of(["solo"]);
  const { next } = takeNextKey(alice.suite, tree, solo.member("solo").state.leafIndex, "application");
  const state: GroupState = { ...solo.member("solo").state, secretTree: next };
  expect((await decodeGroupState(encodeGroupState(state))).secretTree).toEqual(next);
});

describe("a damaged state is refused, never misread as another error", () => {
  test("cut at any byte, or with one more (adversarial 1)", async () => {
    for (let length = 0; length < stored.length; length++) {
      await expect(decodeGroupState(stored.subarray(0, length))).rejects.toMatchObject({ name: "CoppiceError" });
    }
    await expect(decodeGroupState(concat(stored, Uint8Array.of(0)))).rejects.toMatchObject({ code: "ERR_MLS_DECODE" });
  });

  test("as are a staged Commit and a key package (adversarial 1)", async () => {
    const { rules, suite, state } = alice;
    const { staged } = await createCommit(state, alice);
    const commit = encodeStagedCommit(state, staged, rules);
    const own = encodeOwnKeyPackage(await alice.keyPackage());
    await decodeStagedCommit(state, commit);
    decodeOwnKeyPackage(suite, own);
    const refusal = { name: "CoppiceError" };
    for (let length = 0; length < commit.length; length++) {
      await expect(decodeStagedCommit(state, commit.subarray(0, length))).rejects.toMatchObject(refusal);
    }
    await expect(decodeStagedCommit(state, concat(commit, Uint8Array.of(0)))).rejects.toMatchObject(refusal);
    for (let length = 0; length < own.length; length++) {
      expect(() => decodeOwnKeyPackage(suite, own.subarray(0, length))).toThrow(expect.objectContaining(refusal));
    }
    expect(() => decodeOwnKeyPackage(suite, concat(own, Uint8Array.of(0)))).toThrow(expect.objectContaining(refusal));
  });

  test("with any byte changed", async () => {
    for (let at = 0; at < stored.length; at += 11) {
      const changed = stored.map((byte, i) => (i === at ? byte ^ 0x80 : byte));
      await decodeGroupState(changed).catch((error: unknown) => {
        if (!isCoppiceError(error)) throw error;
      });
    }
  });

  test("with a record whose name is not text", async () => {
    const at = toHex(stored).indexOf(toHex(utf8("group/state"))) / 2;
    const changed = stored.map((byte, i) => (i === at ? 0xff : byte));
    await expect(decodeGroupState(changed)).rejects.toMatchObject({ code: "ERR_MLS_DECODE" });
  });

  test("that is something else", async () => {
    await expect(decodeGroupState(utf8("not a state"))).rejects.toMatchObject({ code: "ERR_MLS_DECODE" });
  });
});

test("a newer version is refused as such", async () => {
  const newer = stored.map((byte, i) => (i === 5 ? 99 : byte));
  await expect(decodeGroupState(newer)).rejects.toMatchObject({ code: "ERR_MLS_VERSION", detail: { version: 99 } });
});

test("a key package survives with its private keys and reference", async () => {
  const own = await (await Member.create("dave")).keyPackage();
  const restored = decodeOwnKeyPackage(alice.suite, encodeOwnKeyPackage(own));
  expect(restored).toEqual(own);
});
