/** Inboxes, and what is due for deletion. */
import type { Due } from "../../domain/store.ts";
import { assertEqual, at } from "../assert.ts";
import { addGroup, append, bytes, client, newEntry, type StoreCase } from "./harness.ts";

const alice = client("alice");
const laptop = client("alice", 2);
const bob = client("bob");

const NOTHING: Due = { messages: -1, hashes: -1, keyPackages: -1 };

export const inboxCases: readonly StoreCase[] = [
  {
    title: "a Welcome waits for each client on its own, oldest first, until it is acknowledged",
    run: async (open) => {
      const store = await open();
      const group = await addGroup(store, bytes(1), alice);
      const other = await addGroup(store, bytes(2), alice);
      await store.transaction(async (tx) => {
        const base = { sender: "alice", clients: [bob, laptop] };
        await tx.deliver({ ...base, groupId: bytes(1), seq: 4, welcome: bytes(1, 1, 1) }, 0);
        await tx.deliver({ ...base, groupId: bytes(2), seq: 9, welcome: bytes(2, 2, 2), clients: [bob] }, 0);
        await tx.deliver({ ...base, groupId: bytes(1), seq: 5, welcome: bytes(3, 3, 3), sender: "carol" }, 0);
      });
      const inbox = await store.read((tx) => tx.inbox(bob, 9, 1000));
      const ids = inbox.map(({ id }) => id);
      const { incarnation } = group;
      assertEqual(
        inbox,
        [
          { id: at(ids, 0), groupId: bytes(1), welcome: bytes(1, 1, 1), position: { incarnation, seq: 4 } },
          {
            id: at(ids, 1),
            groupId: bytes(2),
            welcome: bytes(2, 2, 2),
            position: { incarnation: other.incarnation, seq: 9 },
          },
          { id: at(ids, 2), groupId: bytes(1), welcome: bytes(3, 3, 3), position: { incarnation, seq: 5 } },
        ],
        "inbox",
      );
      assertEqual(
        [...ids].sort((a, b) => a - b),
        ids,
        "ascending ids",
      );
      const idsOf = async (limit: number, maxBytes: number): Promise<unknown> =>
        (await store.read((tx) => tx.inbox(bob, limit, maxBytes))).map(({ id }) => id);
      assertEqual(await idsOf(2, 1000), ids.slice(0, 2), "limited by number");
      assertEqual(await idsOf(9, 7), ids.slice(0, 2), "limited by bytes");
      assertEqual(await idsOf(9, 1), ids.slice(0, 1), "one in any case");
      assertEqual(
        await store.read((tx) => tx.countInboxes([bob, laptop, alice], "alice")),
        [
          { total: 3, fromSender: 2 },
          { total: 2, fromSender: 1 },
          { total: 0, fromSender: 0 },
        ],
        "counts",
      );
      assertEqual(await store.read((tx) => tx.countInboxes([], "alice")), [], "counts of nobody");
      await store.transaction((tx) => tx.acknowledge(bob, at(ids, 1)));
      assertEqual(await idsOf(9, 1000), ids.slice(2), "the rest");
      assertEqual((await store.read((tx) => tx.inbox(laptop, 9, 1000))).length, 2, "inbox of the other device");
    },
  },
  {
    title: "ids of an inbox are never used again",
    run: async (open) => {
      const store = await open();
      await addGroup(store, bytes(1), alice);
      const deliver = (): Promise<void> =>
        store.transaction((tx) =>
          tx.deliver({ groupId: bytes(1), seq: 1, sender: "alice", welcome: bytes(1), clients: [bob] }, 0),
        );
      const id = async (): Promise<number> => at(await store.read((tx) => tx.inbox(bob, 9, 99)), 0).id;
      await deliver();
      const first = await id();
      await store.transaction((tx) => tx.acknowledge(bob, first));
      await deliver();
      assertEqual((await id()) > first, true, "whether the id grew");
    },
  },
  {
    title: "what is due is deleted oldest first, in slices, and nothing else",
    run: async (open) => {
      const store = await open();
      const group = await addGroup(store, bytes(1), alice);
      for (let seq = 1; seq <= 6; seq++) {
        await store.transaction((tx) => append(tx, { ...group, lastSeq: seq - 1 }, [newEntry(seq)], seq * 10));
      }
      const kept = async (): Promise<unknown> =>
        (await store.read((tx) => tx.entries(bytes(1), { after: 0, until: 6, limit: 9, maxBytes: 999 }))).map(
          ({ seq }) => seq,
        );
      const forget = (due: Partial<Due>, limit: number): Promise<number> =>
        store.transaction((tx) => tx.deleteDue({ ...NOTHING, ...due }, limit));
      assertEqual(await forget({}, 100), 0, "deleted when nothing is due");
      assertEqual(await forget({ messages: 9 }, 100), 0, "deleted before the first is due");
      assertEqual(await forget({ messages: 40 }, 3), 3, "deleted in the first slice");
      assertEqual(await kept(), [4, 5, 6], "entries after the first slice");
      assertEqual(await forget({ messages: 40 }, 3), 1, "deleted in the second slice");
      assertEqual(await kept(), [5, 6], "entries after the second slice");
      const hashes = [1, 2, 6].map((seq) => newEntry(seq).hash);
      const find = (): Promise<unknown> => store.read((tx) => tx.findEntries(bytes(1), "message", hashes));
      assertEqual(await find(), [1, 2, 6], "hashes outlive entries");
      assertEqual(await forget({ hashes: 10 }, 100), 1, "deleted hashes");
      assertEqual(await find(), [undefined, 2, 6], "hashes that are left");
    },
  },
  {
    title: "Welcomes and key packages become due by their own age",
    run: async (open) => {
      const store = await open();
      await addGroup(store, bytes(1), alice);
      const keyPackage = (n: number) => ({ hash: new Uint8Array(32).fill(n), content: bytes(n) });
      await store.transaction(async (tx) => {
        for (const age of [1, 2]) {
          await tx.deliver({ groupId: bytes(1), seq: age, sender: "alice", welcome: bytes(age), clients: [bob] }, age);
          await tx.addKeyPackages(bob, [keyPackage(age)], age);
        }
        await tx.putLastResort(bob, bytes(9));
      });
      assertEqual(await store.transaction((tx) => tx.deleteDue({ ...NOTHING, messages: 1 }, 9)), 1, "Welcomes deleted");
      const left = await store.read((tx) => tx.inbox(bob, 9, 99));
      assertEqual(
        left.map(({ welcome }) => welcome),
        [bytes(2)],
        "Welcomes left",
      );
      await store.transaction((tx) => tx.deleteDue({ ...NOTHING, keyPackages: 1 }, 9));
      assertEqual(await store.read((tx) => tx.countKeyPackages(bob)), 1, "key packages left");
      assertEqual(await store.transaction((tx) => tx.takeKeyPackage(bob, 50)), bytes(2), "the younger one");
      await store.transaction((tx) => tx.deleteDue({ ...NOTHING, keyPackages: 49 }, 9));
      await store.transaction((tx) => tx.addKeyPackages(bob, [keyPackage(2)], 60));
      assertEqual(await store.read((tx) => tx.countKeyPackages(bob)), 0, "a package that was handed out at 50");
      assertEqual(await store.read((tx) => tx.lastResort(bob)), bytes(9), "the last resort");
    },
  },
  {
    title: "renewal changes every incarnation, drops key packages that may have been handed out, leaps over ids",
    run: async (open) => {
      const store = await open();
      const before = [await addGroup(store, bytes(1), alice), await addGroup(store, bytes(2), alice)];
      const deliver = (): Promise<void> =>
        store.transaction((tx) =>
          tx.deliver({ groupId: bytes(1), seq: 1, sender: "alice", welcome: bytes(1), clients: [bob] }, 0),
        );
      await deliver();
      await store.transaction(async (tx) => {
        await tx.addKeyPackages(bob, [{ hash: new Uint8Array(32), content: bytes(1) }], 0);
        await tx.putLastResort(bob, bytes(2));
        await tx.renew();
      });
      await deliver();
      const incarnations = new Set(before.map(({ incarnation }) => incarnation));
      for (const { groupId } of before) {
        const group = await store.read((tx) => tx.group(groupId));
        assertEqual(/^[0-9a-f]{32}$/.test(group?.incarnation ?? ""), true, "form of the incarnation");
        incarnations.add(group?.incarnation ?? "");
      }
      assertEqual(incarnations.size, 4, "different incarnations");
      assertEqual(await store.read((tx) => tx.countKeyPackages(bob)), 0, "key packages");
      assertEqual(await store.read((tx) => tx.lastResort(bob)), bytes(2), "last resort");
      const [old, fresh] = (await store.read((tx) => tx.inbox(bob, 9, 99))).map(({ id }) => id);
      assertEqual((fresh ?? 0) - (old ?? 0) >= 2 ** 32, true, "whether the ids leapt");
    },
  },
];
