/** Backup and restoration: the account comes back, its groups are joined again, and doing it twice is harmless. */
import { decodeOwnKeyPackage, getCipherSuite, restoreGroup } from "@coppice/core";
import { describe, expect, test } from "vitest";
import { exportAccount, importAccount } from "../src/backup.ts";
import { entries } from "../src/backup/entries.ts";
import { accountRecord, keyPackageRecord } from "../src/records/account.ts";
import { again, kinds, listen, members, pair, problems, texts, World, type Device } from "./world.ts";

type Bytes = Uint8Array<ArrayBuffer>;

async function backupOf(device: Device): Promise<Bytes[]> {
  const chunks: Bytes[] = [];
  for await (const chunk of exportAccount(device.store())) chunks.push(chunk);
  return chunks;
}

async function* streamOf(chunks: readonly Bytes[]): AsyncGenerator<Bytes> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

const restore = (device: Device, chunks: readonly Bytes[], user = "alice"): Promise<void> =>
  importAccount(device.store(), streamOf(chunks), { user });

/** Everything that a device's store holds. */
async function contents(device: Device): Promise<unknown> {
  const store = device.store();
  const { names } = await store.partitions();
  return Promise.all([...names].sort().map(async (name) => [name, await store.read(name, [{ prefix: "" }])]));
}

/** Alice has talked with Bob; her backup, and a new device that nothing is on. */
async function scene() {
  const { world, aliceDevice, alice, atAlice, atBob } = await pair();
  await world.run(atAlice.rename("Kept"));
  for (const text of ["1", "2", "3"]) await world.run(atAlice.send(text));
  await world.run(atBob.send("4"));
  await world.until(async () => (await texts(atAlice)).length === 4);
  await world.time.advance(5000);
  const backup = await backupOf(aliceDevice);
  return { world, alice, aliceDevice, atAlice, atBob, backup, fresh: world.device("alice") };
}

