/** Device logs: the server stores them, checks that they follow their rules, and cannot write them. */
import { randomBytes } from "@coppice/kit";
import type { DeviceLogEntry } from "../../device-log/entry.ts";
import { assertEqual, assertRejects, at } from "../assert.ts";
import { createIdentity, newDevice, uniqueName } from "../identity.ts";
import { addDevice, newestEntry, recordEvents, withUsers, type ConformanceCase } from "./harness.ts";

export const deviceLogCases: readonly ConformanceCase[] = [
  {
    title: "a device log is read by everybody, from any position",
    run: withUsers(2, async (users, connect) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      await addDevice(connect, alice);
      await addDevice(connect, alice);
      const log = await bob.service.readDeviceLog({ user: alice.name, from: 0 });
      assertEqual(
        log.map(({ position, change }) => [position, change.action]),
        [
          [0, "create"],
          [1, "add"],
          [2, "add"],
        ],
        "entries",
      );
      assertEqual(at(log, 0), alice.identity.register, "first entry");
      assertEqual(await bob.service.readDeviceLog({ user: alice.name, from: 1 }), log.slice(1), "from 1");
      assertEqual(await bob.service.readDeviceLog({ user: alice.name, from: 3 }), [], "from the end");
      const nobody = uniqueName("nobody");
      const error = await assertRejects(bob.service.readDeviceLog({ user: nobody, from: 0 }), "ERR_DS_UNKNOWN_USER");
      assertEqual(error.detail["user"], nobody, "detail.user");
    }),
  },
  {
    title: "what does not extend the log by its rules is refused, with the log's length",
    run: withUsers(2, async (users) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const { identity, service } = alice;
      const { key } = await createIdentity();
      const first = identity.register;
      const add = { action: "add", device: newDevice(), key } as const;
      const good = await identity.extend(first, add);
      const wrong: readonly DeviceLogEntry[] = [
        { ...good, signature: randomBytes(64) },
        { ...good, change: { ...add, device: newDevice() } },
        { ...good, previous: randomBytes(32) },
        { ...good, position: 2 },
        await identity.extend(first, { action: "remove", device: newDevice() }),
        await bob.identity.extend(first, add),
        { ...(await bob.identity.extend(first, add)), signer: alice.client.device },
        await identity.extend(first, { action: "create", device: newDevice(), key, nonce: randomBytes(32) }),
      ];
      for (const entry of wrong) {
        const error = await assertRejects(service.appendDeviceLog(entry), "ERR_DS_DEVICE_LOG");
        assertEqual(error.detail["length"], 1, "detail.length");
      }
      assertEqual((await service.readDeviceLog({ user: alice.name, from: 0 })).length, 1, "length");
      await service.appendDeviceLog(good);
    }),
  },
  {
    title: "appending the same bytes again is no error, another entry in their place is",
    run: withUsers(1, async (users) => {
      const { identity, service, name } = at(users, 0);
      const { key } = await createIdentity();
      const entries = await Promise.all(
        [1, 2].map(() => identity.extend(identity.register, { action: "add", device: newDevice(), key })),
      );
      const [entry, rival] = [at(entries, 0), at(entries, 1)];
      await Promise.all([service.appendDeviceLog(entry), service.appendDeviceLog(entry)]);
      await service.appendDeviceLog(entry);
      await service.appendDeviceLog(identity.register);
      const error = await assertRejects(service.appendDeviceLog(rival), "ERR_DS_DEVICE_LOG");
      assertEqual(error.detail["length"], 2, "detail.length");
      assertEqual((await service.readDeviceLog({ user: name, from: 0 })).length, 2, "length");
    }),
  },
  {
    title: "of many entries for one position at once exactly one is taken",
    run: withUsers(1, async (users) => {
      const { identity, service, name } = at(users, 0);
      const keys = await Promise.all(Array.from({ length: 6 }, () => createIdentity()));
      const entries = await Promise.all(
        keys.map(({ key }) => identity.extend(identity.register, { action: "add", device: newDevice(), key })),
      );
      const outcomes = await Promise.allSettled(entries.map((entry) => service.appendDeviceLog(entry)));
      assertEqual(outcomes.filter(({ status }) => status === "fulfilled").length, 1, "accepted");
      assertEqual((await service.readDeviceLog({ user: name, from: 0 })).length, 2, "length");
    }),
  },
  {
    title: "nobody extends another user's log",
    run: withUsers(2, async (users) => {
      const [alice, mallory] = [at(users, 0), at(users, 1)];
      const { key } = await createIdentity();
      const entry = await alice.identity.extend(alice.identity.register, { action: "add", device: newDevice(), key });
      await assertRejects(mallory.service.appendDeviceLog(entry), "ERR_DS_DEVICE_LOG");
      assertEqual((await alice.service.readDeviceLog({ user: alice.name, from: 0 })).length, 1, "length");
    }),
  },
  {
    title: "a device that the log removes loses its session, its connection, its key packages and its way in",
    run: withUsers(2, async (users, connect) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const laptop = await addDevice(connect, alice);
      await laptop.service.publishKeyPackages({ keyPackages: [randomBytes(9)], lastResort: randomBytes(9) });
      const events = recordEvents(laptop);
      await events.waitFor((event) => event.type === "connection" && event.online, "online");
      const removal = { action: "remove", device: laptop.client.device } as const;
      await alice.service.appendDeviceLog(await alice.identity.extend(await newestEntry(alice), removal));
      await events.waitFor((event) => event.type === "connection" && !event.online, "offline");
      await assertRejects(laptop.service.countKeyPackages(), "ERR_DS_NAME_TAKEN");
      await assertRejects(connect(laptop.identity), "ERR_DS_NAME_TAKEN");
      await assertRejects(bob.service.claimKeyPackages([alice.name]), "ERR_DS_NO_KEY_PACKAGE");
      assertEqual(await alice.service.countKeyPackages(), 0, "what the other device may go on with");
    }),
  },
];
