/** Exported secrets with forward secrecy (draft-ietf-mls-extensions-10 §4.4). */
import { expect, test } from "vitest";
import { EMPTY, erase, toHex, utf8 } from "../../../src/codec/bytes.ts";
import { adoptCommit, createCommit, discardCommit } from "../../../src/commit/create.ts";
import { getCipherSuite } from "../../../src/crypto/cipher-suite.ts";
import { safeExportSecret } from "../../../src/drafts/extensions/exporter-tree.ts";
import { withExtensions } from "../../../src/drafts/extensions/with-extensions.ts";
import { decodeGroupState, encodeGroupState } from "../../../src/group/serialise.ts";
import { createEpochSecrets } from "../../../src/schedule/key-schedule.ts";
import { diffGroupRecords } from "../../../src/state/diff-records.ts";
import { patchGroup, restoreMessaging } from "../../../src/state/restore-records.ts";
import { at, expectRefusal, Group, Member, testRules } from "../../support/group.ts";

const rules = withExtensions(testRules(), { components: [] });
const group = await Group.of(["alice", "bob", "carol"], { rules });
const [alice, bob] = [group.member("alice"), group.member("bob")];

test("members agree on the secret of each component, which is that of the leaf of the tree", async () => {
  await group.joinExternally(await Member.create("dave", { rules }));
  const { hash } = await getCipherSuite(1);
  const [root] = alice.state.exporterTree?.values() ?? [];
  for (const componentId of [0, 1, 0x7fff, 0x8001, 0xffff]) {
    const exported = group.members.map(({ state }) => toHex(safeExportSecret(state, componentId).secret));
    expect(new Set(exported).size).toBe(1);
    // Bit by bit from the root: RFC 9420 §9.
    let secret = root ?? EMPTY;
    for (let bit = 15; bit >= 0; bit--) {
      const side = utf8(((componentId >> bit) & 1) === 1 ? "right" : "left");
      secret = hash.expandWithLabel(secret, "tree", side, hash.Nh);
    }
    expect(exported[0]).toBe(toHex(secret));
  }
});

test("the root is derived from the epoch secret by its own label", async () => {
  const suite = await getCipherSuite(1);
  const { applicationExportSecret, ...secrets } = createEpochSecrets(suite, true);
  expect(applicationExportSecret?.length).toBe(32);
  expect(Object.values(secrets).map(toHex)).not.toContain(toHex(applicationExportSecret ?? EMPTY));
  expect(createEpochSecrets(suite)).not.toHaveProperty("applicationExportSecret");
});

test("X-4.4-1: a secret is exported once in an epoch, and what leads to it is gone", async () => {
  const before = alice.state;
  const { state, secret, consumed } = safeExportSecret(before, 5);
  const kept = toHex(secret);
  expect(consumed).toHaveLength(16);
  expect(state.exporterTree?.size).toBe(16);
  for (const one of consumed) expect([...(state.exporterTree?.values() ?? [])]).not.toContain(one);
  erase(...consumed);
  expect(toHex(secret)).toBe(kept);
  alice.state = state;
  await expectRefusal(alice, { code: "ERR_MLS_STATE", requirement: "X-4.4-1", detail: { componentId: 5 } }, () =>
    Promise.resolve().then(() => safeExportSecret(alice.state, 5)),
  );
  // Its neighbour is still there.
  expect(toHex(safeExportSecret(state, 4).secret)).toBe(toHex(safeExportSecret(bob.state, 4).secret));
  expect(toHex(safeExportSecret(bob.state, 5).secret)).toBe(kept);
});

test("what was exported stays so through the store", async () => {
  const { state } = safeExportSecret(bob.state, 9);
  const stored = diffGroupRecords(bob.state, state);
  expect([...stored.put.keys()]).toEqual(["group/state-exporter"]);
  const ways = [
    await decodeGroupState(encodeGroupState(state)),
    await restoreMessaging(diffGroupRecords(undefined, state).put),
    await patchGroup(bob.state, stored),
  ];
  for (const restored of ways) {
    expect(() => safeExportSecret(restored, 9)).toThrow(expect.objectContaining({ requirement: "X-4.4-1" }));
    expect(toHex(safeExportSecret(restored, 8).secret)).toBe(toHex(safeExportSecret(state, 8).secret));
  }
});

test("a new epoch erases the tree of the old one, and a dropped Commit its own", async () => {
  const dropped = await createCommit(alice.state, alice);
  const secretsOfDropped = [...(dropped.staged.next.exporterTree?.values() ?? [])];
  expect(discardCommit(dropped.state, dropped.staged)).toEqual(expect.arrayContaining(secretsOfDropped));

  const made = await createCommit(alice.state, alice);
  const old = [...(alice.state.exporterTree?.values() ?? [])];
  const { state, consumed } = adoptCommit(made.state, made.staged, rules);
  expect(old.length).toBeGreaterThan(0);
  for (const secret of old) expect(consumed).toContain(secret);
  expect(state.exporterTree?.size).toBe(1);
  expect(toHex(safeExportSecret(state, 5).secret)).not.toBe(toHex(safeExportSecret(bob.state, 5).secret));
});

test("a member who is removed, and a group that is closed, have no tree", async () => {
  const small = await Group.of(["ann", "ben"], { rules });
  const [ann, ben] = [small.member("ann"), small.member("ben")];
  const out = await ann.commit({ proposals: [{ proposalType: 3, removed: ben.state.leafIndex }] });
  const old = at([...(ben.state.exporterTree?.values() ?? [])], 0);
  const gone = await ben.peek(out.staged.commit);
  expect(gone.state.exporterTree).toBeUndefined();
  expect(gone.consumed).toContain(old);

  const reinit = { proposalType: 5, groupId: EMPTY, version: 1, cipherSuite: 1, extensions: [] } as const;
  const closing = await ann.commit({ proposals: [reinit] });
  ann.adopt(closing);
  expect(ann.state.exporterTree).toBeUndefined();
  expect(() => safeExportSecret(ann.state, 1)).toThrow(expect.objectContaining({ code: "ERR_MLS_STATE" }));
});

test("X-4.4-2: without the option there is no tree, and no record of one", async () => {
  const plain = await Group.of(["ann", "ben"]);
  const ann = plain.member("ann");
  expect([...diffGroupRecords(undefined, ann.state).put.keys()]).not.toContain("group/state-exporter");
  await expectRefusal(ann, { code: "ERR_MLS_STATE", requirement: "X-4.4-2" }, () =>
    Promise.resolve().then(() => safeExportSecret(ann.state, 1)),
  );
});

test.each([-1, 0.5, 65_536, Number.NaN])("%d is no ComponentID", (componentId) => {
  expect(() => safeExportSecret(alice.state, componentId)).toThrow(RangeError);
});
