/** The faults of the in-memory service do what their documentation says. */
import { describe, expect, test, vi } from "vitest";
import { createMemoryDelivery, type DeliveryEvent } from "@coppice/delivery";
import { createIdentity } from "@coppice/delivery/conformance";

const groupId = new Uint8Array([1]);
const unreachable = { code: "ERR_DS_UNREACHABLE" };
const bytes = (...values: number[]) => new Uint8Array(values);

async function twoUsers() {
  const delivery = createMemoryDelivery();
  const [alice, bob] = [await delivery.connect(await createIdentity()), await delivery.connect(await createIdentity())];
  await alice.createGroup(groupId);
  const send = (i: number) => alice.sendMessage({ groupId, epoch: 0n, message: bytes(i) });
  return { delivery, alice, bob, send };
}

describe("faults of the in-memory Delivery Service", () => {
  test("unreachable for one or for all, with events for subscribers", async () => {
    const { delivery, alice, bob } = await twoUsers();
    const events: DeliveryEvent[] = [];
    alice.subscribe((event) => events.push(event));
    await vi.waitFor(() => expect(events).toHaveLength(1));
    alice.network.reachable = false;
    await expect(alice.countKeyPackages()).rejects.toMatchObject(unreachable);
    await bob.countKeyPackages();
    alice.network.reachable = true;
    delivery.network.reachable = false;
    await expect(bob.countKeyPackages()).rejects.toMatchObject(unreachable);
    delivery.network.reachable = true;
    await alice.countKeyPackages();
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
    const { alice, send } = await twoUsers();
    alice.network.loseReply("sendMessage");
    await alice.countKeyPackages();
    await expect(send(1)).rejects.toMatchObject(unreachable);
    expect(await alice.readLog({ groupId, after: 0 })).toHaveLength(1);
    expect(await send(1)).toEqual({ seq: 1 });
  });

  test("a scripted fault loses the request or the reply", async () => {
    const { alice, send } = await twoUsers();
    const seen: string[] = [];
    alice.network.fault = ({ call, phase }) => {
      seen.push(`${call} ${phase}`);
      if (call === "sendMessage" && phase === "request") throw new Error("lost");
    };
    await expect(send(1)).rejects.toThrow("lost");
    expect(await alice.readLog({ groupId, after: 0 })).toEqual([]);
    expect(seen).toEqual(["sendMessage request", "readLog request", "readLog reply"]);
  });

  test("a delay lasts as long as it says, and an abort cuts it short", async () => {
    const { alice } = await twoUsers();
    alice.network.delay = 30;
    const started = performance.now();
    await alice.countKeyPackages();
    expect(performance.now() - started).toBeGreaterThan(50);
    alice.network.delay = 60_000;
    await expect(alice.countKeyPackages({ signal: AbortSignal.timeout(10) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });

  test.each([
    ["deliver", [1, 2, 3, 4]],
    ["drop", []],
    ["duplicate", [1, 1, 2, 2, 3, 3, 4, 4]],
    ["reorder", [2, 1, 4, 3]],
  ] as const)("events: %s", async (mode, expected) => {
    const { alice, send } = await twoUsers();
    const seqs: number[] = [];
    alice.subscribe((event) => {
      if (event.type === "log") seqs.push(event.seq);
    });
    alice.network.events = mode;
    for (const i of [1, 2, 3, 4]) await send(i);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(seqs).toEqual(expected);
  });
});
