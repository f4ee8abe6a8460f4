/** Who is told what, in which order, and how many connections a client has. */
import { describe, expect, test } from "vitest";
import { clientKey, EventHub, type Notice } from "@coppice/delivery/domain";
import type { ClientId } from "@coppice/delivery/contract";
import { decode, serverFrame, type ServerFrame } from "@coppice/delivery/wire";

const client = (user: string): ClientId => ({ user, device: "0".repeat(32) });
const [alice, bob, carol] = [client("alice"), client("bob"), client("carol")];
const everybody = new Set([alice, bob, carol].map(clientKey));

const entry = (seq: number, incarnation = "a".repeat(32), groupId = new Uint8Array([1])): Notice => ({
  type: "log",
  groupId,
  incarnation,
  entry: { seq, kind: "message", epoch: 1n, message: new Uint8Array([seq]), receivedAt: 5 },
  readers: everybody,
  poster: alice,
});

function listener(hub: EventHub, of: ClientId) {
  const frames: ServerFrame[] = [];
  let ends = 0;
  const release = hub.subscribe(of, {
    send: (bytes) => frames.push(decode(serverFrame, bytes)),
    end: () => (ends += 1),
  });
  return {
    frames,
    release,
    ends: () => ends,
    seqs: () => frames.map((frame) => frame.type === "log" && frame.position.seq),
  };
}

describe("the event hub", () => {
  test("tells readers of an entry, but not who posted it", () => {
    const hub = new EventHub();
    const listeners = [alice, bob, client("stranger")].map((of) => listener(hub, of));
    hub.publish(entry(1));
    expect(listeners.map(({ frames }) => frames.length)).toEqual([0, 1, 0]);
  });

  test("does not tell who posted it either where fewer clients listen than read", () => {
    const hub = new EventHub();
    const listeners = [alice, bob].map((of) => listener(hub, of));
    hub.publish(entry(1));
    expect(listeners.map(({ frames }) => frames.length)).toEqual([0, 1]);
  });

  test("tells the same whether more clients listen or more read", () => {
    const hub = new EventHub();
    const readers = listener(hub, bob);
    const strangers = Array.from({ length: 9 }, (_, i) => listener(hub, client(`stranger ${i}`)));
    hub.publish(entry(1));
    expect([readers, ...strangers].map(({ frames }) => frames.length)).toEqual([1, ...strangers.map(() => 0)]);
  });

  test("keeps a log's order where notices come late or twice, per log and incarnation", () => {
    const hub = new EventHub();
    const { seqs } = listener(hub, bob);
    for (const notice of [entry(1), entry(3), entry(2), entry(3), entry(1, "b".repeat(32)), entry(4)])
      hub.publish(notice);
    hub.publish(entry(2, "a".repeat(32), new Uint8Array([2])));
    expect(seqs()).toEqual([1, 3, 1, 4, 2]);
    hub.reset();
    hub.publish(entry(2));
    expect(seqs()).toEqual([1, 3, 1, 4, 2, 2]);
  });

  test("gives each connection of a client every event, until it is released", () => {
    const hub = new EventHub();
    const [first, second] = [listener(hub, bob), listener(hub, bob)];
    hub.publish({ type: "inbox", clients: [bob] });
    first.release();
    hub.publish({ type: "devices", user: "alice", clients: [bob, carol] });
    expect(first.frames).toEqual([{ type: "inbox" }]);
    expect(second.frames).toEqual([{ type: "inbox" }, { type: "devices", user: "alice" }]);
    second.release();
    expect(hub.count(bob)).toBe(0);
  });

  test("ends a client's oldest connection when it opens too many", () => {
    const hub = new EventHub({ perClient: 2 });
    const listeners = [1, 2, 3].map(() => listener(hub, bob));
    const other = listener(hub, carol);
    expect(listeners.map(({ ends }) => ends())).toEqual([1, 0, 0]);
    hub.publish({ type: "inbox", clients: [bob, carol] });
    expect([...listeners, other].map(({ frames }) => frames.length)).toEqual([0, 1, 1, 1]);
  });

  test("ends all connections of a client whose session was revoked", () => {
    const hub = new EventHub();
    const [first, second, other] = [listener(hub, bob), listener(hub, bob), listener(hub, carol)];
    hub.publish({ type: "revoked", client: bob });
    hub.publish({ type: "inbox", clients: [bob, carol] });
    expect([first, second, other].map(({ ends }) => ends())).toEqual([1, 1, 0]);
    expect([first, second, other].map(({ frames }) => frames.length)).toEqual([0, 0, 1]);
  });
});
