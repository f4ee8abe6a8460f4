/** Groups, readers, logs. */
import { randomBytes } from "@coppice/kit";
import { ENTRY_OVERHEAD_BYTES, type DomainStore } from "../../domain/store.ts";
import { assertEqual, at } from "../assert.ts";
import { addGroup, append, bytes, client, newEntry, newGroup, withoutHash, type StoreCase } from "./harness.ts";

const alice = client("alice");
const laptop = client("alice", 2);
const bob = client("bob");

const range = (after: number, until: number, limit = 100, maxBytes = 1_000_000) => ({ after, until, limit, maxBytes });

const seqs = async (store: DomainStore, groupId: Uint8Array, where: ReturnType<typeof range>): Promise<unknown> =>
  (await store.read((tx) => tx.entries(groupId, where))).map(({ seq }) => seq);

export const groupCases: readonly StoreCase[] = [
  {
    title: "groups come back as they were put, each under its whole id",
    run: async (open) => {
      const store = await open();
      const ids = [bytes(1), bytes(1, 0), bytes(0), randomBytes(255)];
      const groups = ids.map((id) => newGroup(id, alice));
      const changed = {
        ...at(groups, 0),
        epoch: 4n,
        lastSeq: 12,
        lastReceivedAt: 1_790_000_000_000,
        readersSeq: 7,
        endedAt: [9, 8, 7, 6],
      };
      await store.transaction(async (tx) => {
        for (const group of groups) await tx.putGroup(group);
        await tx.putGroup(changed);
        await tx.putGroupInfo(bytes(1), { groupInfo: bytes(1), epoch: 1n, seq: 1 });
        await tx.putGroupInfo(bytes(1), { groupInfo: bytes(2), epoch: 4n, seq: 12 });
      });
      for (const [index, id] of ids.entries()) {
        assertEqual(await store.read((tx) => tx.group(id)), index === 0 ? changed : groups[index], `group ${index}`);
      }
      assertEqual(await store.read((tx) => tx.group(bytes(2))), undefined, "an unknown group");
      const info = await store.read((tx) => tx.groupInfo(bytes(1)));
      assertEqual(info, { groupInfo: bytes(2), epoch: 4n, seq: 12 }, "GroupInfo");
      assertEqual(await store.read((tx) => tx.groupInfo(bytes(1, 0))), undefined, "GroupInfo of another group");
    },
  },
  {
    title: "admissions open, end and open again, per device",
    run: async (open) => {
      const store = await open();
      const groupId = bytes(1);
      await addGroup(store, groupId, alice);
      await addGroup(store, bytes(2), bob);
      await store.transaction(async (tx) => {
        await tx.admit(groupId, [bob, laptop], 3);
        await tx.dismiss(groupId, [bob, client("nobody")], 5);
        await tx.dismiss(groupId, [bob], 6);
      });
      const admissions = (of: typeof bob): Promise<unknown> => store.read((tx) => tx.admissions(groupId, of));
      assertEqual(await admissions(alice), [{ from: 0, until: undefined }], "of the creator");
      assertEqual(await admissions(bob), [{ from: 3, until: 5 }], "of the dismissed");
      assertEqual(await admissions(client("nobody")), [], "of nobody");
      assertEqual(await store.read((tx) => tx.userReads(groupId, "bob")), false, "whether the dismissed reads");
      await store.transaction(async (tx) => {
        await tx.admit(groupId, [bob], 9);
        await tx.dismiss(groupId, [alice], 9);
      });
      assertEqual(
        await admissions(bob),
        [
          { from: 3, until: 5 },
          { from: 9, until: undefined },
        ],
        "of the one who came back",
      );
      const readers = await store.read((tx) => tx.readers(groupId));
      assertEqual(
        readers.map(({ user, device }) => user + device).sort(),
        [`alice${laptop.device}`, `bob${bob.device}`],
        "readers",
      );
      for (const [user, reads] of [
        ["alice", true],
        ["bob", true],
        ["nobody", false],
      ] as const) {
        assertEqual(await store.read((tx) => tx.userReads(groupId, user)), reads, `whether ${user} reads`);
      }
    },
  },
  {
    title: "a client's groups are listed by ascending ids, in pages; contacts are those who share one",
    run: async (open) => {
      const store = await open();
      for (const id of [bytes(2), bytes(1, 255), bytes(1), bytes(255), bytes(128)]) await addGroup(store, id, alice);
      await addGroup(store, bytes(3), bob);
      await store.transaction(async (tx) => {
        await tx.dismiss(bytes(255), [alice], 0);
        await tx.admit(bytes(2), [bob, laptop], 0);
        await tx.admit(bytes(3), [client("carol")], 0);
      });
      const list = async (after: Uint8Array | undefined, limit: number): Promise<unknown> =>
        (await store.read((tx) => tx.groupsOf(alice, after, limit))).map(({ groupId }) => groupId);
      assertEqual(await list(undefined, 9), [bytes(1), bytes(1, 255), bytes(2), bytes(128)], "all");
      assertEqual(await list(undefined, 2), [bytes(1), bytes(1, 255)], "first page");
      assertEqual(await list(bytes(1, 255), 2), [bytes(2), bytes(128)], "second page");
      assertEqual(await list(bytes(1, 5), 1), [bytes(1, 255)], "after an id that is none of them");
      assertEqual(await list(bytes(128), 2), [], "third page");
      const contacts = async (user: string, limit = 9): Promise<unknown> =>
        (await store.read((tx) => tx.contacts(user, limit))).map((contact) => contact.user + contact.device).sort();
      const keys = [alice, laptop, bob].map(({ user, device }) => user + device);
      assertEqual(await contacts("alice"), keys.sort(), "contacts of alice");
      assertEqual(((await contacts("bob", 2)) as unknown[]).length, 2, "contacts up to a limit");
      assertEqual(await contacts("nobody"), [], "contacts of nobody");
    },
  },
  {
    title: "entries come back as they were appended, in pages bounded by number and bytes",
    run: async (open) => {
      const store = await open();
      const [groupId, other] = [bytes(1), bytes(2)];
      const group = await addGroup(store, groupId, alice);
      const elsewhere = await addGroup(store, other, alice);
      const entries = [
        newEntry(1, 10),
        newEntry(2, 1, "commit"),
        newEntry(3, 20_000),
        newEntry(4, 10),
        newEntry(5, 10),
      ];
      await store.transaction((tx) => append(tx, group, entries.slice(0, 2)));
      await store.transaction((tx) => append(tx, elsewhere, [newEntry(1, 30)]));
      await store.transaction((tx) => append(tx, group, entries.slice(2)));
      assertEqual(await store.read((tx) => tx.entries(groupId, range(0, 5))), entries.map(withoutHash), "all");
      assertEqual(await seqs(store, groupId, range(1, 4)), [2, 3, 4], "a part");
      assertEqual(await seqs(store, groupId, range(0, 5, 2)), [1, 2], "limited by number");
      assertEqual(await seqs(store, groupId, range(0, 5, 9, 11)), [1, 2], "limited by bytes");
      assertEqual(await seqs(store, groupId, range(2, 5, 9, 11)), [3], "one entry in any case");
      assertEqual(await seqs(store, groupId, range(5, 99)), [], "after the end");
      assertEqual(await seqs(store, groupId, range(4, 3)), [], "an empty range");
    },
  },
  {
    title: "posted bytes are found by kind and hash, in their own group alone",
    run: async (open) => {
      const store = await open();
      const groupId = bytes(1);
      const group = await addGroup(store, groupId, alice);
      await addGroup(store, bytes(2), alice);
      const entries = [newEntry(1), newEntry(2, 4, "commit"), newEntry(3)];
      await store.transaction((tx) => append(tx, group, entries));
      const hashes = [at(entries, 2).hash, newEntry(9).hash, at(entries, 1).hash, at(entries, 0).hash];
      const find = (id: Uint8Array, kind: "commit" | "message"): Promise<unknown> =>
        store.read((tx) => tx.findEntries(id, kind, hashes));
      assertEqual(await find(groupId, "message"), [3, undefined, undefined, 1], "messages");
      assertEqual(await find(groupId, "commit"), [undefined, undefined, 2, undefined], "commits");
      assertEqual(await find(bytes(2), "message"), [undefined, undefined, undefined, undefined], "elsewhere");
    },
  },
  {
    title:
      "issue 15 (11): what a group and its creator keep is counted, also when it is replaced, deleted or taken back",
    run: async (open) => {
      const store = await open();
      const [groupId, other] = [bytes(1), bytes(2)];
      await store.transaction((tx) =>
        tx.putUser({ name: "alice", skeleton: "alice", logLength: 1, logState: bytes(1), groupsCreated: 0 }),
      );
      const group = await addGroup(store, groupId, alice);
      await addGroup(store, other, laptop);
      const stored = (id = groupId): Promise<unknown> => store.read((tx) => tx.storedBytes(id));
      const total = (): Promise<number> => store.read((tx) => tx.totalBytes());
      const empty = await total();
      const count = (ofGroup: number, ofCreator: number): unknown => ({
        group: ofGroup,
        creator: ofCreator,
        allowance: undefined,
      });
      assertEqual(await stored(), count(1, 2), "a GroupInfo of one byte each");
      await store.transaction((tx) => append(tx, group, [newEntry(1, 50_000), newEntry(2, 10)], 7));
      const log = 50_010 + 2 * ENTRY_OVERHEAD_BYTES;
      assertEqual(await stored(), count(log + 1, log + 2), "with two entries");
      assertEqual(await stored(other), count(1, log + 2), "the other group of the same user");
      assertEqual((await total()) >= empty + 40_000, true, "the total grows, about");
      await store.transaction((tx) => tx.putGroupInfo(groupId, { groupInfo: randomBytes(31), epoch: 1n, seq: 1 }));
      assertEqual(await stored(), count(log + 31, log + 32), "with another GroupInfo");
      const lost = store.transaction(async (tx) => {
        await append(tx, group, [newEntry(3, 100)]);
        throw new Error("on purpose");
      });
      await lost.catch(() => undefined);
      assertEqual(await stored(), count(log + 31, log + 32), "after a transaction that failed");
      await store.transaction((tx) => tx.deleteDue({ messages: 7, hashes: -1, keyPackages: -1 }, 9));
      assertEqual(await stored(), count(31, 32), "after the entries were deleted");
    },
  },
];
