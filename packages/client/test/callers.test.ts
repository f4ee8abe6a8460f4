/** What callers can do wrong without harm: throw, give up, close, ask for nonsense, ask for much at once. */
import { describe, expect, test } from "vitest";
import { listen, names, pair, problems, states, textOf } from "./world.ts";

describe("adversarial 42", () => {
  test("a listener that throws is reported and disturbs nobody", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const codes = problems(alice.client);
    const told: string[] = [];
    alice.client.on("problem", ({ message }) => told.push(message));
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
    await world.until(() => heard.length === 2);
    await atAlice.send("3");
    expect(new Set(codes)).toEqual(new Set(["ERR_CLIENT_LISTENER"]));
    // What the application threw is not lost.
    expect(told[0]).toBe("A listener of the application threw Error: application");
    await world.agree(atAlice, atBob);
  });

  test("an aborted call rejects with the signal's reason and the engine lives", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const gone = AbortSignal.abort(new Error("gone"));
    await expect(atAlice.send("x", { signal: gone })).rejects.toThrow("gone");
    await expect(atAlice.add("bob", { signal: gone })).rejects.toThrow("gone");
    await expect(atAlice.history({}, { signal: gone })).rejects.toThrow("gone");
    await expect(atAlice.members({}, { signal: gone })).rejects.toThrow("gone");
    await expect(alice.client.createGroup({ signal: gone })).rejects.toThrow("gone");
    await expect(alice.client.sync({ signal: gone })).rejects.toThrow("gone");

    alice.delivery.network.fault = ({ call }) => {
      if (call === "submitCommit") alice.delivery.network.reachable = false;
    };
    const controller = new AbortController();
    const renamed = atAlice.rename("Later", { signal: controller.signal });
    await world.until(() => atAlice.snapshot.pending !== undefined);
    controller.abort(new Error("enough"));
    await expect(renamed).rejects.toThrow("enough");
    alice.delivery.network.fault = undefined;
    alice.delivery.network.reachable = true;
    // It had left this device's hands: it takes effect.
    await world.until(() => atBob.snapshot.title === "Later");
    await world.agree(atAlice, atBob);
  });

  test("close settles everything that is pending, and later calls reject", async () => {
    const { world, alice, atAlice } = await pair();
    alice.delivery.network.fault = ({ call }) => {
      if (call === "submitCommit") alice.delivery.network.reachable = false;
    };
    const pending = atAlice.update();
    const outcome = expect(pending).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    await world.until(() => atAlice.snapshot.pending !== undefined);
    await world.run(Promise.all([alice.client.close(), alice.engine.close(), alice.engine.close()]));
    await outcome;
    const closed = { code: "ERR_CLIENT_CLOSED" };
    await expect(atAlice.send("x")).rejects.toMatchObject(closed);
    await expect(atAlice.history()).rejects.toMatchObject(closed);
    await expect(atAlice.leave()).rejects.toMatchObject(closed);
    await expect(alice.client.createGroup()).rejects.toMatchObject(closed);
    await expect(alice.client.sync()).rejects.toMatchObject(closed);
    expect(atAlice.snapshot.memberCount).toBe(2);
  });

  test("a caller's bytes may change right after the call", async () => {
    const { world, atAlice, atBob } = await pair();
    const heard: string[] = [];
    atBob.on("message", (message) => heard.push(textOf(message)));
    const data = new TextEncoder().encode("mine");
    const sent = atAlice.send(data);
    data.fill(0);
    await sent;
    await world.until(() => heard.length === 1);
    expect(heard).toEqual(["mine"]);
  });
});

