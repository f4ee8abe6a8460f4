/** What callers can do wrong without harm: throw, give up, close, ask for nonsense. */
import { describe, expect, test } from "vitest";
import { agree, arrival, listen, pair, problems, until } from "./world.ts";

describe("adversarial 42", () => {
  test("a listener that throws is reported and disturbs nobody", async () => {
    const { alice, atAlice, atBob } = await pair();
    const codes = problems(alice.client);
    alice.client.on("problem", () => {
      throw new Error("even here");
    });
    for (const event of ["message", "item", "change"] as const) {
      atAlice.on(event, () => {
        throw new Error("application");
      });
    }
    const heard = listen(atAlice);
    await atBob.send("1");
    await atBob.send("2");
    await until(() => heard.length === 2);
    await atAlice.send("3");
    expect(new Set(codes)).toEqual(new Set(["ERR_CLIENT_LISTENER"]));
    await agree(atAlice, atBob);
  });

  test("an aborted call rejects with the signal's reason and the engine lives", async () => {
    const { alice, atAlice, atBob } = await pair();
    const gone = AbortSignal.abort(new Error("gone"));
    await expect(atAlice.send("x", { signal: gone })).rejects.toThrow("gone");
    await expect(atAlice.add(["bob"], { signal: gone })).rejects.toThrow("gone");
    await expect(atAlice.history({}, { signal: gone })).rejects.toThrow("gone");
    await expect(alice.client.createGroup({ signal: gone })).rejects.toThrow("gone");
    await expect(alice.client.sync({ signal: gone })).rejects.toThrow("gone");

    alice.delivery.network.fault = ({ call }) => {
      if (call === "submitCommit") alice.delivery.network.reachable = false;
    };
    const controller = new AbortController();
    const renamed = atAlice.rename("Later", { signal: controller.signal });
    await until(() => atAlice.snapshot.pending !== undefined);
    controller.abort(new Error("enough"));
    await expect(renamed).rejects.toThrow("enough");
    alice.delivery.network.fault = undefined;
    alice.delivery.network.reachable = true;
    // It had left this device's hands: it takes effect.
    await until(() => atBob.snapshot.title === "Later");
    await agree(atAlice, atBob);
  });

  test("close settles everything that is pending, and later calls reject", async () => {
    const { alice, atAlice } = await pair();
    alice.delivery.network.fault = ({ call }) => {
      if (call === "submitCommit") alice.delivery.network.reachable = false;
    };
    const pending = atAlice.update();
    const outcome = expect(pending).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    await until(() => atAlice.snapshot.pending !== undefined);
    await Promise.all([alice.client.close(), alice.client.close()]);
    await outcome;
    const closed = { code: "ERR_CLIENT_CLOSED" };
    await expect(atAlice.send("x")).rejects.toMatchObject(closed);
    await expect(atAlice.history()).rejects.toMatchObject(closed);
    await expect(atAlice.leave()).rejects.toMatchObject(closed);
    await expect(alice.client.createGroup()).rejects.toMatchObject(closed);
    await expect(alice.client.sync()).rejects.toMatchObject(closed);
    expect(atAlice.snapshot.members).toHaveLength(2);
  });
});

describe("state reads", () => {
  test("a snapshot is the same object until something changes, and cannot be changed", async () => {
    const { atAlice, atBob } = await pair();
    const { snapshot } = atAlice;
    expect(atAlice.snapshot).toBe(snapshot);
    expect(() => Object.assign(snapshot, { title: "x" })).toThrow(TypeError);
    const changes: unknown[] = [];
    atAlice.on("change", (value) => changes.push(value));
    await atAlice.rename("Now");
    expect(atAlice.snapshot).not.toBe(snapshot);
    expect(changes.at(-1)).toBe(atAlice.snapshot);
    const { members } = atAlice.snapshot;
    await atAlice.send("x");
    expect(atAlice.snapshot.members).toBe(members);
    await agree(atAlice, atBob);
  });

  test("R-8.5-4: members export the same secret, one per epoch", async () => {
    const { atAlice, atBob } = await pair();
    const context = Uint8Array.of(1);
    const secret = await atAlice.exportSecret("app", context, 16);
    expect(await atBob.exportSecret("app", context, 16)).toEqual(secret);
    await atAlice.update();
    await agree(atAlice, atBob);
    expect(await atBob.exportSecret("app", context, 16)).not.toEqual(secret);
  });

  test("history pages by sequence number", async () => {
    const { atAlice } = await pair();
    for (const text of ["1", "2", "3", "4"]) await atAlice.send(text);
    const newest = await atAlice.history({ limit: 2 });
    const older = await atAlice.history({ limit: 2, before: newest[0]?.seq ?? 0 });
    expect([...older, ...newest].map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
    await expect(atAlice.history({ limit: 0 })).rejects.toThrow(RangeError);
    await expect(atAlice.history({ before: -1 })).rejects.toThrow(RangeError);
  });

  test("a removed listener hears nothing", async () => {
    const { alice, atAlice, atBob } = await pair();
    const heard: number[] = [];
    const release = atBob.on("item", ({ seq }) => heard.push(seq));
    release();
    await atAlice.send("x");
    await until(() => atBob.snapshot.lastItem === 2);
    expect(heard).toEqual([]);
    const group = await alice.client.createGroup({ title: "Second" });
    expect(alice.client.conversations.map(({ id }) => id)).toEqual([atAlice.id, group.id]);
    await arrival(alice.client, group.id);
  });
});
