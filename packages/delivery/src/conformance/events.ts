/** Notifications. */
import type { DeliveryEvent } from "../contract.ts";
import {
  assertEqual,
  at,
  createTestGroup,
  randomBytes,
  recordEvents,
  withUsers,
  type ConformanceCase,
} from "./harness.ts";

const online = (event: DeliveryEvent): boolean => event.type === "connection" && event.online;

const logEvent =
  (groupId: Uint8Array, seq: number) =>
  (event: DeliveryEvent): boolean =>
    event.type === "log" && event.seq === seq && String(event.groupId) === String(groupId);

export const eventCases: readonly ConformanceCase[] = [
  {
    title: "every listener learns first that the connection is up, also a late one",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const early = recordEvents(service);
      assertEqual(early.events, [], "events before subscribe returns");
      await early.waitFor(online, "online");
      const late = recordEvents(service);
      await late.waitFor(online, "online for the late listener");
      assertEqual(early.events, [{ type: "connection", online: true }], "events of the early listener");
    }),
  },
  {
    title: "readers learn of new entries, invited users of their Welcome, removed ones of their removal",
    run: withUsers(3, async (users) => {
      const [creator, member, stranger] = [at(users, 0), at(users, 1), at(users, 2)];
      const records = [creator, member, stranger].map(({ service }) => recordEvents(service));
      await Promise.all(records.map((record) => record.waitFor(online, "online")));
      const groupId = await createTestGroup(creator, [member]);
      await at(records, 1).waitFor((event) => event.type === "inbox", "inbox of the invited");
      await member.service.sendMessage({ groupId, epoch: 1n, message: randomBytes(9) });
      for (const record of records.slice(0, 2)) await record.waitFor(logEvent(groupId, 2), "seq 2");
      const removed = [member.name];
      await creator.service.submitCommit({ groupId, epoch: 1n, commit: randomBytes(9), added: [], removed });
      await at(records, 1).waitFor(logEvent(groupId, 3), "the removal");
      await creator.service.sendMessage({ groupId, epoch: 2n, message: randomBytes(9) });
      await at(records, 0).waitFor(logEvent(groupId, 4), "seq 4");
      assertEqual(at(records, 1).events.filter(logEvent(groupId, 4)), [], "events of the removed");
      assertEqual(at(records, 2).events.length, 1, "events of the stranger");
    }),
  },
  {
    title: "adversarial 42: a listener that throws or releases harms no other",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const released = recordEvents(service);
      service.subscribe(() => {
        released.release();
        throw new Error("an application's mistake");
      });
      const record = recordEvents(service);
      await record.waitFor(online, "online");
      released.release();
      const count = released.events.length;
      const groupId = await createTestGroup(at(users, 0));
      await service.sendMessage({ groupId, epoch: 0n, message: randomBytes(9) });
      await record.waitFor(logEvent(groupId, 1), "seq 1");
      assertEqual(released.events.length, count, "events of the released listener");
    }),
  },
];
