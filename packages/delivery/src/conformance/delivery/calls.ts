/** What holds for every call: arguments, abort, close. */
import { randomBytes } from "@coppice/kit";
import { assertEqual, assertRejects, at } from "../assert.ts";
import { newDevice } from "../identity.ts";
import { createTestGroup, plainCommit, send, withUsers, type ConformanceCase } from "./harness.ts";

export const callCases: readonly ConformanceCase[] = [
  {
    title: "impossible arguments are the caller's mistake",
    run: withUsers(1, async (users) => {
      const alice = at(users, 0);
      const { service } = alice;
      const group = await createTestGroup(alice);
      const { groupId } = group;
      const after = group.after(0);
      const groupInfo = randomBytes(9);
      const upperCase = { user: alice.name, device: `A${newDevice().slice(1)}` };
      const calls: readonly (() => Promise<unknown>)[] = [
        () => service.readLog({ groupId, after: { ...after, seq: -1 } }),
        () => service.readLog({ groupId, after: { ...after, seq: 0.5 } }),
        () => service.readLog({ groupId, after: { ...after, incarnation: "0" } }),
        () => service.readLog({ groupId, after, limit: 0 }),
        () => service.readLog({ groupId, after, limit: 1025 }),
        () => service.createGroup({ groupId: new Uint8Array(0), groupInfo }),
        () => service.createGroup({ groupId: randomBytes(9), groupInfo: new Uint8Array(0) }),
        () => service.submitCommit(plainCommit(group, { epoch: 0n, removed: [upperCase] })),
        () => service.sendMessages({ groupId, position: after, messages: [] }),
        () => send(alice, group, -1n),
        () => send(alice, group, 1n << 64n),
        () => send(alice, group, 0n, { messages: [new Uint8Array(0)] }),
        () => service.readDeviceLog({ user: alice.name, from: -1 }),
        () => service.acknowledgeInbox(-1),
      ];
      for (const [i, call] of calls.entries()) {
        const outcome: unknown = await call().catch((error: unknown) => error);
        if (!(outcome instanceof RangeError)) throw new Error(`call ${i} ended with ${String(outcome)}`);
      }
      await assertRejects(service.createGroup({ groupId: randomBytes(256), groupInfo }), "ERR_DS_TOO_LARGE");
      const many = Array.from({ length: 65 }, () => randomBytes(1));
      await assertRejects(send(alice, group, 0n, { messages: many }), "ERR_DS_TOO_LARGE");
    }),
  },
  {
    title: "later changes to arrays that were passed or returned change nothing",
    run: withUsers(1, async (users) => {
      const alice = at(users, 0);
      const group = await createTestGroup(alice);
      const { groupId } = group;
      const message = randomBytes(20);
      const original = message.slice();
      const sent = send(alice, group, 0n, { messages: [message] });
      message.fill(0);
      await sent;
      const { entries } = await alice.service.readLog({ groupId, after: group.after(0) });
      at(entries, 0).message.fill(0);
      const again = await alice.service.readLog({ groupId, after: group.after(0) });
      assertEqual(at(again.entries, 0).message, original, "message");
    }),
  },
  {
    title: "calls after close reject, repeated close is no error",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      await service.close();
      await service.close();
      await assertRejects(service.countKeyPackages(), "ERR_DS_CLOSED");
      await assertRejects(
        new Promise(() => {
          service.subscribe(() => undefined);
        }),
        "ERR_DS_CLOSED",
      );
    }),
  },
  {
    title: "close rejects the calls that are under way",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const call = service.countKeyPackages();
      await service.close();
      await assertRejects(call, "ERR_DS_CLOSED");
    }),
  },
  {
    title: "an aborted call rejects with the signal's reason",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const reason = new Error("no longer wanted");
      const early = AbortSignal.abort(reason);
      const controller = new AbortController();
      const underWay = service.countKeyPackages({ signal: controller.signal });
      controller.abort(reason);
      for (const call of [service.countKeyPackages({ signal: early }), underWay]) {
        const outcome: unknown = await call.then(
          () => "resolved",
          (error: unknown) => error,
        );
        if (outcome !== reason) throw new Error(`the call ended with ${String(outcome)}`);
      }
      await service.countKeyPackages();
    }),
  },
];