describe("asking for nonsense", () => {
  test("an event that does not exist is a TypeError that names those that do", async () => {
    const { alice, atAlice } = await pair();
    expect(() => atAlice.on("typing" as never, () => undefined)).toThrow(/"typing".*message, item, discarded, change/);
    expect(() => alice.client.on("typing" as never, () => undefined)).toThrow(
      /conversation, message, connection, problem/,
    );
    expect(() => atAlice.on("message", undefined as never)).toThrow(TypeError);
  });

  test("options that are none are a TypeError that says what to pass, and nothing has happened", async () => {
    const { world, alice, atAlice } = await pair();
    const { client } = alice;
    await expect(client.createGroup("Lunch" as never)).rejects.toThrow(
      new TypeError('Options are an object, such as { title: "Lunch" }'),
    );
    await expect(client.createGroup(null as never)).rejects.toThrow(TypeError);
    expect(client.conversations).toHaveLength(1);
    await expect(atAlice.add("carol", "dave" as never)).rejects.toThrow(
      new TypeError("Options are an object, such as { signal }"),
    );
    const expected = new TypeError("signal: an AbortSignal is expected");
    // An unhandled rejection would fail the run.
    for (const signal of [null, 7, {}, new AbortController()]) {
      const options = { signal: signal as never };
      await expect(atAlice.update(options)).rejects.toThrow(expected);
      await expect(atAlice.send("x", options)).rejects.toThrow(expected);
      await expect(client.createGroup(options)).rejects.toThrow(expected);
      await expect(client.sync(options)).rejects.toThrow(expected);
      await expect(world.device("erin").open(options)).rejects.toThrow(expected);
    }
    expect(atAlice.snapshot.epoch).toBe(1n);
  });

  test("one name or several", async () => {
    const { world, atAlice } = await pair();
    await world.client("carol");
    await world.client("dave");
    await world.run(atAlice.add("carol"));
    await world.run(atAlice.add(["dave", "DAVE"]));
    expect(await names(atAlice)).toEqual(["alice", "bob", "carol", "dave"]);
    await expect(atAlice.add(undefined as never)).rejects.toThrow(TypeError);
    await expect(atAlice.add([7] as never)).rejects.toThrow(TypeError);
    await expect(atAlice.exportSecret("label", "context" as never, 16)).rejects.toThrow(TypeError);
  });
});

describe("asking for much at once", () => {
  test("6,000 sends at once are all stored and sent, in order", { timeout: 60_000 }, async () => {
    const { world, atAlice, atBob } = await pair();
    const sent = await world.run(Promise.all(Array.from({ length: 6000 }, (_, i) => atAlice.send(`${i}`))));
    expect(sent.map(({ seq }) => seq)).toEqual(Array.from({ length: 6000 }, (_, i) => i + 2));
    await world.until(() => atBob.snapshot.lastItem === 6001);
    const heard = (await atBob.history({ limit: 6000 })).map(textOf);
    expect(heard).toEqual(Array.from({ length: 6000 }, (_, i) => `${i}`));
    await world.until(async () => (await states(atAlice)).every((state) => state === "sent"));
  });

  test("ERR_CLIENT_QUEUE_FULL beyond 10,000 that wait", async () => {
    const { world, atAlice } = await pair();
    const calls = Array.from({ length: 10_100 }, () => atAlice.exportSecret("x", new Uint8Array(0), 16));
    const outcomes = await world.run(Promise.allSettled(calls));
    const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    expect(refused).toHaveLength(100);
    expect(refused[0]).toMatchObject({ code: "ERR_CLIENT_QUEUE_FULL", detail: { limit: 10_000 } });
  });
});

