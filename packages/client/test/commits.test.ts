/** The commit pipeline: conflicts, unknown outcomes, refusals. */
import { CoppiceError } from "@coppice/core";
import { describe, expect, test } from "vitest";
import type { DeliveryService } from "@coppice/delivery";
import { again, agree, arrival, listen, names, pair, problems, until, World } from "./world.ts";

describe("commits at the same time", () => {
  test("R-14-1, R-14-5: both take effect: the one that loses is made again", async () => {
    const { world, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    const dave = await world.client("dave");
    await Promise.all([atAlice.add(["carol"]), atBob.add(["dave"])]);
    await agree(atAlice, atBob, await arrival(carol, atAlice.id), await arrival(dave, atAlice.id));
    expect(names(atAlice)).toEqual(["alice", "bob", "carol", "dave"]);
  });

  test("the same change by two members is done once and succeeds for both", async () => {
    const { world, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await Promise.all([atAlice.add(["carol"]), atBob.add(["carol"])]);
    await agree(atAlice, atBob, await arrival(carol, atAlice.id));
    expect(names(atBob)).toEqual(["alice", "bob", "carol"]);
    await Promise.all([atAlice.remove(["carol"]), atBob.remove(["carol"])]);
    await agree(atAlice, atBob);
    expect(names(atBob)).toEqual(["alice", "bob"]);
  });

  test("five members change everything at once", async () => {
    const world = new World();
    const clients = await Promise.all(["a", "b", "c", "d", "e"].map((name) => world.client(name)));
    const [first] = clients;
    if (first === undefined) throw new Error("there are five");
    const group = await first.createGroup({ title: "Start" });
    await group.add(["b", "c", "d", "e"]);
    const all = [group, ...(await Promise.all(clients.slice(1).map((client) => arrival(client, group.id))))];
    await Promise.all(
      all.map((conversation, i) => (i % 2 === 0 ? conversation.update() : conversation.rename(`T${i}`))),
    );
    await agree(...all);
    expect(group.snapshot.title).toMatch(/^T[13]$/);
  });

  test("ERR_CLIENT_CONFLICT when others win every attempt", async () => {
    const { aliceDevice, alice, atAlice, atBob } = await pair();
    alice.crash();
    const unlucky = await aliceDevice.open({
      wrap: (service): DeliveryService => ({
        ...service,
        submitCommit: () => Promise.reject(new CoppiceError("ERR_DS_EPOCH_CONFLICT", "always")),
      }),
    });
    await expect(again(unlucky, atAlice).update()).rejects.toMatchObject({ code: "ERR_CLIENT_CONFLICT" });
    expect(again(unlucky, atAlice).snapshot.pending).toBeUndefined();
    await agree(again(unlucky, atAlice), atBob);
  });
});

describe("the outcome of a commit is not known", () => {
  test("adversarial 39: the reply is lost; the commit takes effect once", async () => {
    const { alice, atAlice, atBob } = await pair();
    const epoch = atAlice.snapshot.epoch;
    alice.delivery.network.loseReply("submitCommit");
    await atAlice.rename("After all");
    expect(atAlice.snapshot).toMatchObject({ title: "After all", pending: undefined, epoch: epoch + 1n });
    await agree(atAlice, atBob);
    expect(atBob.snapshot.title).toBe("After all");
  });

  test("adversarial 39: replies are lost and meanwhile another commit wins", async () => {
    const { alice, atAlice, atBob } = await pair();
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "submitCommit" && phase === "request") throw new CoppiceError("ERR_DS_UNREACHABLE", "down");
    };
    const renamed = atAlice.rename("Mine");
    await until(() => atAlice.snapshot.pending?.operation === "rename");
    await atBob.update();
    alice.delivery.network.fault = undefined;
    await renamed;
    await agree(atAlice, atBob);
    expect(atBob.snapshot.title).toBe("Mine");
    expect(atBob.snapshot.epoch).toBe(3n);
  });

  test("adversarial 38: crash after the commit was accepted: it is adopted at restart", async () => {
    const { aliceDevice, alice, atAlice, atBob } = await pair();
    const accepted = new Promise<void>((resolve) => {
      alice.delivery.network.fault = ({ call, phase }) => {
        if (call !== "submitCommit" || phase !== "reply") return;
        alice.crash();
        resolve();
      };
    });
    atAlice.rename("Once").catch(() => undefined);
    await accepted;
    const reopened = await aliceDevice.open();
    const conversation = again(reopened, atAlice);
    await until(() => conversation.snapshot.title === "Once");
    await agree(conversation, atBob);
    expect(conversation.snapshot).toMatchObject({ epoch: 2n, pending: undefined });
    await conversation.send("goes on");
    await until(() => atBob.snapshot.lastItem >= 3);
  });

  test("adversarial 38, R-14-3: crash before the commit left, and another one wins: it is dropped", async () => {
    const { aliceDevice, alice, atAlice, atBob } = await pair();
    const stored = new Promise<void>((resolve) => {
      alice.delivery.network.fault = ({ call, phase }) => {
        if (call !== "submitCommit" || phase !== "request") return;
        alice.crash();
        resolve();
      };
    });
    atAlice.rename("Never").catch(() => undefined);
    await stored;
    await atBob.update();
    const conversation = again(await aliceDevice.open(), atAlice);
    await until(() => conversation.snapshot.pending === undefined && conversation.snapshot.epoch === 2n);
    await agree(conversation, atBob);
    expect(conversation.snapshot.title).toBe("");
  });

  test("adversarial 38: crash before the commit left, and nobody else commits: it is submitted at restart", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    const stored = new Promise<void>((resolve) => {
      alice.delivery.network.fault = ({ call, phase }) => {
        if (call !== "submitCommit" || phase !== "request") return;
        alice.crash();
        resolve();
      };
    });
    atAlice.add(["carol"]).catch(() => undefined);
    await stored;
    const conversation = again(await aliceDevice.open(), atAlice);
    expect(conversation.snapshot.pending).toEqual({ operation: "add", attempt: 1 });
    await agree(conversation, atBob, await arrival(carol, atAlice.id));
    expect(names(atBob)).toContain("carol");
  });
});

