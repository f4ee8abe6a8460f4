/** Forgetting past epochs (RFC 9420 §9.2, §15.3). */
import { expect, test } from "vitest";
import { erase, utf8 } from "../../src/codec/bytes.ts";
import { dropPastEpochs } from "../../src/group/past-epochs.ts";
import { secretsOf } from "../../src/schedule/secret-tree.ts";
import { at, expectRefusal, Group } from "../support/group.ts";

test("a past epoch that is dropped leaves nothing: its secrets are zeros, down to the keys of skipped messages (R-9.2-1, R-15.3-4)", async () => {
  const group = await Group.of(["alice", "bob"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const late: Uint8Array<ArrayBuffer>[] = [];
  for (let epoch = 0; epoch < 3; epoch++) {
    const skipped = await alice.send("skipped");
    await bob.receive(await alice.send("read"));
    late.push(skipped);
    await group.commit(alice);
  }
  const { pastEpochs } = bob.state;
  const [newest, ...older] = pastEpochs.map(({ context }) => context.epoch);
  const { state, consumed } = dropPastEpochs(bob.state, (epoch) => epoch === newest);
  expect(state.pastEpochs.map(({ context }) => context.epoch)).toEqual([newest]);
  const secrets = (first: number): readonly Uint8Array[] =>
    pastEpochs.slice(first).flatMap(({ senderDataSecret, secretTree }) => [senderDataSecret, ...secretsOf(secretTree)]);
  const dropped = secrets(1);
  // A ratchet of alice's that moved on, with a key that was skipped.
  expect(dropped.length).toBeGreaterThan(older.length * 5);
  expect(dropped.every((secret) => secret.some((byte) => byte !== 0))).toBe(true);

  erase(...consumed);
  expect(dropped.flatMap((secret) => [...secret]).every((byte) => byte === 0)).toBe(true);
  bob.state = state;
  const [first, , last] = late;
  if (first === undefined || last === undefined) throw new RangeError("three messages");
  await expectRefusal(bob, { code: "ERR_MLS_EPOCH", requirement: "R-15.3-4" }, () => bob.receive(first));
  await expect(bob.receive(last)).resolves.toMatchObject({ data: utf8("skipped") });
  await group.chat(alice, "and the present one goes on");
});

test("where all are kept, nothing is consumed", async () => {
  const group = await Group.of(["alice", "bob"]);
  const alice = group.member("alice");
  await group.commit(alice);
  const { state, consumed } = dropPastEpochs(alice.state, () => true);
  expect(consumed).toEqual([]);
  expect(at(state.pastEpochs, 0)).toBe(at(alice.state.pastEpochs, 0));
});
