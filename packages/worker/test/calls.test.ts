import { describe, expect, it, onTestFinished, vi } from "vitest";
import { servePort } from "../src/host.ts";
import { openInWorker } from "../src/index.ts";
import { connect, rejection, settled } from "./connect.ts";
import { FakeClient, FakeConversation, never } from "./fake-client.ts";

async function withGroup() {
  const engine = new FakeClient("alice");
  const inner = engine.appear(new FakeConversation("0a", "Lunch"));
  const pair = await connect({ engine });
  const group = pair.client.conversation("0a");
  if (group === undefined) throw new Error("no group");
  return { ...pair, inner, group };
}

describe("calls", () => {
  it("opens with name, connection and conversations in place", async () => {
    const { client, group } = await withGroup();
    expect(client.name).toBe("alice");
    expect(client.online).toBe(true);
    expect(client.conversations).toEqual([group]);
    expect(group.snapshot.title).toBe("Lunch");
  });

  it("passes every operation on with its arguments", async () => {
    const { inner, group } = await withGroup();
    const { signal } = new AbortController();
    await group.add(["bob", "carol"], { signal });
    await group.remove(["bob"], { signal });
    await group.leave({ signal });
    await group.rename("Dinner", { signal });
    await group.update({ signal });
    await group.resend(3, { signal });
    await group.discard(4, { signal });
    await group.forget({ signal });
    expect(inner.calls).toEqual([
      ["add", ["bob", "carol"]],
      ["remove", ["bob"]],
      ["leave"],
      ["rename", "Dinner"],
      ["update"],
      ["resend", 3],
      ["discard", 4],
      ["forget"],
    ]);
  });

  it("has the new state in place when a call resolves", async () => {
    const { client, group } = await withGroup();
    await group.add(["bob"]);
    expect(group.snapshot.members.map(({ name }) => name)).toEqual(["alice", "bob"]);
    expect(group.snapshot.epoch).toBe(1n);
    const created = await client.createGroup({ title: "Tea" });
    expect(created.snapshot.title).toBe("Tea");
    expect(client.conversations).toEqual([group, created]);
    expect(client.conversation(created.id)).toBe(created);
  });

  it("removes a forgotten conversation from the list", async () => {
    const { client, engine, inner, group } = await withGroup();
    inner.behaviour = async () => {
      engine.conversations = [];
    };
    await group.forget();
    expect(client.conversations).toEqual([]);
    expect(client.conversation("0a")).toBeUndefined();
  });

  it("sends strings and bytes, reads history and exports secrets", async () => {
    const { inner, group } = await withGroup();
    expect(await group.send("hé")).toMatchObject({ seq: 1, kind: "message", state: "sending", isSelf: true });
    await group.send(Uint8Array.of(1, 2, 3));
    const items = await group.history({ before: 3, limit: 1 });
    expect(items).toEqual([inner.items[1]]);
    expect(await group.history()).toEqual(inner.items);
    expect(await group.exportSecret("label", Uint8Array.of(9), 32)).toEqual(new Uint8Array(32).fill(7));
    expect(inner.calls.at(-1)).toEqual(["exportSecret", "label", Uint8Array.of(9), 32]);
  });

  it("neither detaches nor shares the buffers of either side", async () => {
    const { inner, group } = await withGroup();
    const large = new Uint8Array(100_000).fill(5);
    const part = large.subarray(10, 60_010);
    const item = await group.send(part);
    expect(large.length).toBe(100_000);
    expect(item.kind === "message" && item.data.byteLength).toBe(60_000);
    expect(item.kind === "message" && item.data.buffer.byteLength).toBe(60_000);
    const received = inner.calls.at(-1)?.[1];
    expect(received instanceof Uint8Array && received.buffer.byteLength).toBe(60_000);
    const [again] = await group.history();
    expect(again).toEqual(item);
    expect(inner.items[0]?.kind === "message" && inner.items[0].data.length).toBe(60_000);
  });

  it("moves buffers from 4 KiB on, in both directions, and copies smaller ones", async () => {
    const { group, pagePort, workerPort } = await withGroup();
    const moved = (port: MessagePort) => {
      const post = vi.spyOn(port, "postMessage");
      return () => post.mock.calls.map(([, transfer]) => (Array.isArray(transfer) ? transfer.length : 0));
    };
    const [byPage, byWorker] = [moved(pagePort), moved(workerPort)];
    await group.send(new Uint8Array(4095));
    expect([...byPage(), ...byWorker()]).toEqual([0, 0]);
    await group.send(new Uint8Array(4096));
    expect(byPage().at(-1)).toBe(1);
    expect(byWorker().at(-1)).toBe(1);
    await group.history();
    expect(byWorker().at(-1)).toBe(1);
    await group.exportSecret("label", new Uint8Array(5000), 5000);
    expect([byPage().at(-1), byWorker().at(-1)]).toEqual([1, 1]);
  });

  it("refuses impossible arguments with TypeError", async () => {
    const { group, client } = await withGroup();
    await expect(group.send(7 as never)).rejects.toThrow(TypeError);
    await expect(group.add([1] as never)).rejects.toThrow(TypeError);
    await expect(group.add(undefined as never)).rejects.toThrow(TypeError);
    await expect(group.rename({} as never)).rejects.toThrow(TypeError);
    await expect(group.resend(-1)).rejects.toThrow(TypeError);
    await expect(group.history({ limit: "9" } as never)).rejects.toThrow(TypeError);
    await expect(client.createGroup({ title: 4 } as never)).rejects.toThrow(TypeError);
    expect(() => group.on("toString" as never, () => {})).toThrow(TypeError);
    await client.sync();
  });

  it("refuses options that make no sense before a worker is started", async () => {
    const worker = () => {
      throw new Error("a worker was started");
    };
    for (const options of [
      { name: "", server: "https://a.example" },
      { name: "a", server: "ftp://a.example" },
      { name: "a", server: "not absolute" },
      { name: "a", server: "https://a.example", database: "" },
    ]) {
      await expect(openInWorker({ ...options, worker })).rejects.toThrow(TypeError);
    }
    const reason = new Error("changed my mind");
    const signal = AbortSignal.abort(reason);
    await expect(openInWorker({ name: "a", server: "https://a.example", signal, worker })).rejects.toBe(reason);
  });

  it("says so where there are no workers", async () => {
    const error = await rejection(openInWorker({ name: "a", server: "https://a.example" }));
    expect(error).toMatchObject({ code: "ERR_WORKER_UNSUPPORTED" });
  });
});

