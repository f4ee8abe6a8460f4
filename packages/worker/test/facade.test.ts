/** What an application holds: works behind the proxies of UI frameworks, without `this`, and cannot be changed. */
import { describe, expect, it, vi } from "vitest";
import { localClient } from "../src/direct/local-client.ts";
import type { Client } from "../src/index.ts";
import { connect, settled } from "./connect.ts";
import { FakeClient, FakeConversation } from "./fake-client.ts";

const proxies = new WeakMap<object, object>();

/** What Vue's `ref` and `reactive` make of an object: a proxy for it and, when it is read, for everything in it. */
function reactive<T>(value: T): T {
  if (typeof value !== "object" || value === null || !Object.isExtensible(value)) return value;
  const known = proxies.get(value);
  if (known !== undefined) return known as T;
  const proxy = new Proxy(value, {
    get: (target, key, receiver) => reactive(Reflect.get(target, key, receiver)) as unknown,
  });
  proxies.set(value, proxy);
  return proxy;
}

/** A proxy that wraps whatever it is given: methods are called with it as `this`. */
const wrapped = <T extends object>(value: T): T => new Proxy(value, {});

const inWorker = async (engine: FakeClient) => (await connect({ engine })).client;
const inPlace = async (engine: FakeClient) => localClient(engine);

async function withGroup(open: (engine: FakeClient) => Promise<Client>) {
  const engine = new FakeClient("alice");
  const inner = engine.appear(new FakeConversation("0a", "Lunch"));
  const client = await open(engine);
  return { engine, inner, client, group: client.conversation("0a") ?? expect.fail() };
}

describe.each([
  ["in a worker, behind a reactive proxy", inWorker, reactive],
  ["in a worker, behind a plain proxy", inWorker, wrapped],
  ["in place, behind a reactive proxy", inPlace, reactive],
  ["in place, behind a plain proxy", inPlace, wrapped],
])("%s", (_, open, wrap) => {
  it("a client and its conversations work", async () => {
    const { client, inner, group } = await withGroup(open);
    const seen = wrap(client);
    expect([seen.name, seen.online]).toEqual(["alice", true]);
    expect(seen.conversation("0a")).toBe(group);
    const shown = wrap(group);
    const changes: unknown[] = [];
    shown.on("change", ({ title }) => changes.push(title));
    await shown.rename("Dinner");
    expect(shown.snapshot.title).toBe("Dinner");
    expect(shown.snapshot).toBe(group.snapshot);
    expect(changes).toEqual(["Dinner"]);
    expect(inner.calls).toEqual([["rename", "Dinner"]]);
    const created = await seen.createGroup({ title: "Tea" });
    expect(wrap({ groups: seen.conversations }).groups).toContain(created);
    await seen.close();
  });
});

describe.each([
  ["in a worker", inWorker],
  ["in place", inPlace],
])("a facade %s", (_, open) => {
  it("needs no this", async () => {
    const { client, inner } = await withGroup(open);
    const { sync, conversation, close } = client;
    await sync();
    const { update, on } = conversation("0a") ?? expect.fail();
    const release = on("item", () => undefined);
    await update();
    release();
    expect(inner.calls).toEqual([["update"]]);
    await close();
  });

  it("cannot be changed, and is the same between changes", async () => {
    const { client, inner, group } = await withGroup(open);
    expect([client, group, client.conversations].every((held) => Object.isFrozen(held))).toBe(true);
    expect(client.conversations[0]).toBe(group);
    inner.change({ title: "Dinner" });
    await settled();
    expect(client.conversation("0a")).toBe(group);
    expect(client.conversations).toBe(client.conversations);
  });

  it("shows what a listener threw as it is, and does not disturb the others", async () => {
    const { client, engine, inner, group } = await withGroup(open);
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const failure = new Error("of the application", { cause: new Error("its cause") });
    const seen: unknown[] = [];
    for (const listen of [(given: Client) => given.on("problem", fail), () => group.on("change", fail)]) listen(client);
    client.on("problem", ({ code }) => seen.push(code));
    group.on("change", ({ title }) => seen.push(title));
    engine.emit("problem", { code: "ERR_DS_INTERNAL", message: "", conversation: undefined, detail: {} });
    inner.change({ title: "Dinner" });
    await settled();
    vi.unstubAllGlobals();
    expect(reported.mock.calls).toEqual([[failure], [failure]]);
    expect(seen.sort()).toEqual(["Dinner", "ERR_DS_INTERNAL"]);
    function fail(): void {
      throw failure;
    }
  });

  it("refuses events that there are not, and listeners that are none", async () => {
    const { client, group } = await withGroup(open);
    expect(() => client.on("typing" as never, () => undefined)).toThrow(TypeError);
    expect(() => group.on("typing" as never, () => undefined)).toThrow(TypeError);
    expect(() => client.on("problem", undefined as never)).toThrow(TypeError);
  });

  it("has the members of a client and of a conversation, and no more", async () => {
    const { client } = await withGroup(open);
    const names = (held: object = {}) => Object.keys(held).sort();
    expect(names(client)).toEqual(
      ["close", "conversation", "conversations", "createGroup", "device", "name", "on", "online", "sync"].sort(),
    );
    expect(names(client.conversation("0a"))).toEqual(
      [
        ...[
          "acknowledge",
          "add",
          "discard",
          "epochAuthenticator",
          "exportSecret",
          "forget",
          "history",
          "id",
          "leave",
          "members",
          "on",
          "prune",
          "rejoin",
          "remove",
        ],
        ...["rename", "resend", "safetyNumber", "send", "snapshot", "update"],
      ].sort(),
    );
  });
});
