/** The commit pipeline: conflicts, unknown outcomes, refusals. */
import type { DeliveryService } from "@coppice/delivery";
import { CoppiceError } from "@coppice/kit";
import { describe, expect, test } from "vitest";
import { again, listen, names, pair, problems, states, World, type Opened, type Pair } from "./world.ts";

describe("commits at the same time", () => {
  test("R-14-1, R-14-5: both take effect: the one that loses is made again", async () => {
    const { world, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    const dave = await world.client("dave");
    await world.run(Promise.all([atAlice.add(["carol"]), atBob.add(["dave"])]));
    await world.agree(atAlice, atBob, await world.arrival(carol, atAlice.id), await world.arrival(dave, atAlice.id));
    expect(await names(atAlice)).toEqual(["alice", "bob", "carol", "dave"]);
  });

  test("the winner is followed from the answer, without another request", async () => {
    const { world, alice, bob, atAlice, atBob } = await pair();
    await world.until(() => alice.client.online);
    alice.delivery.network.events = "drop";
    const calls: string[] = [];
    await world.run(atBob.rename("Bob's"));
    alice.delivery.network.fault = ({ call, phase }) => {
      if (phase === "request") calls.push(call);
    };
    await world.run(atAlice.update());
    expect(calls).toEqual(["submitCommit", "submitCommit"]);
    expect(atAlice.snapshot.title).toBe("Bob's");
    await world.agree(atAlice, atBob);
    expect(problems(bob.client)).toEqual([]);
  });

  test("the same change by two members is done once and succeeds for both", async () => {
    const { world, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await world.run(Promise.all([atAlice.add(["carol"]), atBob.add(["carol"])]));
    await world.agree(atAlice, atBob, await world.arrival(carol, atAlice.id));
    expect(await names(atBob)).toEqual(["alice", "bob", "carol"]);
    await world.run(Promise.all([atAlice.remove(["carol"]), atBob.remove(["carol"])]));
    await world.agree(atAlice, atBob);
    expect(await names(atBob)).toEqual(["alice", "bob"]);
  });

  test("five members change everything at once", async () => {
    const world = new World();
    const clients = await Promise.all(["a", "b", "c", "d", "e"].map((name) => world.client(name)));
    const [first] = clients;
    if (first === undefined) throw new Error("There are five");
    const group = await first.createGroup({ title: "Start" });
    await world.run(group.add(["b", "c", "d", "e"]));
    const all = [group, ...(await Promise.all(clients.slice(1).map((client) => world.arrival(client, group.id))))];
    await world.run(
      Promise.all(all.map((conversation, i) => (i % 2 === 0 ? conversation.update() : conversation.rename(`T${i}`)))),
    );
    await world.agree(...all);
    expect(group.snapshot.title).toMatch(/^T[13]$/);
  });

  test("ERR_CLIENT_CONFLICT when others win every attempt", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    alice.crash();
    const unlucky = await aliceDevice.open({
      wrap: (service): DeliveryService => ({
        ...service,
        submitCommit: () => Promise.resolve({ accepted: false, epoch: 9n, lastSeq: 9, winner: undefined }),
      }),
    });
    const conversation = again(unlucky, atAlice);
    const update = conversation.update();
    update.catch(() => undefined);
    await expect(world.run(update)).rejects.toMatchObject({ code: "ERR_CLIENT_CONFLICT" });
    expect(conversation.snapshot.pending).toBeUndefined();
    await world.agree(conversation, atBob);
  });
});

describe("the outcome of a commit is not known", () => {
  test("adversarial 39: the reply is lost; the commit takes effect once", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const { epoch } = atAlice.snapshot;
    alice.delivery.network.loseReply("submitCommit");
    await world.run(atAlice.rename("After all"));
    expect(atAlice.snapshot).toMatchObject({ title: "After all", pending: undefined, epoch: epoch + 1n });
    await world.agree(atAlice, atBob);
    expect(atBob.snapshot.title).toBe("After all");
  });

  test("adversarial 39: replies are lost and meanwhile another commit wins", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "submitCommit" && phase === "request") throw new CoppiceError("ERR_DS_UNREACHABLE", "Down");
    };
    const renamed = atAlice.rename("Mine");
    await world.until(() => atAlice.snapshot.pending?.operation === "rename");
    await world.run(atBob.update());
    alice.delivery.network.fault = undefined;
    await world.run(renamed);
    await world.agree(atAlice, atBob);
    expect(atBob.snapshot.title).toBe("Mine");
    expect(atBob.snapshot.epoch).toBe(3n);
  });

  /** Loses the reply to the next Commit, then all that follow, until the function that it returns is called. */
  const losingReplies = ({ delivery: { network } }: Opened): (() => void) => {
    let isLost = false;
    network.fault = ({ call, phase }) => {
      if (call !== "submitCommit" || (phase === "request" && !isLost)) return;
      isLost = true;
      throw new CoppiceError("ERR_DS_UNREACHABLE", "Down");
    };
    return () => {
      network.fault = undefined;
    };
  };

  test("an addition whose reply was lost does not undo the removal that followed it", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    const restore = losingReplies(alice);
    const added = atAlice.add("carol");
    const atCarol = await world.arrival(carol, atAlice.id);
    await world.until(() => atBob.snapshot.memberCount === 3);
    await world.run(atBob.remove("carol"));
    await world.until(() => atCarol.snapshot.status === "removed" && atAlice.snapshot.memberCount === 2);
    restore();
    await world.run(added);
    await world.agree(atAlice, atBob);
    expect(await names(atBob)).toEqual(["alice", "bob"]);
    expect(atAlice.snapshot.epoch).toBe(3n);
    // Later, she is added by a key package of her own that was not used yet.
    await world.run(atAlice.add("carol"));
    await world.agree(atAlice, atBob, atCarol);
  });

  test("a removal whose reply was lost does not undo the addition that followed it", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await world.run(atAlice.add("carol"));
    const atCarol = await world.arrival(carol, atAlice.id);
    const restore = losingReplies(alice);
    const removed = atAlice.remove("carol");
    await world.until(() => atBob.snapshot.memberCount === 2);
    await world.run(atBob.add("carol"));
    await world.until(() => atAlice.snapshot.epoch === 4n);
    restore();
    await world.run(removed);
    await world.agree(atAlice, atBob, atCarol);
    expect(await names(atBob)).toEqual(["alice", "bob", "carol"]);
    expect(atAlice.snapshot.epoch).toBe(4n);
  });

  test("a title whose reply was lost does not undo the one that followed it, also in a tab that does not lead", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const other = await aliceDevice.open();
    for (const [opened, title] of [[alice, "One"] as const, [other, "Two"] as const]) {
      const conversation = again(opened, atAlice);
      const restore = losingReplies(opened);
      const renamed = conversation.rename(title);
      await world.until(() => atBob.snapshot.title === title);
      await world.run(atBob.rename(`After ${title}`));
      await world.until(() => conversation.snapshot.title === `After ${title}`);
      restore();
      await world.run(renamed);
      await world.agree(conversation, atBob);
      expect(atBob.snapshot.title).toBe(`After ${title}`);
    }
    expect(atBob.snapshot.epoch).toBe(5n);
  });

  test("who is removed after the lost reply learns that the Commit took effect", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const restore = losingReplies(alice);
    const renamed = atAlice.rename("Mine");
    await world.until(() => atBob.snapshot.title === "Mine");
    await world.run(atBob.remove("alice"));
    await world.until(() => atAlice.snapshot.status === "removed");
    restore();
    await expect(world.run(renamed)).resolves.toBeUndefined();
  });

  test.each(["now", "later"])(
    "a Commit that is in the log took effect, also if it is refused next: read %s",
    async (when) => {
      const { world, alice, atAlice, atBob } = await pair();
      const told = problems(alice.client);
      alice.delivery.network.events = "drop";
      let submissions = 0;
      alice.delivery.network.fault = ({ call, phase }) => {
        if (call === "readLog" && submissions === 2 && when === "later")
          throw new CoppiceError("ERR_DS_UNREACHABLE", "Down");
        if (call !== "submitCommit") return;
        if (phase === "reply") throw new CoppiceError("ERR_DS_UNREACHABLE", "Down");
        submissions++;
        if (submissions === 2) throw new CoppiceError("ERR_DS_TOO_LARGE", "Now it is");
        if (submissions > 2) alice.delivery.network.fault = undefined;
      };
      await world.run(atAlice.rename("Mine"));
      await world.agree(atAlice, atBob);
      expect(atBob.snapshot).toMatchObject({ title: "Mine", epoch: 2n });
      expect(told).toEqual([]);
    },
  );

  /** Runs `work` and crashes alice in a phase of `submitCommit`. */
  const crashing = async ({ world, alice }: Pair, phase: "request" | "reply", work: () => Promise<void>) => {
    let crashed = false;
    alice.delivery.network.fault = (at) => {
      if (at.call !== "submitCommit" || at.phase !== phase) return;
      alice.crash();
      crashed = true;
    };
    work().catch(() => undefined);
    await world.until(() => crashed);
  };

  test("adversarial 38: crash after the commit was accepted: it is adopted at restart", async () => {
    const scene = await pair();
    const { world, aliceDevice, atAlice, atBob } = scene;
    await crashing(scene, "reply", () => atAlice.rename("Once"));
    const conversation = again(await aliceDevice.open(), atAlice);
    await world.until(() => conversation.snapshot.title === "Once");
    await world.agree(conversation, atBob);
    expect(conversation.snapshot).toMatchObject({ epoch: 2n, pending: undefined });
    const heard = listen(atBob);
    await conversation.send("goes on");
    await world.until(() => heard.length === 1);
  });

  test("adversarial 38, R-14-3: crash before the commit left, and another one wins: it is dropped", async () => {
    const scene = await pair();
    const { world, aliceDevice, atAlice, atBob } = scene;
    await crashing(scene, "request", () => atAlice.rename("Never"));
    await world.run(atBob.update());
    const conversation = again(await aliceDevice.open(), atAlice);
    await world.until(() => conversation.snapshot.pending === undefined && conversation.snapshot.epoch === 2n);
    await world.agree(conversation, atBob);
    expect(conversation.snapshot.title).toBe("");
  });

  test("adversarial 38: crash before the commit left, and nobody else commits: it is submitted at restart", async () => {
    const scene = await pair();
    const { world, aliceDevice, atAlice, atBob } = scene;
    const carol = await world.client("carol");
    await crashing(scene, "request", () => atAlice.add(["carol"]));
    const conversation = again(await aliceDevice.open(), atAlice);
    expect(conversation.snapshot.pending).toEqual({ operation: "add", attempt: 1 });
    await world.agree(conversation, atBob, await world.arrival(carol, atAlice.id));
    expect(await names(atBob)).toContain("carol");
  });
});