describe("abort", () => {
  it("rejects at once with the signal's own reason and stops the engine's call", async () => {
    const { inner, group } = await withGroup();
    const seen: AbortSignal[] = [];
    inner.behaviour = async (_, options) => {
      if (options?.signal) seen.push(options.signal);
      await never(options?.signal);
    };
    const controller = new AbortController();
    const call = group.add(["bob"], { signal: controller.signal });
    await settled();
    const reason = { because: "of me" };
    controller.abort(reason);
    expect(await rejection(call)).toBe(reason);
    await settled();
    expect(seen.map(({ aborted }) => aborted)).toEqual([true]);
    inner.behaviour = undefined;
    await group.update();
  });

  it("does not start a call whose signal has aborted", async () => {
    const { inner, group } = await withGroup();
    await expect(group.update({ signal: AbortSignal.abort() })).rejects.toThrow(DOMException);
    await settled();
    expect(inner.calls).toEqual([]);
  });

  it("ends the engine of an opening that was aborted", async () => {
    const { port1, port2 } = new MessageChannel();
    const engine = new FakeClient("alice");
    let finish: (() => void) | undefined;
    servePort(port2, async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      return engine;
    });
    const controller = new AbortController();
    const opening = openInWorker({
      name: "alice",
      server: "https://chat.example",
      worker: () => port1,
      signal: controller.signal,
    });
    await settled();
    controller.abort();
    await expect(opening).rejects.toThrow(DOMException);
    finish?.();
    await settled();
    expect(engine.closed).toBe(1);
    onTestFinished(() => port2.close());
  });
});

describe("close", () => {
  it("closes the engine once; calls reject with ERR_CLIENT_CLOSED", async () => {
    const { client, engine, inner, group } = await withGroup();
    inner.behaviour = (_, options) => never(options?.signal);
    const pending = rejection(group.update());
    await settled();
    await Promise.all([client.close(), client.close()]);
    expect(engine.closed).toBe(1);
    expect(await pending).toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    await expect(group.send("x")).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    await expect(client.sync()).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    expect(client.online).toBe(false);
    expect(group.snapshot.title).toBe("Lunch");
  });
});