describe("state reads", () => {
  test("a snapshot is the same object until something changes, and cannot be changed", async () => {
    const { world, atAlice, atBob } = await pair();
    const { snapshot } = atAlice;
    expect(atAlice.snapshot).toBe(snapshot);
    expect(() => Object.assign(snapshot, { title: "x" })).toThrow(TypeError);
    const changes: unknown[] = [];
    atAlice.on("change", (value) => changes.push(value));
    await world.run(atAlice.rename("Now"));
    expect(atAlice.snapshot).not.toBe(snapshot);
    expect(changes.at(-1)).toBe(atAlice.snapshot);
    await world.agree(atAlice, atBob);
  });

  test("the list of conversations is the same object until one appears or disappears", async () => {
    const { world, alice, atAlice } = await pair();
    const { conversations } = alice.client;
    await atAlice.send("x");
    expect(alice.client.conversations).toBe(conversations);
    const group = await alice.client.createGroup({ title: "Second" });
    expect(alice.client.conversations.map(({ id }) => id)).toEqual([atAlice.id, group.id]);
    await world.run(group.forget());
    expect(alice.client.conversations.map(({ id }) => id)).toEqual([atAlice.id]);
    await expect(group.send("x")).rejects.toMatchObject({ code: "ERR_CLIENT_UNKNOWN_CONVERSATION" });
  });

  test("R-8.5-4: members export the same secret, one per epoch", async () => {
    const { world, atAlice, atBob } = await pair();
    const context = Uint8Array.of(1);
    const secret = await atAlice.exportSecret("app", context, 16);
    expect(await atBob.exportSecret("app", context, 16)).toEqual(secret);
    await world.run(atAlice.update());
    await world.agree(atAlice, atBob);
    expect(await atBob.exportSecret("app", context, 16)).not.toEqual(secret);
  });

  test("members of one epoch have the same authenticator, and another one in the next (§8.7)", async () => {
    const { world, atAlice, atBob } = await pair();
    const authenticator = await atAlice.epochAuthenticator();
    expect(authenticator).toHaveLength(32);
    expect(await atBob.epochAuthenticator()).toEqual(authenticator);
    await world.run(atAlice.update());
    await world.agree(atAlice, atBob);
    expect(await atBob.epochAuthenticator()).not.toEqual(authenticator);
    expect(await atBob.epochAuthenticator()).toEqual(await atAlice.epochAuthenticator());
  });

  test("history pages by sequence number", async () => {
    const { atAlice } = await pair();
    for (const text of ["1", "2", "3", "4"]) await atAlice.send(text);
    const newest = await atAlice.history({ limit: 2 });
    const older = await atAlice.history({ limit: 2, before: newest[0]?.seq ?? 0 });
    expect([...older, ...newest].map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
    await expect(atAlice.history({ limit: 0 })).rejects.toThrow(RangeError);
    await expect(atAlice.history({ before: -1 })).rejects.toThrow(RangeError);
    await expect(atAlice.members({ limit: 0 })).rejects.toThrow(RangeError);
    await expect(atAlice.members({ after: "x" })).rejects.toThrow(RangeError);
  });

  test("a removed listener hears nothing", async () => {
    const { world, atAlice, atBob } = await pair();
    const heard: number[] = [];
    const release = atBob.on("item", ({ seq }) => heard.push(seq));
    release();
    await atAlice.send("x");
    await world.until(() => atBob.snapshot.lastItem === 2);
    expect(heard).toEqual([]);
  });
});

describe("forgetting", () => {
  test("deletes the conversation from the device", async () => {
    const { aliceDevice, alice, atAlice } = await pair();
    const codes = problems(alice.client);
    await atAlice.forget();
    expect(alice.client.conversations).toEqual([]);
    await expect(atAlice.send("x")).rejects.toMatchObject({ code: "ERR_CLIENT_UNKNOWN_CONVERSATION" });
    expect((await aliceDevice.client()).conversations).toEqual([]);
    expect(codes).toEqual([]);
  });

  test("adversarial 48: a tab that slept cannot write its old state over a group that was joined again", async () => {
    const { world, aliceDevice, atAlice, atBob } = await pair();
    const { version } = await aliceDevice.store().read(`conversation/${atAlice.id}`, []);
    await atAlice.forget();
    await world.run(atBob.remove("alice"));
    await world.run(atBob.add("alice"));
    await world.until(async () => (await aliceDevice.store().partitions()).names.length === 2);
    const now = await aliceDevice.store().read(`conversation/${atAlice.id}`, []);
    expect(now.version).toBeGreaterThan(version);
  });
});
