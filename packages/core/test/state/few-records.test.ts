/** Messages in a stored group (RFC 9420 §9, §15), sent and opened with few of its records: never the tree. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { utf8 } from "../../src/codec/bytes.ts";
import { isComplete } from "../../src/state/group-state.ts";
import { recordsToOpen, recordsToSend } from "../../src/group/needed-records.ts";
import { openMany } from "../../src/group/open-many.ts";
import { createApplicationMessage } from "../../src/group/send.ts";
import { diffGroupRecords } from "../../src/state/diff-records.ts";
import { restoreGroup, withRecords } from "../../src/state/restore-records.ts";
import { forgePrivate } from "../support/forge-message.ts";
import type { Member } from "../support/group.ts";
import { at, Group, testRules } from "../support/group.ts";
import { CountingStore, largeGroup, lateState } from "../support/stored-group.ts";

const rules = testRules();

/** Work of one step. */
interface Work {
  readonly names: number;
  readonly read: CountingStore["read"];
  readonly written: CountingStore["written"];
}

/** Opens a message by what a store has, and stores what changed. */
async function open(store: CountingStore, message: Bytes, before?: Awaited<ReturnType<CountingStore["messaging"]>>) {
  store.reset();
  const few = before ?? (await store.messaging());
  const names = await recordsToOpen(few, [message], { rules });
  const loaded = await withRecords(few, names, store.get(names));
  const { state, outcomes } = await openMany(loaded, [message], { rules });
  expect(outcomes).toMatchObject([{ kind: "application" }]);
  store.write(diffGroupRecords(loaded, state));
  return { state, work: { names: names.length, read: store.read, written: store.written } };
}

async function send(store: CountingStore, member: Member, before?: Awaited<ReturnType<CountingStore["messaging"]>>) {
  store.reset();
  const few = before ?? (await store.messaging());
  const names = recordsToSend(few);
  const loaded = await withRecords(few, names, store.get(names));
  const { state, message } = await createApplicationMessage(loaded, utf8("hello"), member);
  store.write(diffGroupRecords(loaded, state));
  return { state, message, work: { names: names.length, read: store.read, written: store.written } };
}

const STEPS = ["first sent", "sent", "sent cold", "first opened", "opened", "opened cold", "late"] as const;

async function workIn(size: number): Promise<Record<(typeof STEPS)[number], Work>> {
  const { alice, bob } = await largeGroup(size);
  const [atAlice, atBob] = [new CountingStore(alice.state), new CountingStore(bob.state)];
  const sent = [await send(atAlice, alice)];
  sent.push(await send(atAlice, alice, at(sent, 0).state), await send(atAlice, alice));
  const first = await open(atBob, at(sent, 0).message);
  const second = await open(atBob, at(sent, 1).message, first.state);
  const third = await open(atBob, at(sent, 2).message);
  const late = await createApplicationMessage(lateState(alice), utf8("late"), alice);
  const opened = [first, second, third, await open(atBob, late.message)];
  const works = [...sent, ...opened].map(({ work }) => work);
  return Object.fromEntries(STEPS.map((step, i) => [step, at(works, i)])) as Record<(typeof STEPS)[number], Work>;
}

describe("a message in a stored group of 2, 100, 1,000 and 10,000", () => {
  const SIZES = [2, 100, 1000, 10_000];
  const levels = (size: number): number => Math.ceil(Math.log2(size));
  const works = new Map<number, Awaited<ReturnType<typeof workIn>>>();
  beforeAll(async () => {
    for (const size of SIZES) works.set(size, await workIn(size));
  });
  const work = (size: number) => {
    const found = works.get(size);
    if (found === undefined) throw new RangeError("no such size");
    return found;
  };

  test("asks for the sender's leaf and one path of the secret tree, and reads one record of each", () => {
    for (const size of SIZES) {
      for (const step of ["first sent", "sent cold", "first opened", "opened cold"] as const) {
        const { names, read } = work(size)[step];
        expect(names).toBe(1 + levels(size) + 1);
        // The state, one past epoch, the leaf, the ratchets.
        expect(read.records).toBe(4);
        expect(read.bytes).toBeLessThan(2048 + 96 * levels(size));
      }
      expect(work(size)["late"]).toMatchObject({ names: 3 + levels(size), read: { records: 4 } });
    }
  });

  test("writes a path of the secret tree, the first time in an epoch", () => {
    for (const size of SIZES) {
      for (const step of ["first sent", "first opened", "late"] as const) {
        const { put, deleted, bytes } = work(size)[step].written;
        expect({ put, deleted }).toEqual({ put: levels(size) + 1, deleted: 1 });
        expect(bytes).toBeLessThan(256 + 64 * levels(size));
      }
    }
  });

  test("reads nothing and writes one small record from then on", () => {
    for (const size of SIZES) {
      for (const step of ["sent", "opened"] as const) {
        expect(work(size)[step]).toMatchObject({ names: 0, read: { records: 0 }, written: { put: 1, deleted: 0 } });
        expect(work(size)[step].written.bytes).toBeLessThan(160);
      }
      expect(work(size)["sent cold"].written).toEqual(work(2)["sent cold"].written);
      expect(work(size)["opened cold"].written).toEqual(work(2)["opened cold"].written);
    }
  });
});

