/** All or none, one after the other. */
import { assertEqual, show } from "../assert.ts";
import { addGroup, append, bytes, client, newEntry, type StoreCase } from "./harness.ts";

const alice = client("alice");

export const transactionCases: readonly StoreCase[] = [
  {
    title: "a transaction returns what its body returns, and reads see it from then on",
    run: async (open) => {
      const store = await open();
      assertEqual(await store.read((tx) => tx.age()), 0, "age of a new store");
      const result = await store.transaction(async (tx) => {
        await tx.putAge(5);
        return tx.age();
      });
      assertEqual(result, 5, "what the body read of its own write");
      assertEqual(await store.read((tx) => tx.age()), 5, "age");
    },
  },
  {
    title: "a body that throws leaves nothing behind, of any kind of write",
    run: async (open) => {
      const store = await open();
      const groupId = bytes(1);
      const group = await addGroup(store, groupId, alice);
      await store.transaction(async (tx) => {
        await tx.addKeyPackages(alice, [{ hash: bytes(1), content: bytes(10) }], 0);
        await tx.putLastResort(alice, bytes(11));
        await tx.deliver({ groupId, seq: 0, sender: "bob", welcome: bytes(12), clients: [alice] }, 0);
        await append(tx, group, [newEntry(1)]);
        await tx.putUser({ name: "alice", skeleton: "al", logLength: 1, logState: bytes(1), groupsCreated: 0 });
        await tx.appendDeviceLog("alice", 0, bytes(13));
      });
      const picture = (): Promise<unknown> =>
        store.read(async (tx) => [
          [...(await tx.users(["alice"]))],
          await tx.lookAlike("b"),
          await tx.deviceLog("alice", 0, 10),
          await tx.countKeyPackages(alice),
          await tx.lastResort(alice),
          await tx.group(groupId),
          await tx.groupInfo(groupId),
          await tx.readers(groupId),
          await tx.entries(groupId, { after: 0, until: 9, limit: 9, maxBytes: 999 }),
          await tx.findEntries(groupId, "message", [newEntry(1).hash, newEntry(2).hash]),
          await tx.inbox(alice, 9, 999),
          await tx.group(bytes(2)),
          await tx.age(),
        ]);
      const before = show(await picture());
      const failure = new Error("on purpose");
      const failing = store.transaction(async (tx) => {
        await tx.putUser({ name: "alice", skeleton: "al", logLength: 2, logState: bytes(2), groupsCreated: 9 });
        await tx.putUser({ name: "bob", skeleton: "b", logLength: 0, logState: bytes(), groupsCreated: 0 });
        await tx.appendDeviceLog("alice", 1, bytes(14));
        await tx.takeKeyPackage(alice, 1);
        await tx.addKeyPackages(alice, [{ hash: bytes(2), content: bytes(20) }], 0);
        await tx.keepKeyPackages(alice, []);
        await tx.forgetKeyPackages(alice);
        await tx.putLastResort(alice, bytes(21));
        await append(tx, group, [newEntry(2)]);
        await tx.putGroupInfo(groupId, { groupInfo: bytes(9), epoch: 1n, seq: 2 });
        await tx.dismiss(groupId, [alice], 2);
        await tx.admit(groupId, [client("bob")], 2);
        await tx.acknowledge(alice, 1_000_000);
        await tx.deliver({ groupId, seq: 2, sender: "bob", welcome: bytes(22), clients: [alice] }, 0);
        await tx.putGroup({ ...group, groupId: bytes(2) });
        await tx.deleteDue({ messages: 5, hashes: 5, keyPackages: 5 }, 100);
        await tx.renew();
        await tx.putAge(7);
        throw failure;
      });
      const outcome: unknown = await failing.catch((error: unknown) => error);
      assertEqual(outcome === failure, true, "the body's own error");
      assertEqual(show(await picture()), before, "what the store holds");
      const taken = await store.transaction((tx) => tx.takeKeyPackage(alice, 1));
      assertEqual(taken, bytes(10), "the key package that was not taken");
    },
  },
  {
    title: "transactions at once lose no update",
    run: async (open) => {
      const store = await open();
      const increment = (): Promise<number> =>
        store.transaction(async (tx) => {
          const age = await tx.age();
          await tx.users(["nobody"]);
          await tx.putAge(age + 1);
          return age + 1;
        });
      const results = await Promise.all(Array.from({ length: 25 }, increment));
      assertEqual(new Set(results).size, 25, "different results");
      assertEqual(await store.read((tx) => tx.age()), 25, "sum");
    },
  },
  {
    title: "a failed transaction harms none of those at the same time",
    run: async (open) => {
      const store = await open();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 9 }, (_, index) =>
          store.transaction(async (tx) => {
            await tx.putAge((await tx.age()) + 1);
            if (index % 3 === 1) throw new Error("on purpose");
          }),
        ),
      );
      assertEqual(outcomes.filter(({ status }) => status === "rejected").length, 3, "failures");
      assertEqual(await store.read((tx) => tx.age()), 6, "sum");
    },
  },
  {
    title: "transactions on one group resolve in the order in which they took effect",
    run: async (open) => {
      const store = await open();
      const groupId = bytes(1);
      await addGroup(store, groupId, alice);
      const resolved: number[] = [];
      await Promise.all(
        Array.from({ length: 20 }, () =>
          store
            .transaction(async (tx) => {
              const group = await tx.group(groupId);
              if (group === undefined) throw new Error("no group");
              await append(tx, group, [newEntry(group.lastSeq + 1)]);
              return group.lastSeq + 1;
            })
            .then((seq) => resolved.push(seq)),
        ),
      );
      assertEqual(
        resolved,
        Array.from({ length: 20 }, (_, index) => index + 1),
        "order",
      );
    },
  },
];
