/** What an application holds: works behind the proxies of UI frameworks, without `this`, and cannot be changed. */
import { describe, expect, it } from "vitest";
import { connect, settled } from "../connect.ts";
import { FakeClient, FakeConversation } from "../fake-client.ts";

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

async function withGroup() {
  const engine = new FakeClient("alice");
  const inner = engine.appear(new FakeConversation("0a", "Lunch"));
  return { ...(await connect({ engine })), engine, inner };
}

describe.each([
  ["a reactive proxy", reactive],
  ["a plain proxy", wrapped],
])("behind %s", (_, wrap) => {
  it("a client and its conversations work", async () => {
    const { client, inner } = await withGroup();
    const seen = wrap(client);
    expect([seen.name, seen.online]).toEqual(["alice", true]);
    const group = seen.conversation("0a");
    expect(group).toBeDefined();
    if (group === undefined) return;
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

describe("a facade", () => {
  it("needs no this", async () => {
    const { client, inner } = await withGroup();
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
    const { client, inner } = await withGroup();
    const group = client.conversation("0a");
    expect([client, group, client.conversations].every((held) => Object.isFrozen(held))).toBe(true);
    expect(client.conversations[0]).toBe(group);
    inner.change({ title: "Dinner" });
    await settled();
    expect(client.conversation("0a")).toBe(group);
  });

  it("has the members of a client and of a conversation, and no more", async () => {
    const { client } = await withGroup();
    const names = (held: object = {}) => Object.keys(held).sort();
    expect(names(client)).toEqual(
      ["close", "conversation", "conversations", "createGroup", "device", "name", "on", "online", "sync"].sort(),
    );
    expect(names(client.conversation("0a"))).toEqual(
      [
        ...["add", "discard", "exportSecret", "forget", "history", "id", "leave", "members", "on", "rejoin", "remove"],
        ...["rename", "resend", "safetyNumber", "send", "snapshot", "update"],
      ].sort(),
    );
  });
});
