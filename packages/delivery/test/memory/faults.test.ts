/** The faults of the in-memory service do what their documentation says. */
import { describe, expect, test } from "vitest";
import { VirtualTime } from "@coppice/kit/testing";
import { createMemoryDelivery, type DeliveryEvent, type MemoryDeliveryService } from "@coppice/delivery";
import { createIdentity } from "@coppice/delivery/conformance";

const groupId = new Uint8Array([1]);
const unreachable = { code: "ERR_DS_UNREACHABLE" };
const changed = { code: "ERR_DS_LOG_CHANGED" };
const bytes = (...values: number[]) => new Uint8Array(values);

async function twoUsers() {
  const time = new VirtualTime();
  const delivery = createMemoryDelivery({ time });
  const identities = [await createIdentity(), await createIdentity()] as const;
  const [alice, bob] = [await delivery.connect(identities[0]), await delivery.connect(identities[1])];
  const { incarnation } = await alice.createGroup({ groupId, groupInfo: bytes(1) });
  const after = (seq: number) => ({ incarnation, seq });
  await alice.submitCommit({
    groupId,
    position: after(0),
    epoch: 0n,
    commit: bytes(0),
    groupInfo: bytes(2),
    added: [{ client: identities[1].client, welcome: bytes(3) }],
    removed: [],
  });
  const send = (i: number, from: MemoryDeliveryService = bob) =>
    from.sendMessages({ groupId, position: after(1), messages: [{ epoch: 1n, message: bytes(i) }] });
  const read = async (from = bob, seq = 1) => {
    const { entries } = await from.readLog({ groupId, after: after(seq) });
    return entries.map((entry) => entry.message[0]);
  };
  return { time, delivery, identities, alice, bob, after, send, read };
}

