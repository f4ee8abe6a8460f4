import { runInNewContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { openInWorker, wipeInWorker } from "../src/index.ts";
import { MAX_CALLS } from "../src/limits.ts";
import { connect, rejection, serve, settled } from "./connect.ts";
import { FakeClient, FakeConversation, never } from "./fake-client.ts";
import { FakeSource } from "./fake-engine.ts";

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
    expect(client.device).toBe("d0".repeat(16));
    expect(client.online).toBe(true);
    expect(client.conversations).toEqual([group]);
    expect(group.snapshot.title).toBe("Lunch");
  });

  it("passes every operation on with its arguments", async () => {
    const { inner, group } = await withGroup();
    const { signal } = new AbortController();
    await group.add(["bob", "carol"], { signal });
    await group.add("dave", { signal });
    await group.remove(["bob"], { signal });
    await group.remove("dave", { signal });
    await group.leave({ signal });
    await group.rename("Dinner", { signal });
    await group.update({ signal });
    await group.resend(3, { signal });
    await group.discard(4, { signal });
    await group.rejoin({ signal });
    await group.forget({ signal });
    expect(inner.calls).toEqual([
      ["add", ["bob", "carol"]],
      ["add", "dave"],
      ["remove", ["bob"]],
      ["remove", "dave"],
      ["leave"],
      ["rename", "Dinner"],
      ["update"],
      ["resend", 3],
      ["discard", 4],
      ["rejoin"],
      ["forget"],
    ]);
  });

  it("has the new state in place when a call resolves", async () => {
    const { client, group } = await withGroup();
    await group.add(["bob"]);
    expect(group.snapshot.memberCount).toBe(2);
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

  it("pages members and asks for the safety number", async () => {
    const { inner, group } = await withGroup();
    await group.add(["bob", "carol"]);
    const first = await group.members({ limit: 2 });
    expect(first.members.map(({ user, isSelf }) => [user, isSelf])).toEqual([
      ["alice", true],
      ["bob", false],
    ]);
    expect(first.members[1]?.devices).toEqual([{ device: "00".repeat(16), leafIndex: 1 }]);
    expect(first.next).toBe("2");
    const rest = await group.members({ after: "2" });
    expect(rest.members.map(({ user }) => user)).toEqual(["carol"]);
    expect(rest.next).toBeUndefined();
    expect(await group.safetyNumber()).toHaveLength(71);
    expect(inner.calls.slice(1)).toEqual([["members", { limit: 2 }], ["members", { after: "2" }], ["safetyNumber"]]);
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
    expect(Math.max(...byPage(), ...byWorker())).toBe(0);
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
    await expect(client.sync({ signal: "stop" } as never)).rejects.toThrow(TypeError);
    await expect(client.sync(7 as never)).rejects.toThrow(TypeError);
    expect(() => group.on("toString" as never, () => {})).toThrow(TypeError);
    await client.sync();
  });

  it("says in words which argument is wrong", async () => {
    const { group, client } = await withGroup();
    const message = async (call: Promise<unknown>) => ((await rejection(call)) as Error).message;
    expect(await message(group.rename({} as never))).toBe("Argument 1 of rename: a string is expected");
    expect(await message(group.history({ limit: "9" } as never))).toBe(
      "Argument 1 of history: limit: a finite number is expected",
    );
    expect(await message(client.createGroup({ title: 4 } as never))).toBe(
      "Argument 1 of createGroup: title: a string is expected",
    );
  });

  it("takes bytes of another realm", async () => {
    const { inner, group } = await withGroup();
    const foreign = runInNewContext("Uint8Array.of(1, 2)") as Uint8Array;
    expect(foreign instanceof Uint8Array).toBe(false);
    await group.send(foreign);
    expect(inner.calls.at(-1)).toEqual(["send", Uint8Array.of(1, 2)]);
  });

  it("carries thousands of calls at once, in order", async () => {
    const { group } = await withGroup();
    const items = await Promise.all(Array.from({ length: 6000 }, (_, index) => group.send(String(index))));
    expect(items.map(({ seq }) => seq)).toEqual(Array.from({ length: 6000 }, (_, index) => index + 1));
  });

  it("refuses more calls than it can hold with a code", async () => {
    const { inner, group } = await withGroup();
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    inner.behaviour = () => finished;
    const waiting = Array.from({ length: MAX_CALLS }, () => group.update());
    expect(await rejection(group.update())).toMatchObject({
      code: "ERR_CLIENT_QUEUE_FULL",
      detail: { limit: MAX_CALLS },
    });
    finish();
    await Promise.all(waiting);
    await group.update();
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
      { name: 7, server: "https://a.example" },
      { name: "a" },
      { name: "a", server: 8080 },
    ]) {
      await expect(openInWorker({ ...options, worker } as never)).rejects.toThrow(TypeError);
      await expect(wipeInWorker({ ...options, worker } as never)).rejects.toThrow(TypeError);
    }
    await expect(openInWorker(undefined as never)).rejects.toThrow("Options are expected, { name, server }");
    await expect(openInWorker({ name: "a" } as never)).rejects.toThrow("The option server must be the URL");
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
    const source = new FakeSource();
    let finish: (() => void) | undefined;
    source.opening = () => new Promise<void>((resolve) => (finish = resolve));
    const { pagePort } = serve(source);
    const controller = new AbortController();
    const opening = openInWorker({
      name: "alice",
      server: "https://chat.example",
      worker: () => pagePort,
      signal: controller.signal,
    });
    await settled();
    controller.abort();
    await expect(opening).rejects.toThrow(DOMException);
    finish?.();
    await settled();
    expect(source.engines.map(({ closed }) => closed)).toEqual([1]);
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
