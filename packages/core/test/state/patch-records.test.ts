/** A state from another and what changed: the inverse of the difference. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { toHex } from "../../src/codec/bytes.ts";
import { isCoppiceError } from "../../src/errors.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import { openMany } from "../../src/group/open-many.ts";
import { diffGroupRecords } from "../../src/state/diff-records.ts";
import { patchGroup, restoreGroup } from "../../src/state/restore-records.ts";
import { at, Group, Member } from "../support/group.ts";

/** All records, in the order of their names. */
const shown = (state: GroupState): string =>
  [...diffGroupRecords(undefined, state).put]
    .map(([name, value]) => `${name} ${toHex(value)}`)
    .sort()
    .join();

test("a complete state that follows what others wrote shares what they left as it was", async () => {
  const group = await Group.of(["alice", "bob", "carol", "dave", "erin"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  await group.commit(alice);
  const followed = bob.state;
  await group.commit(group.member("erin"), { wireFormat: "mls_public_message" });
  const patched = await patchGroup(followed, diffGroupRecords(followed, bob.state));
  expect(patched.tree.leaf(alice.state.leafIndex)).toBe(followed.tree.leaf(alice.state.leafIndex));
  expect(patched.suite).toBe(followed.suite);
  expect(patched.pastEpochs[1]).toBe(followed.pastEpochs[0]);
  expect(patched.pastEpochs[0]?.secretTree).toBe(followed.secretTree);

  const message = await alice.send("one");
  await bob.receive(message);
  const changes = diffGroupRecords(patched, (await openMany(patched, [message], bob)).state);
  expect(changes.put.size).toBeLessThanOrEqual(4);
  const after = await patchGroup(patched, changes);
  expect(after.tree).toBe(patched.tree);
  expect(after.context).toBe(patched.context);
  expect(after.proposals).toBe(patched.proposals);
  bob.state = after;
  await group.commit(bob);
});

test("damaged changes are refused, or are what a store would restore, and change nothing", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const bob = group.member("bob");
  const before = bob.state;
  const early = await group.member("alice").send("early");
  await bob.receive(early);
  await group.add(bob, [await Member.create("dave"), await Member.create("erin")]);
  const shownBefore = shown(before);
  const changes = diffGroupRecords(before, bob.state);
  const all = [...changes.put.keys(), ...changes.delete];
  const stored = diffGroupRecords(undefined, before).put;

  const outcomeOf = async (restore: () => Promise<GroupState>): Promise<string> => {
    try {
      return shown(await restore());
    } catch (error) {
      if (!isCoppiceError(error)) throw error;
      return error.code;
    }
  };
  const attempt = async (put: Map<string, Uint8Array>, gone: readonly string[]): Promise<void> => {
    const applied = new Map([...stored, ...put]);
    for (const name of gone) applied.delete(name);
    const patched = await outcomeOf(() => patchGroup(before, { put, delete: gone }));
    expect(patched).toBe(await outcomeOf(() => restoreGroup(applied)));
    expect(shown(before) === shownBefore).toBe(true);
  };
  for (const name of all) {
    const without = new Map<string, Uint8Array>(changes.put);
    without.delete(name);
    await attempt(
      without,
      changes.delete.filter((gone) => gone !== name),
    );
    await attempt(without, [...changes.delete, name]);
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, where, flip) => {
      const put = new Map<string, Uint8Array>(changes.put);
      const [name, value] = at([...put], which % put.size);
      put.set(
        name,
        value.map((byte, i) => (i === where % value.length ? byte ^ flip : byte)),
      );
      await attempt(put, changes.delete);
    }),
    { numRuns: 150 },
  );
});

test("changes of other records than a group's are passed over, unknown ones of a group are not", async () => {
  const { state } = (await Group.of(["alice", "bob"])).member("alice");
  const other = new Map([["outbox/1", new Uint8Array(3)]]);
  expect(await patchGroup(state, { put: other, delete: ["item/3"] })).toEqual(state);
  for (const name of ["group/", "group/tree/1", "group/leaf/1", "group/state/1", "group/ratchet/000001"]) {
    const refusal = { code: "ERR_MLS_DECODE" };
    await expect(patchGroup(state, { put: new Map([[name, new Uint8Array(1)]]), delete: [] })).rejects.toMatchObject(
      refusal,
    );
    await expect(patchGroup(state, { put: new Map(), delete: [name] })).rejects.toMatchObject(refusal);
  }
  const both = { put: new Map([["group/leaf/000000", new Uint8Array(1)]]), delete: ["group/leaf/000000"] };
  await expect(patchGroup(state, both)).rejects.toMatchObject({ code: "ERR_MLS_DECODE" });
  await expect(patchGroup(state, { put: new Map(), delete: ["group/state"] })).rejects.toMatchObject({
    code: "ERR_MLS_DECODE",
  });
});

test("a record of another version is refused as such, whole or as a change", async () => {
  const { state } = (await Group.of(["alice", "bob"])).member("alice");
  const stored = new Map<string, Uint8Array>(diffGroupRecords(undefined, state).put);
  const newer = stored.get("group/state")?.map((byte, i) => (i === 1 ? 99 : byte)) ?? new Uint8Array(0);
  const refusal = { code: "ERR_MLS_VERSION", detail: { formatVersion: 99 } };
  await expect(patchGroup(state, { put: new Map([["group/state", newer]]), delete: [] })).rejects.toMatchObject(
    refusal,
  );
  await expect(restoreGroup(stored.set("group/state", newer))).rejects.toMatchObject(refusal);
});