describe("faults of the in-memory Delivery Service", () => {
  test("unreachable for one or for all, with events for subscribers", async () => {
    const { time, delivery, alice, bob } = await twoUsers();
    const events: DeliveryEvent[] = [];
    alice.subscribe((event) => events.push(event));
    await time.until(() => events.length === 1);
    alice.network.reachable = false;
    await expect(alice.countKeyPackages()).rejects.toMatchObject(unreachable);
    await bob.countKeyPackages();
    alice.network.reachable = true;
    await time.until(() => events.length === 3);
    delivery.network.reachable = false;
    await expect(bob.countKeyPackages()).rejects.toMatchObject(unreachable);
    delivery.network.reachable = true;
    await alice.countKeyPackages();
    await time.until(() => events.length === 5);
    expect(events.map((event) => event.type === "connection" && event.online)).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  test("a client connects while nothing is reachable, and signs in later", async () => {
    const delivery = createMemoryDelivery();
    delivery.network.reachable = false;
    const service = await delivery.connect(await createIdentity());
    await expect(service.countKeyPackages()).rejects.toMatchObject(unreachable);
    delivery.network.reachable = true;
    expect(await service.countKeyPackages()).toBe(0);
  });

  test("adversarial 39: a lost reply means that the call was carried out", async () => {
    const { bob, send, read } = await twoUsers();
    bob.network.loseReply("sendMessages");
    await bob.countKeyPackages();
    await expect(send(1)).rejects.toMatchObject(unreachable);
    expect(await read()).toEqual([1]);
    expect(await send(1)).toEqual({ seqs: [2] });
  });

  test("a scripted fault loses the request or the reply", async () => {
    const { bob, identities, send, read } = await twoUsers();
    const seen: string[] = [];
    bob.network.fault = ({ client, call, phase }) => {
      expect(client).toEqual(identities[1].client);
      seen.push(`${call} ${phase}`);
      if (call === "sendMessages" && phase === "request") throw new Error("lost");
    };
    await expect(send(1)).rejects.toThrow("lost");
    expect(await read()).toEqual([]);
    expect(seen).toEqual(["sendMessages request", "readLog request", "readLog reply"]);
  });

  test("a delay lasts as long as it says, in virtual time, and an abort cuts it short", async () => {
    const { time, alice } = await twoUsers();
    alice.network.delay = 30_000;
    const started = time.elapsed();
    let ended: number | undefined;
    void alice.countKeyPackages().then(() => (ended = time.elapsed()));
    await time.until(() => ended !== undefined);
    expect((ended ?? 0) - started).toBe(60_000);
    const controller = new AbortController();
    const call = alice.countKeyPackages({ signal: controller.signal });
    controller.abort(new Error("no longer wanted"));
    await expect(call).rejects.toThrow("no longer wanted");
  });

  test("one kind of call can be slow while the others are not", async () => {
    const { time, bob, send, read } = await twoUsers();
    bob.network.slow("sendMessages", 5000);
    const slow = send(1);
    expect(await read()).toEqual([]);
    await time.advance(4999);
    expect(await read()).toEqual([]);
    await time.advance(1);
    expect(await slow).toEqual({ seqs: [2] });
    bob.network.slow("sendMessages", 0);
    expect(await send(2)).toEqual({ seqs: [3] });
  });

  test.each([
    ["deliver", [1, 2, 3, 4]],
    ["drop", []],
    ["duplicate", [1, 1, 2, 2, 3, 3, 4, 4]],
    ["reorder", [2, 1, 4, 3]],
  ] as const)("events: %s", async (mode, expected) => {
    const { time, alice, send } = await twoUsers();
    const messages: unknown[] = [];
    alice.subscribe((event) => {
      if (event.type === "log") messages.push(event.entry?.message[0]);
    });
    await time.advance(0);
    alice.network.events = mode;
    for (const i of [1, 2, 3, 4]) await send(i);
    await time.advance(0);
    expect(messages).toEqual(expected);
  });
});

describe("a server that is put back to an earlier state", () => {
  test("issue 15 (5): after a restore the log has another incarnation, and nothing is posted into it unseen", async () => {
    const { time, delivery, alice, bob, send, read, after } = await twoUsers();
    await send(1);
    await bob.publishKeyPackages({ keyPackages: [bytes(1)], lastResort: bytes(2) });
    const backup = await delivery.snapshot();
    await send(2);
    await send(3);
    const events: DeliveryEvent[] = [];
    alice.subscribe((event) => events.push(event));
    await time.until(() => events.length === 1);
    await delivery.restore(backup);
    await time.until(() => events.length === 3);
    expect(events.map((event) => event.type === "connection" && event.online)).toEqual([true, false, true]);
    await expect(send(4)).rejects.toMatchObject(changed);
    await expect(read()).rejects.toMatchObject(changed);
    const [group] = await bob.readGroups({ after: undefined });
    expect(group?.position.seq).toBe(2);
    expect(group?.position.incarnation).not.toBe(after(0).incarnation);
    // They may have been handed out since the backup.
    expect(await bob.countKeyPackages()).toBe(0);
    const position = { incarnation: group?.position.incarnation ?? "", seq: 1 };
    const { entries } = await bob.readLog({ groupId, after: position });
    expect(entries.map(({ message }) => message[0])).toEqual([1]);
  });

  test("a silent rollback is seen by whoever saw more than there is, and by nobody else", async () => {
    const { delivery, bob, alice, send, read, after } = await twoUsers();
    await send(1);
    const before = await delivery.snapshot();
    await send(2);
    await send(3);
    await delivery.restore(before, { silently: true });
    await expect(read(bob, 4)).rejects.toMatchObject(changed);
    const late = { groupId, position: after(4), messages: [{ epoch: 1n, message: bytes(9) }] };
    await expect(bob.sendMessages(late)).rejects.toMatchObject(changed);
    expect(await send(4, alice)).toEqual({ seqs: [3] });
    expect(await read(bob, 2)).toEqual([4]);
  });

  test("events go on after a silent rollback", async () => {
    const { time, delivery, alice, send } = await twoUsers();
    const before = await delivery.snapshot();
    await send(1);
    await send(2);
    await delivery.restore(before, { silently: true });
    const seqs: number[] = [];
    alice.subscribe((event) => {
      if (event.type === "log") seqs.push(event.position.seq);
    });
    await time.advance(0);
    await send(3);
    await time.advance(0);
    expect(seqs).toEqual([2]);
  });

  test("a snapshot stays as it was, however often it is restored", async () => {
    const { delivery, send, read } = await twoUsers();
    await send(1);
    const before = await delivery.snapshot();
    for (const i of [2, 3]) {
      await send(i);
      expect(await read()).toEqual([1, i]);
      await delivery.restore(before, { silently: true });
    }
    expect(await read()).toEqual([1]);
  });
});