describe("refusals", () => {
  test("names: unknown, invalid, member already, not a member, oneself", async () => {
    const { world, atAlice, atBob } = await pair();
    const { epoch } = atAlice.snapshot;
    await expect(world.run(atAlice.add(["nobody"]))).rejects.toMatchObject({
      code: "ERR_DS_UNKNOWN_USER",
      detail: { user: "nobody" },
    });
    await expect(atAlice.add([" x"])).rejects.toMatchObject({
      code: "ERR_CLIENT_NAME_INVALID",
      detail: { reason: "space" },
    });
    await expect(world.run(atAlice.add("bob"))).rejects.toMatchObject({
      code: "ERR_CLIENT_ALREADY_MEMBER",
      detail: { user: "bob" },
    });
    await expect(world.run(atAlice.remove(["zoe"]))).rejects.toMatchObject({
      code: "ERR_CLIENT_NOT_A_MEMBER",
      detail: { user: "zoe" },
    });
    await expect(atAlice.remove("alice")).rejects.toThrow(RangeError);
    await expect(atAlice.add(7 as never)).rejects.toThrow(TypeError);
    await expect(atAlice.rename("x".repeat(129))).rejects.toMatchObject({ code: "ERR_CLIENT_TITLE_TOO_LONG" });
    expect(atAlice.snapshot).toMatchObject({ epoch, pending: undefined });
    await world.agree(atAlice, atBob);
  });

  test("a commit that the Delivery Service will not have is dropped and the group goes on", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    alice.crash();
    let refusals = 1;
    const opened = await aliceDevice.open({
      wrap: (service) => ({
        ...service,
        submitCommit: (...args) =>
          refusals-- > 0
            ? Promise.reject(new CoppiceError("ERR_DS_TOO_LARGE", "Too large"))
            : service.submitCommit(...args),
      }),
    });
    const conversation = again(opened, atAlice);
    await expect(world.run(conversation.rename("No"))).rejects.toMatchObject({ code: "ERR_DS_TOO_LARGE" });
    expect(conversation.snapshot).toMatchObject({ pending: undefined, title: "" });
    await world.run(conversation.rename("Yes"));
    await world.agree(conversation, atBob);
  });

  test("removed while a commit is on its way: the caller learns of it", async () => {
    const { world, bob, atAlice, atBob } = await pair();
    let removed = false;
    bob.delivery.network.fault = async ({ call, phase }) => {
      if (call !== "submitCommit" || phase !== "request" || removed) return;
      removed = true;
      await atAlice.remove(["bob"]);
    };
    await expect(world.run(atBob.rename("Too late"))).rejects.toMatchObject({ code: "ERR_CLIENT_NOT_ACTIVE" });
    expect(atBob.snapshot).toMatchObject({ status: "removed", pending: undefined });
    expect(await names(atAlice)).toEqual(["alice"]);
  });

  test("offline, a commit waits for the network as a message does, and a signal ends the wait", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    alice.delivery.network.reachable = false;
    await world.until(() => !alice.client.online);
    const added = atAlice.add("carol");
    const controller = new AbortController();
    const given = atAlice.rename("Given up", { signal: controller.signal });
    given.catch(() => undefined);
    await world.time.advance(60_000);
    expect(atAlice.snapshot.memberCount).toBe(2);
    controller.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    alice.delivery.network.reachable = true;
    await world.run(added);
    await world.agree(atAlice, atBob, await world.arrival(carol, atAlice.id));
    expect(atAlice.snapshot.title).toBe("");
  });
});