describe("refusals", () => {
  test("names: unknown, invalid, member already, not a member, oneself", async () => {
    const { atAlice, atBob } = await pair();
    const epoch = atAlice.snapshot.epoch;
    await expect(atAlice.add(["nobody"])).rejects.toMatchObject({
      code: "ERR_DS_UNKNOWN_USER",
      detail: { user: "nobody" },
    });
    await expect(atAlice.add([" x"])).rejects.toMatchObject({ code: "ERR_CLIENT_NAME_INVALID" });
    await expect(atAlice.add(["bob"])).rejects.toMatchObject({
      code: "ERR_CLIENT_ALREADY_MEMBER",
      detail: { name: "bob" },
    });
    await expect(atAlice.remove(["zoe"])).rejects.toMatchObject({
      code: "ERR_CLIENT_NOT_A_MEMBER",
      detail: { name: "zoe" },
    });
    await expect(atAlice.remove(["alice"])).rejects.toThrow(RangeError);
    await expect(atAlice.rename("x".repeat(129))).rejects.toMatchObject({ code: "ERR_CLIENT_TITLE_TOO_LONG" });
    expect(atAlice.snapshot).toMatchObject({ epoch, pending: undefined });
    await agree(atAlice, atBob);
  });

  test("R-5.3.1-1: a key package of someone else is refused", async () => {
    const world = new World();
    await world.client("bob");
    await world.client("mallory");
    const { client } = await world.device("alice").open({
      wrap: (service) => ({
        ...service,
        claimKeyPackages: async (users) => {
          const [stolen] = await service.claimKeyPackages(["mallory"]);
          return stolen === undefined ? [] : users.map((user) => ({ ...stolen, user }));
        },
      }),
    });
    const group = await client.createGroup();
    await expect(group.add(["bob"])).rejects.toMatchObject({ code: "ERR_MLS_CREDENTIAL" });
    expect(names(group)).toEqual(["alice"]);
  });

  test("R-5.3.1-1: a name that comes back with another key is refused", async () => {
    const { atAlice, aliceDevice, alice } = await pair();
    alice.crash();
    const other = new World();
    const impostor = await other.device("bob").open();
    const { keyPackage } = (await impostor.delivery.claimKeyPackages(["bob"]))[0] ?? {};
    if (keyPackage === undefined) throw new Error("there are key packages");
    const opened = await aliceDevice.open({
      wrap: (service) => ({ ...service, claimKeyPackages: () => Promise.resolve([{ user: "bob", keyPackage }]) }),
    });
    const second = await opened.client.createGroup();
    await expect(second.add(["bob"])).rejects.toMatchObject({ code: "ERR_MLS_CREDENTIAL" });
    expect(again(opened, atAlice).snapshot.members).toHaveLength(2);
  });

  test("a commit that the Delivery Service will not have is dropped and the group goes on", async () => {
    const { aliceDevice, alice, atAlice, atBob } = await pair();
    alice.crash();
    let refusals = 1;
    const opened = await aliceDevice.open({
      wrap: (service) => ({
        ...service,
        submitCommit: (...args) =>
          refusals-- > 0
            ? Promise.reject(new CoppiceError("ERR_DS_TOO_LARGE", "too large"))
            : service.submitCommit(...args),
      }),
    });
    const conversation = again(opened, atAlice);
    await expect(conversation.rename("No")).rejects.toMatchObject({ code: "ERR_DS_TOO_LARGE" });
    expect(conversation.snapshot).toMatchObject({ pending: undefined, title: "" });
    await conversation.rename("Yes");
    await agree(conversation, atBob);
  });

  test("removed while a commit is on its way: the caller learns of it", async () => {
    const { bob, atAlice, atBob } = await pair();
    let removed = false;
    bob.delivery.network.fault = async ({ call, phase }) => {
      if (call !== "submitCommit" || phase !== "request" || removed) return;
      removed = true;
      await atAlice.remove(["bob"]);
    };
    await expect(atBob.rename("Too late")).rejects.toMatchObject({ code: "ERR_CLIENT_NOT_ACTIVE" });
    expect(atBob.snapshot).toMatchObject({ status: "removed", pending: undefined });
    expect(names(atAlice)).toEqual(["alice"]);
  });

  test("offline, a commit is refused before anything has happened", async () => {
    const { alice, atAlice, atBob } = await pair();
    alice.delivery.network.reachable = false;
    await expect(atAlice.update()).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    expect(atAlice.snapshot.pending).toBeUndefined();
    alice.delivery.network.reachable = true;
    await agree(atAlice, atBob);
  });
});