describe("a state of which not everything was loaded", () => {
  let [alice, bob]: Member[] = [];
  let message: Bytes;
  let store: CountingStore;
  const member = (found: Member | undefined): Member => {
    if (found === undefined) throw new RangeError("a member");
    return found;
  };
  beforeAll(async () => {
    const group = await Group.of(["alice", "bob", "carol"]);
    [alice, bob] = [group.member("alice"), group.member("bob")];
    store = new CountingStore(bob.state);
    message = await alice.send("hello");
  });

  test("knows what is in its one record", async () => {
    const few = await store.messaging();
    expect(isComplete(few)).toBe(false);
    expect(isComplete(member(bob).state)).toBe(true);
    expect(few.tree).toMatchObject({ leafCount: 4, memberCount: 3 });
    expect(few.context).toEqual(member(bob).state.context);
    expect(recordsToSend(member(bob).state)).toEqual([]);
    expect(await recordsToOpen(member(bob).state, [message], { rules })).toEqual([]);
  });

  test("refuses to do without a record, by code, and passes for no refusal of a message", async () => {
    const few = await store.messaging();
    const refusal = { name: "CoppiceError", code: "ERR_MLS_NOT_LOADED" };
    const toSend = recordsToSend(few);
    const toOpen = await recordsToOpen(few, [message], { rules });
    for (const names of [[], toSend.slice(0, 1), toSend.slice(1)]) {
      const state = await withRecords(few, names, store.get(names));
      await expect(createApplicationMessage(state, utf8("x"), member(bob))).rejects.toMatchObject(refusal);
    }
    for (const names of [[], toOpen.slice(0, 1), toOpen.slice(1)]) {
      const state = await withRecords(few, names, store.get(names));
      await expect(openMany(state, [message, message], { rules })).rejects.toMatchObject(refusal);
    }
  });

  test("is written as far as it is known, and as a whole not at all", async () => {
    const few = await store.messaging();
    expect(diffGroupRecords(few, few)).toEqual({ put: new Map(), delete: [] });
    const names = recordsToSend(few);
    const state = await withRecords(few, names, store.get(names));
    // Nothing has changed; that it was loaded in between costs what it holds.
    expect([...diffGroupRecords(few, state).put.keys()].every((name) => names.includes(name))).toBe(true);
    const complete = await restoreGroup(store.records);
    expect(diffGroupRecords(complete, { ...complete, tree: few.tree, secretTree: few.secretTree }).put.size).toBe(0);
    expect(() => diffGroupRecords(undefined, few)).toThrow(expect.objectContaining({ code: "ERR_MLS_NOT_LOADED" }));
    const next = { ...complete, context: { ...complete.context, epoch: 9n } };
    expect(() => diffGroupRecords(few, next)).toThrow(expect.objectContaining({ code: "ERR_MLS_NOT_LOADED" }));
  });

  test("refuses what a complete one refuses: senders who are blank leaves or outside the tree (R-6.3.2-6)", async () => {
    const few = await store.messaging();
    const content = { contentType: "application", applicationData: utf8("x") } as const;
    for (const leafIndex of [3, 4, 2 ** 31]) {
      const forged = await forgePrivate(member(alice), content, { senderData: { leafIndex } });
      const names = await recordsToOpen(few, [forged], { rules });
      const { outcomes } = await openMany(await withRecords(few, names, store.get(names)), [forged], { rules });
      expect(outcomes).toMatchObject([{ kind: "refused", error: { code: "ERR_MLS_SENDER" } }]);
      expect(outcomes).toEqual((await openMany(member(bob).state, [forged], { rules })).outcomes);
    }
  });

  test("asks for nothing for messages that cannot be opened or come after a handshake", async () => {
    const few = await store.messaging();
    const broken = message.map((byte, i) => (i === 40 ? byte ^ 1 : byte));
    expect(await recordsToOpen(few, [utf8("garbage"), message.subarray(9), broken], { rules })).toEqual([]);
    const { staged } = await member(alice).commit();
    expect(await recordsToOpen(few, [staged.commit, message], { rules })).toEqual([]);
    expect(await recordsToOpen(few, [message, message], { rules })).toHaveLength(4);
  });
});