describe("a backup", () => {
  test("holds no ratchet, secret of an epoch or key package", async () => {
    const { aliceDevice, backup } = await scene();
    const store = aliceDevice.store();
    const secrets: Bytes[] = [];
    for (const name of (await store.partitions()).names) {
      const { records } = await store.read(name, [{ prefix: "" }]);
      for (const [record, bytes] of records) {
        if (record.startsWith("key-package/")) {
          const own = decodeOwnKeyPackage(await getCipherSuite(1), keyPackageRecord.decode(bytes).own);
          secrets.push(own.initPrivateKey, own.encryptionPrivateKey);
        }
      }
      const group = new Map([...records].filter(([record]) => record.startsWith("group/")));
      if (group.size === 0) continue;
      const state = await restoreGroup(group);
      secrets.push(...[...state.privateKeys.values()].map(({ privateKey }) => privateKey));
      secrets.push(...Object.values(state.secrets).filter(({ length }) => length > 0));
    }
    expect(secrets.length).toBeGreaterThan(10);
    const whole = Buffer.concat(backup);
    expect(secrets.filter((secret) => whole.includes(Buffer.from(secret)))).toEqual([]);
    // It would be found: the device's key is there.
    const { records } = await store.read("account", [{ prefix: "account" }]);
    const { privateKey } = accountRecord.decode(records.get("account") ?? new Uint8Array());
    expect(whole.includes(Buffer.from(privateKey))).toBe(true);
  });

  test("brings the account back where nothing is: histories, names, and its groups under new keys", async () => {
    const { world, alice, atAlice, atBob, backup, fresh } = await scene();
    const former = atAlice.snapshot;
    alice.crash();
    await world.run(atBob.send("while nobody was there"));
    await restore(fresh, backup);
    const opened = await fresh.open();
    expect(opened.client.device).toBe(alice.client.device);
    const back = again(opened, atAlice);
    expect([back.snapshot.title, await texts(back)]).toEqual(["Kept", ["1", "2", "3", "4"]]);
    await world.until(() => back.snapshot.status === "active");
    expect(back.snapshot.epoch).toBeGreaterThan(former.epoch);
    expect((await kinds(back)).at(-1)).toBe("gap");
    const [heard, told] = [listen(atBob), listen(back)];
    await world.run(back.send("5"));
    await world.run(atBob.send("6"));
    await world.until(() => heard.includes("alice: 5") && told.includes("bob: 6"));
    expect((await members(atBob)).map(({ user, devices }) => [user, devices.length])).toEqual([
      ["alice", 1],
      ["bob", 1],
    ]);
    await world.agree(back, atBob);
  });

  test("leaves others no key package of which the key is lost", async () => {
    const { world, alice, backup, fresh } = await scene();
    alice.crash();
    await restore(fresh, backup);
    const opened = await fresh.open();
    await world.run(opened.client.sync());
    const carol = await world.client("carol");
    for (let group = 0; group < 3; group++) {
      const created = await carol.createGroup();
      await world.run(created.add("alice"));
      await world.agree(await world.arrival(opened.client, created.id), created);
    }
    expect(problems(opened.client)).toEqual([]);
  });

  test("restored twice, or after it broke off, changes nothing that is there", async () => {
    const { world, alice, atAlice, backup, fresh } = await scene();
    alice.crash();
    for (let end = 1; end < backup.length; end++) {
      const broken = async function* (): AsyncGenerator<Bytes> {
        yield* streamOf(backup.slice(0, end));
        throw new Error("The file is cut off");
      };
      await expect(importAccount(fresh.store(), broken(), { user: "alice" })).rejects.toThrow("cut off");
      // No account is made of half a backup.
      expect((await fresh.store().read("account", [{ prefix: "account" }])).records.size).toBe(0);
    }
    await restore(fresh, backup);
    const once = await contents(fresh);
    await restore(fresh, backup);
    expect(await contents(fresh)).toEqual(once);
    const opened = await fresh.open();
    await world.until(() => again(opened, atAlice).snapshot.status === "active");
    await world.time.advance(5000);
    const running = await contents(fresh);
    await restore(fresh, backup);
    expect(await contents(fresh)).toEqual(running);
  });

  test("gives a device that started anew the histories of conversations that it does not have", async () => {
    const { backup } = await scene();
    const world = new World();
    const other = world.device("alice");
    const { client } = await other.open();
    await restore(other, backup);
    await world.until(() => client.conversations.length === 1);
    const [history] = client.conversations;
    expect(history?.snapshot.status).toBe("removed");
    expect(history && (await texts(history))).toEqual(["1", "2", "3", "4"]);
  });

  test("of another account is refused, and nothing is written", async () => {
    const { world, backup } = await scene();
    const [carol, fresh] = [world.device("carol"), world.device("carol")];
    await carol.open();
    const before = await contents(carol);
    for (const device of [carol, fresh]) {
      await expect(restore(device, backup, "carol")).rejects.toMatchObject({ code: "ERR_CLIENT_WRONG_ACCOUNT" });
    }
    expect([await contents(carol), await contents(fresh)]).toEqual([before, []]);
    await expect(restore(carol, backup)).rejects.toMatchObject({ code: "ERR_CLIENT_WRONG_ACCOUNT" });
  });

  test("that is none is refused", async () => {
    const { world, backup } = await scene();
    const device = world.device("alice");
    const [account, ...rest] = backup;
    const codes = ["ERR_CLIENT_NO_BACKUP", "ERR_STORE_CORRUPT", "ERR_STORE_NEWER_SCHEMA"];
    const items = [{ kind: "items", conversation: "../account", items: [] }] as const;
    for (const [chunks, code] of [
      [[], codes[0]],
      [rest, codes[0]],
      [[account, account], codes[0]],
      [[account, entries.encode(items)], codes[0]],
      [[Uint8Array.of(2, 9, 9)], codes[1]],
      [[account, account?.slice(0, 20)], codes[1]],
      [[Uint8Array.of(99)], codes[2]],
    ] as [Bytes[], string][]) {
      await expect(restore(device, chunks)).rejects.toMatchObject({ code });
    }
    expect(await contents(device)).toEqual([]);
    await expect(backupOf(device)).rejects.toMatchObject({ code: "ERR_CLIENT_NO_ACCOUNT" });
  });

  test("tells its progress, and stops when it is told to", async () => {
    const { aliceDevice, backup, fresh } = await scene();
    const told: unknown[] = [];
    const exported = exportAccount(aliceDevice.store(), { onProgress: (progress) => told.push(progress) });
    while ((await exported.next()).done !== true);
    await importAccount(fresh.store(), streamOf(backup), {
      user: "alice",
      onProgress: ({ items, total }) => told.push([items, total]),
    });
    expect(told[0]).toEqual({ items: 6, total: 6 });
    expect(told.at(-1)).toEqual([6, 6]);
    const signal = AbortSignal.abort(new Error("of the caller"));
    await expect(exportAccount(aliceDevice.store(), { signal }).next()).rejects.toThrow("of the caller");
    await expect(importAccount(fresh.store(), streamOf(backup), { user: "alice", signal })).rejects.toThrow(
      "of the caller",
    );
  });
});