describe("leaving", () => {
  test("the others commit the wish to leave, and the conversation is removed", async () => {
    const { world, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await atAlice.add(["carol"]);
    const atCarol = await arrival(carol, atAlice.id);
    await atCarol.leave();
    await until(() => atCarol.snapshot.status === "removed");
    await agree(atAlice, atBob);
    expect(names(atAlice)).toEqual(["alice", "bob"]);
  });

  test("a wish to leave survives an epoch that ends without it, and a restart", async () => {
    const { bobDevice, bob, atAlice, atBob } = await pair();
    bob.delivery.network.reachable = false;
    await atBob.leave();
    expect(atBob.snapshot.pending).toEqual({ operation: "leave", attempt: 1 });
    await expect(atBob.send("too late")).rejects.toMatchObject({ code: "ERR_CLIENT_NOT_ACTIVE" });
    await atAlice.update();
    bob.crash();
    const reopened = again(await bobDevice.open(), atBob);
    await until(() => reopened.snapshot.status === "removed");
    await until(() => names(atAlice).length === 1);
  });

  test("R-12.4-3: messages that wait for a proposal to be committed are sent after it", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await atAlice.add(["carol"]);
    const atCarol = await arrival(carol, atAlice.id);
    await agree(atAlice, atBob, atCarol);
    const heard = listen(atBob);
    await atCarol.leave();
    // Alice has the proposal before she writes: her message needs a commit first (R-12.4-3).
    await alice.client.sync();
    await atAlice.send("bye carol");
    await until(() => heard.length === 1);
    await agree(atAlice, atBob);
    expect(names(atBob)).toEqual(["alice", "bob"]);
  });
});

test("forget deletes the conversation from the device", async () => {
  const { aliceDevice, alice, atAlice } = await pair();
  const codes = problems(alice.client);
  await atAlice.forget();
  expect(alice.client.conversations).toEqual([]);
  await expect(atAlice.send("x")).rejects.toMatchObject({ code: "ERR_CLIENT_UNKNOWN_CONVERSATION" });
  expect((await aliceDevice.open()).client.conversations).toEqual([]);
  expect(codes).toEqual([]);
});
