/** Notifications. */
import { randomBytes } from "@coppice/kit";
import { MAX_EVENT_ENTRY_BYTES, type DeliveryEvent } from "../../contract.ts";
import { assertEqual, at } from "../assert.ts";
import {
  accept,
  addDevice,
  createTestGroup,
  plainCommit,
  recordEvents,
  send,
  withUsers,
  type ConformanceCase,
  type EventRecorder,
  type TestGroup,
} from "./harness.ts";

const online = (event: DeliveryEvent): boolean => event.type === "connection" && event.online;

const logEvent =
  ({ groupId }: TestGroup, seq: number) =>
  (event: DeliveryEvent): boolean =>
    event.type === "log" && event.position.seq === seq && String(event.groupId) === String(groupId);

/** Numbers of the entries that a client was told of. */
const toldSeqs = ({ events }: EventRecorder): readonly number[] =>
  events.flatMap((event) => (event.type === "log" ? [event.position.seq] : []));

async function recordAll(participants: Parameters<typeof recordEvents>[0][]): Promise<readonly EventRecorder[]> {
  const records = participants.map(recordEvents);
  await Promise.all(records.map((record) => record.waitFor(online, "online")));
  return records;
}

export const eventCases: readonly ConformanceCase[] = [
  {
    title: "every listener learns first that the connection is up and over what, also a late one",
    run: withUsers(1, async (users) => {
      const alice = at(users, 0);
      const early = recordEvents(alice);
      assertEqual(early.events, [], "events before subscribe returns");
      await early.waitFor(online, "online");
      const late = recordEvents(alice);
      await late.waitFor(online, "online for the late listener");
      assertEqual(early.events.length, 1, "events of the early listener");
      for (const { events } of [early, late]) {
        const [event] = events;
        const isSaid = event?.type === "connection" && event.online && event.transport !== undefined;
        assertEqual(isSaid, true, "whether the first event says so");
      }
    }),
  },
  {
    title: "readers learn of new entries, invited users of their Welcome, removed ones of their removal",
    run: withUsers(3, async (users) => {
      const [creator, member, stranger] = [at(users, 0), at(users, 1), at(users, 2)];
      const records = await recordAll([creator, member, stranger]);
      const group = await createTestGroup(creator, [member]);
      await at(records, 1).waitFor((event) => event.type === "inbox", "inbox of the invited");
      await send(member, group, 1n, { seq: 1 });
      await at(records, 0).waitFor(logEvent(group, 2), "seq 2");
      const removed = [member.client];
      await accept(creator.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 2, removed })));
      await at(records, 1).waitFor(logEvent(group, 3), "the removal");
      await send(creator, group, 2n, { seq: 3 });
      await createTestGroup(creator, [stranger]);
      await at(records, 2).waitFor((event) => event.type === "inbox", "inbox of the stranger");
      assertEqual(toldSeqs(at(records, 1)), [3], "entries that the removed was told of");
      assertEqual(toldSeqs(at(records, 2)), [], "entries that the stranger was told of");
    }),
  },
  {
    title: "events carry small entries whole and announce longer ones",
    run: withUsers(2, async (users) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(alice, [bob]);
      const [record] = await recordAll([bob]);
      if (record === undefined) throw new Error("no record");
      const sizes = [1, MAX_EVENT_ENTRY_BYTES, MAX_EVENT_ENTRY_BYTES + 1, 10];
      for (const size of sizes) await send(alice, group, 1n, { seq: 1, messages: [randomBytes(size)] });
      await accept(alice.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1 })));
      await record.waitFor(logEvent(group, 6), "the Commit");
      const { groupId } = group;
      const { entries } = await bob.service.readLog({ groupId, after: group.after(1) });
      const told = record.events.filter(({ type }) => type === "log");
      assertEqual(
        told,
        entries.map((entry) => ({
          type: "log",
          groupId,
          position: group.after(entry.seq),
          entry: entry.message.length > MAX_EVENT_ENTRY_BYTES ? undefined : entry,
        })),
        "events",
      );
    }),
  },
  {
    title: "a client is not told of what it posted itself; its user's other devices are",
    run: withUsers(2, async (users, connect) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const laptop = await addDevice(connect, alice);
      const group = await createTestGroup(alice, [laptop, bob]);
      const records = await recordAll([alice, laptop, bob]);
      await send(alice, group, 1n, { seq: 1 });
      await accept(alice.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 2 })));
      await send(bob, group, 2n, { seq: 3 });
      await Promise.all(records.slice(0, 2).map((record) => record.waitFor(logEvent(group, 4), "seq 4")));
      await send(laptop, group, 2n, { seq: 4 });
      await at(records, 2).waitFor(logEvent(group, 5), "seq 5");
      await at(records, 0).waitFor(logEvent(group, 5), "seq 5");
      assertEqual(
        records.map(toldSeqs),
        [
          [4, 5],
          [2, 3, 4],
          [2, 3, 5],
        ],
        "entries that each was told of",
      );
    }),
  },
  {
    title: "events of one connection keep the log's order",
    run: withUsers(3, async (users) => {
      const [alice, bob, carol] = [at(users, 0), at(users, 1), at(users, 2)];
      const group = await createTestGroup(alice, [bob, carol]);
      const [record] = await recordAll([carol]);
      if (record === undefined) throw new Error("no record");
      await Promise.all(
        Array.from({ length: 30 }, (_, i) => {
          if (i === 10) return alice.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1 }));
          const messages = Array.from({ length: 1 + (i % 3) }, () => randomBytes(9));
          return send(i % 2 === 0 ? alice : bob, group, 1n, { seq: 1, messages });
        }),
      );
      const { lastSeq } = await carol.service.readLog({ groupId: group.groupId, after: group.after(1), limit: 1 });
      await record.waitFor(logEvent(group, lastSeq), "the newest entry");
      const seqs = toldSeqs(record);
      assertEqual(
        seqs,
        Array.from({ length: lastSeq - 1 }, (_, i) => i + 2),
        "order",
      );
    }),
  },
  {
    title: "who shares a group with a user, and the user's devices, learn that its device log grew",
    run: withUsers(3, async (users, connect) => {
      const [alice, bob, stranger] = [at(users, 0), at(users, 1), at(users, 2)];
      const laptop = await addDevice(connect, alice);
      await createTestGroup(alice, [bob]);
      const records = await recordAll([alice, laptop, bob, stranger]);
      await addDevice(connect, alice);
      const grew = (event: DeliveryEvent): boolean => event.type === "devices" && event.user === alice.name;
      await at(records, 1).waitFor(grew, "the other device");
      await at(records, 2).waitFor(grew, "who shares a group");
      assertEqual(at(records, 3).events.filter(grew), [], "events of the stranger");
    }),
  },
  {
    title: "adversarial 42: a listener that throws or releases harms no other",
    run: withUsers(2, async (users) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(alice, [bob]);
      const released = recordEvents(alice);
      const release = alice.service.subscribe(() => {
        released.release();
        release();
      });
      const record = recordEvents(alice);
      await record.waitFor(online, "online");
      released.release();
      const count = released.events.length;
      await send(bob, group, 1n, { seq: 1 });
      await record.waitFor(logEvent(group, 2), "seq 2");
      assertEqual(released.events.length, count, "events of the released listener");
    }),
  },
];
