/**
 * What one member of random groups stores: differences lead from any state to any other, and messages come out of few records
 * as out of all. `COPPICE_PROPERTY_RUNS` sets how many lives are lived: 100 make 10 here.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { toHex } from "../../src/codec/bytes.ts";
import type { GroupState, MessagingState } from "../../src/state/group-state.ts";
import { recordsToOpen, recordsToSend } from "../../src/group/needed-records.ts";
import { openMany } from "../../src/group/open-many.ts";
import { createApplicationMessage } from "../../src/group/send.ts";
import type { RecordChanges } from "../../src/state/diff-records.ts";
import { diffGroupRecords } from "../../src/state/diff-records.ts";
import { patchGroup, restoreGroup, withRecords } from "../../src/state/restore-records.ts";
import { at } from "../support/group.ts";
import type { Step } from "../support/random-life.ts";
import { RandomLife, steps } from "../support/random-life.ts";
import { CountingStore } from "../support/stored-group.ts";

const RUNS = Math.ceil(Number(process.env["COPPICE_PROPERTY_RUNS"] ?? 100) / 10);

/** Names of records in which two states differ. */
function differing(a: GroupState, b: GroupState): string[] {
  const [of, other] = [diffGroupRecords(undefined, a).put, diffGroupRecords(undefined, b).put];
  const hexOf = (records: typeof of, name: string): string => toHex(records.get(name) ?? new Uint8Array(0));
  return [...new Set([...of.keys(), ...other.keys()])].filter((name) => hexOf(of, name) !== hexOf(other, name));
}

function expectSame(state: GroupState, expected: GroupState): void {
  expect(differing(state, expected)).toEqual([]);
  const { tree, suite } = state;
  expect(toHex(tree.treeHash(suite.hash))).toBe(toHex(expected.tree.treeHash(suite.hash)));
  expect(tree.keysAreUnique).toBe(expected.tree.keysAreUnique);
  for (const [index, leaf] of tree.members()) {
    expect(tree.hasSignatureKey(leaf.signatureKey)).toBe(true);
    expect(tree.leafSince(index)).toBe(expected.tree.leafSince(index));
  }
  for (const [, leaf] of expected.tree.members()) expect(tree.hasEncryptionKey(leaf.encryptionKey)).toBe(true);
  expect(tree.hasSignatureKey(new Uint8Array(32))).toBe(false);
}

/** The states of the watched member, after each step. */
async function statesOf(life: readonly Step[]): Promise<GroupState[]> {
  const lived = await RandomLife.begin();
  const states = [lived.watched.state];
  for (const step of life) {
    const { messages } = await lived.take(step);
    const { watched } = lived;
    watched.state = (await openMany(watched.state, messages, watched)).state;
    states.push(watched.state);
  }
  return states;
}

const names = ({ put, delete: gone }: RecordChanges): unknown => [[...put.keys()].sort(), [...gone].sort()];

test(
  "what changed leads from any state to any other, and no more counts as changed than did",
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, fc.infiniteStream(fc.nat()), async (one, two, picks) => {
        const states = [...(await statesOf(one)), ...(await statesOf(two))];
        const pick = (): GroupState => at(states, (picks.next().value ?? 0) % states.length);
        for (let i = 0; i < 20; i++) {
          const [a, b] =
            i < 10 ? [at(states, i % states.length), at(states, (i + 1) % states.length)] : [pick(), pick()];
          const changes = diffGroupRecords(a, b);
          const patched = await patchGroup(a, changes);
          expectSame(patched, b);
          expect(names(diffGroupRecords(a, patched))).toEqual(names(changes));
        }
      }),
      { numRuns: RUNS },
    );
  },
  RUNS * 10_000,
);

test(
  "messages of a life are opened with few records as with all, and all then lead on",
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (life, cold) => {
        const lived = await RandomLife.begin();
        const { watched } = lived;
        const { rules } = watched;
        const store = new CountingStore(watched.state);
        let few: MessagingState = await store.messaging();
        for (const step of life) {
          const { messages, state } = await lived.take(step);
          if (state !== undefined) {
            // Another context wrote: what it wrote is followed.
            const changes = diffGroupRecords(await restoreGroup(store.records), state);
            store.write(changes);
            few = await patchGroup(few, changes);
          }
          if (messages.length > 0) {
            const needed = await recordsToOpen(few, messages, { rules });
            const loaded = await withRecords(few, needed, store.get(needed));
            expect(await recordsToOpen(loaded, messages, { rules })).toEqual([]);
            const opened = await openMany(loaded, messages, { rules });
            const expected = await openMany(watched.state, messages, { rules });
            expect(opened.outcomes).toEqual(expected.outcomes);
            watched.state = expected.state;
            store.write(diffGroupRecords(loaded, opened.state));
            few = opened.state;
          }
          if (few.proposals.size === 0) {
            const needed = recordsToSend(few);
            const loaded = await withRecords(few, needed, store.get(needed));
            const sent = await createApplicationMessage(loaded, new Uint8Array(3), watched);
            store.write(diffGroupRecords(loaded, sent.state));
            few = sent.state;
            watched.state = await restoreGroup(store.records);
          }
          if (cold) few = await store.messaging();
          const stored = diffGroupRecords(undefined, watched.state).put;
          expect(new Map([...store.records].sort())).toEqual(new Map([...stored].sort()));
        }
        await watched.commit({ forcePath: true });
      }),
      { numRuns: RUNS },
    );
  },
  RUNS * 10_000,
);