describe("who is added", () => {
  test("the device logs of all are asked for at once", async () => {
    const world = new World();
    const users = ["bob", "carol", "dave", "erin"];
    for (const user of users) await world.client(user);
    let [now, most] = [0, 0];
    const opening = world.device("alice").client({
      wrap: (service) => ({
        ...service,
        readDeviceLog: async (query, options) => {
          most = Math.max(most, ++now);
          await new Promise<void>((resolve) => void world.time.after(100, resolve));
          now--;
          return service.readDeviceLog(query, options);
        },
      }),
    });
    const group = await (await world.run(opening)).createGroup();
    await world.run(group.add(users));
    expect(most).toBe(users.length);
  });
});

describe("leaving", () => {
  test("the others commit the wish to leave, and the conversation is removed", async () => {
    const { world, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await world.run(atAlice.add(["carol"]));
    const atCarol = await world.arrival(carol, atAlice.id);
    await world.agree(atAlice, atBob, atCarol);
    await atCarol.leave();
    await world.until(() => atCarol.snapshot.status === "removed");
    await world.agree(atAlice, atBob);
    expect(await names(atAlice)).toEqual(["alice", "bob"]);
    // Whoever committed it did not remove her.
    for (const conversation of [atAlice, atBob]) {
      expect((await conversation.history()).at(-1)).toMatchObject({ kind: "change", left: ["carol"], removed: [] });
    }
    expect((await atCarol.history()).at(-1)).toMatchObject({ kind: "change", left: ["carol"], removed: [] });
  });

  test("of the last members, who all leave, one commits it for the others, and then has left as well", async () => {
    const { world, alice, atAlice, atBob, bob } = await pair();
    const carol = await world.client("carol");
    await world.run(atAlice.add(["carol"]));
    const all = [atAlice, atBob, await world.arrival(carol, atAlice.id)];
    await world.agree(...all);
    const told = [alice.client, bob.client, carol].map(problems);
    for (const conversation of all) await conversation.leave();
    await world.until(() => all.every(({ snapshot }) => snapshot.status === "removed"));
    expect(told).toEqual([[], [], []]);
    for (const conversation of all) expect(conversation.snapshot.pending).toBeUndefined();
    const left = await Promise.all(all.map(async (conversation) => (await conversation.history()).at(-1)));
    expect(left.map((item) => (item?.kind === "change" ? item.left.length : 0)).sort()).toEqual([2, 2, 3]);
  });

  test("a wish to leave survives an epoch that ends without it, and a restart", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    bob.delivery.network.reachable = false;
    await atBob.leave();
    expect(atBob.snapshot.pending).toEqual({ operation: "leave", attempt: 1 });
    await expect(atBob.send("too late")).rejects.toMatchObject({ code: "ERR_CLIENT_NOT_ACTIVE" });
    await world.run(atAlice.update());
    bob.crash();
    const reopened = again(await bobDevice.open(), atBob);
    await world.until(() => reopened.snapshot.status === "removed");
    await world.until(async () => (await names(atAlice)).length === 1);
  });

  test("R-12.4-3: messages that wait for a proposal to be committed are sent after it", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await world.run(atAlice.add(["carol"]));
    const atCarol = await world.arrival(carol, atAlice.id);
    await world.agree(atAlice, atBob, atCarol);
    const heard = listen(atBob);
    await atCarol.leave();
    // Alice has the proposal before she writes: her message needs a commit first (R-12.4-3).
    await world.run(alice.client.sync());
    await atAlice.send("bye carol");
    await world.until(() => heard.length === 1);
    await world.agree(atAlice, atBob);
    expect(await names(atBob)).toEqual(["alice", "bob"]);
  });

  test("a message that waits when its sender leaves is sent before", async () => {
    const { world, bob, atAlice, atBob } = await pair();
    bob.delivery.network.reachable = false;
    await world.until(() => !bob.client.online);
    const heard = listen(atAlice);
    await atBob.send("farewell");
    await atBob.leave();
    bob.delivery.network.reachable = true;
    await world.until(() => atBob.snapshot.status === "removed");
    expect(await states(atBob)).toEqual(["sent"]);
    expect(heard).toEqual(["bob: farewell"]);
    await world.until(async () => (await names(atAlice)).length === 1);
  });

  test("a message and the wish to leave of a tab that does not lead are sent in this order by the leader", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    const other = again(await bobDevice.open(), atBob);
    const heard = listen(atAlice);
    await other.send("farewell");
    await other.leave();
    await world.until(() => other.snapshot.status === "removed");
    expect(await states(other)).toEqual(["sent"]);
    expect(heard).toEqual(["bob: farewell"]);
    expect(problems(bob.client)).toEqual([]);
  });

  test("R-12.4-3: messages of who leaves that wait for a proposal of another are sent after its Commit", async () => {
    const { world, bob, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await world.run(atAlice.add(["carol"]));
    const atCarol = await world.arrival(carol, atAlice.id);
    await world.agree(atAlice, atBob, atCarol);
    const heard = listen(atAlice);
    await atCarol.leave();
    // Bob has the proposal before he writes.
    await world.run(bob.client.sync());
    await atBob.send("farewell");
    await atBob.leave();
    await world.run(bob.client.sync());
    await world.until(() => [atBob, atCarol].every(({ snapshot }) => snapshot.status === "removed"));
    expect(await states(atBob)).toEqual(["sent"]);
    expect(heard).toEqual(["bob: farewell"]);
    expect(await names(atAlice)).toEqual(["alice"]);
  });

  test("a wish to leave is proposed again, while online, when an epoch ends without it", async () => {
    const { world, bob, atAlice, atBob } = await pair();
    let lost = 0;
    bob.delivery.network.fault = ({ call, phase }) => {
      if (call !== "sendMessages" || phase !== "request" || lost > 0) return;
      lost++;
      throw new CoppiceError("ERR_DS_BAD_REQUEST", "This one is refused");
    };
    await atBob.leave();
    await world.until(() => lost === 1);
    expect(atBob.snapshot.status).toBe("active");
    await world.run(atAlice.update());
    await world.until(() => atBob.snapshot.status === "removed");
    expect(atAlice.snapshot.epoch).toBe(3n);
  });
});
