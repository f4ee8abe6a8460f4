/** Users, device logs, key packages. */
import { assertEqual } from "../assert.ts";
import { bytes, client, type StoreCase } from "./harness.ts";

const alice = client("alice");
const laptop = client("alice", 2);
const bob = client("bob");

const keyPackage = (
  n: number,
): { readonly hash: Uint8Array<ArrayBuffer>; readonly content: Uint8Array<ArrayBuffer> } => ({
  hash: new Uint8Array(32).fill(n),
  content: bytes(n, n),
});

export const directoryCases: readonly StoreCase[] = [
  {
    title: "users come back as they were put, the unknown are left out",
    run: async (open) => {
      const store = await open();
      const zoe = { name: "zoé", skeleton: "zo", logLength: 1, logState: bytes(1, 2), groupsCreated: 0 };
      const other = { name: "zoe", skeleton: "zoe", logLength: 2, logState: bytes(), groupsCreated: 7 };
      await store.transaction(async (tx) => {
        await tx.putUser({ ...zoe, groupsCreated: 3 });
        await tx.putUser(other);
        await tx.putUser(zoe);
      });
      const users = await store.read((tx) => tx.users(["zoe", "nobody", "zoé"]));
      assertEqual([users.size, users.get("zoé"), users.get("zoe")], [2, zoe, other], "users");
      assertEqual((await store.read((tx) => tx.users([]))).size, 0, "of no names");
      const alike = await store.read(async (tx) => [await tx.lookAlike("zo"), await tx.lookAlike("zoé")]);
      assertEqual(alike, ["zoé", undefined], "by skeleton");
    },
  },
  {
    title: "a device log is read from any position",
    run: async (open) => {
      const store = await open();
      await store.transaction(async (tx) => {
        await tx.putUser({ name: "alice", skeleton: "alice", logLength: 3, logState: bytes(), groupsCreated: 0 });
        for (const position of [0, 1, 2]) await tx.appendDeviceLog("alice", position, bytes(position));
      });
      const read = (from: number, limit: number): Promise<unknown> =>
        store.read((tx) => tx.deviceLog("alice", from, limit));
      assertEqual(await read(0, 2), [bytes(0), bytes(1)], "first page");
      assertEqual(await read(2, 2), [bytes(2)], "second page");
      assertEqual(await read(3, 2), [], "after the end");
      assertEqual(await store.read((tx) => tx.deviceLog("bob", 0, 2)), [], "of nobody");
    },
  },
  {
    title: "R-16.8-1 a key package is taken once, oldest first, and does not come back",
    run: async (open) => {
      const store = await open();
      const take = (): Promise<unknown> => store.transaction((tx) => tx.takeKeyPackage(alice, 1));
      await store.transaction((tx) => tx.addKeyPackages(alice, [keyPackage(2), keyPackage(1), keyPackage(2)], 1));
      await store.transaction((tx) => tx.addKeyPackages(alice, [keyPackage(1), keyPackage(3)], 1));
      assertEqual(await store.read((tx) => tx.countKeyPackages(alice)), 3, "count");
      assertEqual(await store.read((tx) => tx.countKeyPackages(laptop)), 0, "count of another device");
      assertEqual(await store.transaction((tx) => tx.takeKeyPackage(bob, 1)), undefined, "of nobody");
      assertEqual([await take(), await take()], [bytes(2, 2), bytes(1, 1)], "first two");
      await store.transaction((tx) => tx.addKeyPackages(alice, [keyPackage(2)], 1));
      assertEqual([await take(), await take()], [bytes(3, 3), undefined], "the rest");
    },
  },
  {
    title: "R-16.8-1 takers at once never get the same key package",
    run: async (open) => {
      const store = await open();
      const all = Array.from({ length: 12 }, (_, n) => keyPackage(n));
      await store.transaction((tx) => tx.addKeyPackages(alice, all, 1));
      const taken = await Promise.all(all.map(() => store.transaction((tx) => tx.takeKeyPackage(alice, 1))));
      assertEqual(taken.map(String).sort(), all.map(({ content }) => String(content)).sort(), "taken");
    },
  },
  {
    title: "key packages that are not kept are gone, and do not come back either",
    run: async (open) => {
      const store = await open();
      await store.transaction(async (tx) => {
        await tx.addKeyPackages(alice, [1, 2, 3].map(keyPackage), 1);
        await tx.addKeyPackages(laptop, [keyPackage(1)], 1);
        await tx.keepKeyPackages(alice, [keyPackage(2).hash, keyPackage(9).hash]);
        await tx.addKeyPackages(alice, [1, 2, 3].map(keyPackage), 1);
      });
      assertEqual(await store.read((tx) => tx.countKeyPackages(alice)), 1, "count");
      assertEqual(await store.read((tx) => tx.countKeyPackages(laptop)), 1, "count of the other device");
      assertEqual(await store.transaction((tx) => tx.takeKeyPackage(alice, 1)), bytes(2, 2), "kept");
    },
  },
  {
    title: "last resorts are replaced, and forgotten with all key packages of their client alone",
    run: async (open) => {
      const store = await open();
      await store.transaction(async (tx) => {
        for (const device of [alice, laptop]) {
          await tx.addKeyPackages(device, [keyPackage(1)], 1);
          await tx.putLastResort(device, bytes(1));
          await tx.putLastResort(device, bytes(2));
        }
      });
      assertEqual(await store.read((tx) => tx.lastResort(alice)), bytes(2), "last resort");
      assertEqual(await store.read((tx) => tx.lastResort(bob)), undefined, "last resort of nobody");
      await store.transaction((tx) => tx.forgetKeyPackages(alice));
      assertEqual(
        await store.read(async (tx) => [await tx.lastResort(alice), await tx.countKeyPackages(alice)]),
        [undefined, 0],
        "after forgetting",
      );
      assertEqual(
        await store.read(async (tx) => [await tx.lastResort(laptop), await tx.countKeyPackages(laptop)]),
        [bytes(2), 1],
        "of the other device",
      );
      await store.transaction((tx) => tx.addKeyPackages(alice, [keyPackage(1)], 1));
      assertEqual(await store.read((tx) => tx.countKeyPackages(alice)), 1, "published anew");
    },
  },
];
