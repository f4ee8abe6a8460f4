/** Inbox and outbox: nothing is lost, nothing arrives twice, nothing blocks. */
import { CoppiceError } from "@coppice/core";
import { describe, expect, test } from "vitest";
import type { DeliveryService, LogEntry } from "@coppice/delivery";
import { again, agree, arrival, listen, pair, problems, texts, until } from "./world.ts";

describe("sending", () => {
  test("adversarial 39: the reply is lost; the message arrives once", async () => {
    const { alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.delivery.network.loseReply("sendMessage");
    const item = await atAlice.send("once");
    await until(() => heard.length === 1);
    await alice.client.sync();
    await atAlice.send("end");
    await until(() => heard.length === 2);
    expect(heard).toEqual(["alice: once", "alice: end"]);
    const [sent] = (await atAlice.history()).filter(({ seq }) => seq === item.seq);
    expect(sent).toMatchObject({ state: "sent" });
    await agree(atAlice, atBob);
  });

  test("adversarial 39: written while the server is away, sent in order when it is back", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    world.service.network.reachable = false;
    for (const text of ["one", "two", "three"]) {
      expect(await atAlice.send(text)).toMatchObject({ state: "sending" });
    }
    await alice.client.close();
    const reopened = await aliceDevice.open();
    await again(reopened, atAlice).send("four");
    expect(heard).toEqual([]);
    world.service.network.reachable = true;
    await until(() => heard.length === 4);
    expect(heard).toEqual(["alice: one", "alice: two", "alice: three", "alice: four"]);
    await agree(again(reopened, atAlice), atBob);
  });

  test("adversarial 37: crash between storing and sending, and between sending and confirmation", async () => {
    const { aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessage" && phase === "request") alice.crash();
    };
    await atAlice.send("stored").catch(() => undefined);
    await until(() => !alice.delivery.network.reachable);
    expect(heard).toEqual([]);
    const second = await aliceDevice.open();
    await until(() => heard.length === 1);
    second.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessage" && phase === "reply") second.crash();
    };
    await again(second, atAlice)
      .send("sent")
      .catch(() => undefined);
    await until(() => heard.length === 2);
    const third = await aliceDevice.open();
    await again(third, atAlice).send("third");
    await until(() => heard.length === 3);
    expect(heard).toEqual(["alice: stored", "alice: sent", "alice: third"]);
    const items = await again(third, atAlice).history();
    expect(items.filter((item) => item.kind === "undecryptable")).toEqual([]);
    await agree(again(third, atAlice), atBob);
  });

  test("a message that was refused for good can be sent again or discarded", async () => {
    const { alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    const discarded: number[] = [];
    atAlice.on("discarded", ({ seq }) => discarded.push(seq));
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessage" && phase === "request") throw new CoppiceError("ERR_DS_TOO_LARGE", "no");
    };
    const first = await atAlice.send("first");
    const second = await atAlice.send("second");
    const failed = async (): Promise<number> =>
      (await atAlice.history()).filter((item) => item.kind === "message" && item.state === "failed").length;
    let count = 0;
    atAlice.on("item", () => void failed().then((value) => (count = value)));
    await until(() => count === 2);
    alice.delivery.network.fault = undefined;
    await atAlice.discard(first.seq);
    await atAlice.resend(second.seq);
    await until(() => heard.length === 1);
    expect(heard).toEqual(["alice: second"]);
    expect(discarded).toEqual([first.seq]);
    expect(await texts(atAlice)).toEqual(["second"]);
    await expect(atAlice.discard(first.seq)).rejects.toMatchObject({ code: "ERR_CLIENT_UNKNOWN_ITEM" });
    await expect(atAlice.resend(second.seq)).rejects.toMatchObject({ code: "ERR_CLIENT_UNKNOWN_ITEM" });
    await agree(atAlice, atBob);
  });

  test("a message of an epoch that others have forgotten is encrypted again", async () => {
    const { alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.delivery.network.reachable = false;
    await atAlice.send("late");
    for (let i = 0; i < 6; i++) await atBob.update();
    alice.delivery.network.reachable = true;
    await until(() => heard.length === 1);
    expect(heard).toEqual(["alice: late"]);
    await agree(atAlice, atBob);
  });

  test("what the log shows was sent, even if no confirmation ever comes", async () => {
    const { alice, atAlice, atBob } = await pair();
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessage" && phase === "reply") throw new CoppiceError("ERR_DS_UNREACHABLE", "lost");
    };
    const states: string[] = [];
    atAlice.on("item", (item) => states.push(item.kind === "message" ? item.state : item.kind));
    await atAlice.send("x");
    await until(() => states.at(-1) === "sent");
    await agree(atAlice, atBob);
  });

  test("adversarial 18: own messages are recognised, also when the keys of their epoch are gone", async () => {
    const { aliceDevice, alice, atAlice, atBob } = await pair();
    alice.crash();
    let hidden = true;
    const behind = await aliceDevice.open({
      wrap: (service) => ({
        ...service,
        readLog: (query, options) => (hidden ? Promise.resolve([]) : service.readLog(query, options)),
      }),
    });
    const conversation = again(behind, atAlice);
    for (let i = 0; i < 6; i++) await atBob.update();
    const states: string[] = [];
    conversation.on("item", (item) => states.push(item.kind === "message" ? item.state : item.kind));
    await conversation.send("of an old epoch");
    await until(() => states.at(-1) === "sent");
    hidden = false;
    await behind.client.sync();
    expect((await conversation.history()).filter(({ kind }) => kind === "undecryptable")).toEqual([]);
    await agree(conversation, atBob);
  });

  test("what comes between reading the log and sending is not skipped", async () => {
    const { alice, atAlice, atBob } = await pair();
    const heard = listen(atAlice);
    const heardByBob = listen(atBob);
    const overtake = new Set(["sendMessage", "submitCommit"]);
    alice.delivery.network.fault = async ({ call, phase }) => {
      if (phase !== "request" || !overtake.delete(call)) return;
      const { seq } = await atBob.send(`before the ${call}`);
      await until(async () =>
        (await atBob.history()).some((item) => item.seq === seq && item.kind === "message" && item.state === "sent"),
      );
    };
    await atAlice.send("overtaken");
    await until(() => heardByBob.length === 1);
    await atAlice.update();
    await until(() => heard.length === 2);
    expect(heard).toEqual(["bob: before the sendMessage", "bob: before the submitCommit"]);
    await agree(atAlice, atBob);
  });

  test("limits: empty, too large, wrong type", async () => {
    const { atAlice } = await pair();
    await expect(atAlice.send("")).rejects.toMatchObject({ code: "ERR_CLIENT_EMPTY_MESSAGE" });
    await expect(atAlice.send(new Uint8Array(65_537))).rejects.toMatchObject({ code: "ERR_CLIENT_MESSAGE_TOO_LARGE" });
    await expect(atAlice.send("é".repeat(40_000))).rejects.toMatchObject({ code: "ERR_CLIENT_MESSAGE_TOO_LARGE" });
    await expect(atAlice.send(7 as never)).rejects.toThrow(TypeError);
    await expect(atAlice.send(new Uint8Array(65_536))).resolves.toMatchObject({ state: "sending" });
  });
});

describe("receiving", () => {
  test("events that are lost, repeated or swapped change nothing", async () => {
    for (const mode of ["duplicate", "reorder", "drop"] as const) {
      const { bob, atAlice, atBob } = await pair();
      const heard = listen(atBob);
      bob.delivery.network.events = mode;
      for (let i = 0; i < 5; i++) await atAlice.send(`${i}`);
      await atAlice.update();
      await until(() => atAlice.snapshot.pending === undefined);
      await until(() => (void bob.client.sync().catch(() => undefined), heard.length === 5));
      expect(heard).toEqual(["0", "1", "2", "3", "4"].map((text) => `alice: ${text}`));
      await agree(atAlice, atBob);
    }
  });

  test("adversarial 39: poison messages are shown as undecryptable and do not block", async () => {
    const { alice, bob, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    const groupId = Uint8Array.from(Buffer.from(atAlice.id, "hex"));
    await alice.delivery.sendMessage({ groupId, epoch: 1n, message: Uint8Array.of(1, 2, 3) });
    await alice.delivery.sendMessage({ groupId, epoch: 0n, message: Uint8Array.of(0, 1, 0, 2, 0xff) });
    await atAlice.send("after the poison");
    await until(() => heard.length === 1);
    const kinds = (await atBob.history()).map((item) => (item.kind === "undecryptable" ? item.problem : item.kind));
    expect(kinds).toEqual(["change", "ERR_MLS_VERSION", "ERR_MLS_DECODE", "message"]);
    expect(atBob.snapshot.status).toBe("active");
    await bob.client.sync();
    await agree(atAlice, atBob);
  });

  test("adversarial 9: a copy with one bit changed that comes first does not cost the genuine message", async () => {
    const { aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.crash();
    const tampering = await aliceDevice.open({
      wrap: (service) => ({
        ...service,
        sendMessage: async (sent, options) => {
          const copy = new Uint8Array(sent.message);
          copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
          await service.sendMessage({ ...sent, message: copy }, options);
          return service.sendMessage(sent, options);
        },
      }),
    });
    await again(tampering, atAlice).send("genuine");
    await until(() => heard.length === 1);
    const kinds = (await atBob.history()).map((item) => (item.kind === "undecryptable" ? item.problem : item.kind));
    expect(kinds).toEqual(["change", "ERR_MLS_AEAD", "message"]);
    await agree(again(tampering, atAlice), atBob);
  });

  test("a commit that cannot be processed breaks the conversation and destroys nothing", async () => {
    const { alice, bobDevice, bob, atAlice, atBob } = await pair();
    await atAlice.send("before");
    await until(() => atBob.snapshot.lastItem === 2);
    const groupId = Uint8Array.from(Buffer.from(atAlice.id, "hex"));
    await alice.delivery.submitCommit({ groupId, epoch: 1n, commit: Uint8Array.of(9), added: [], removed: [] });
    await until(() => atBob.snapshot.status === "broken");
    expect(atBob.snapshot.problem).toBe("ERR_MLS_DECODE");
    await expect(atBob.send("x")).rejects.toMatchObject({ code: "ERR_CLIENT_NOT_ACTIVE" });
    bob.crash();
    const reopened = again(await bobDevice.open(), atBob);
    expect(reopened.snapshot.status).toBe("broken");
    expect(await texts(reopened)).toEqual(["before"]);
  });

  test("adversarial 40: messages of epochs to come survive a crash and open after the commit", async () => {
    const { bobDevice, bob, atAlice, atBob } = await pair();
    bob.crash();
    await atAlice.update();
    await atAlice.send("from the future");
    // This log shows the message first, and the commit only to the second client.
    let hideCommits = true;
    const reorder = (entries: readonly LogEntry[]): readonly LogEntry[] => {
      const [commit, message] = entries;
      if (commit?.kind !== "commit" || message?.kind !== "message") return hideCommits ? [] : entries;
      const swapped = [
        { ...message, seq: commit.seq },
        { ...commit, seq: message.seq },
      ];
      return hideCommits ? swapped.slice(0, 1) : swapped;
    };
    const wrap = (service: DeliveryService): DeliveryService => {
      let page: readonly LogEntry[] | undefined;
      return {
        ...service,
        readLog: async (query, options) => {
          page ??= await service.readLog({ ...query, after: 1 }, options);
          return reorder(page).filter(({ seq }) => seq > query.after);
        },
      };
    };
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = await bobDevice.open({ wrap });
    await second.client.sync();
    expect(await texts(again(second, atBob))).toEqual([]);
    second.crash();
    hideCommits = false;
    const third = await bobDevice.open({ wrap });
    const heard = listen(again(third, atBob));
    await until(() => heard.length === 1);
    expect(heard).toEqual(["alice: from the future"]);
    await agree(atAlice, again(third, atBob));
  });

  test("message events: once, in order, also for what came while the application was away", async () => {
    const { bobDevice, bob, atAlice, atBob } = await pair();
    const first = listen(atBob);
    await atAlice.send("1");
    await until(() => first.length === 1);
    await bob.client.close();
    await atAlice.send("2");
    await atAlice.send("3");
    const second = await bobDevice.open();
    await second.client.sync();
    // Nobody listens yet: the messages wait.
    const heard = listen(again(second, atBob));
    await until(() => heard.length === 2);
    await atAlice.send("4");
    await until(() => heard.length === 3);
    expect([...first, ...heard]).toEqual(["1", "2", "3", "4"].map((text) => `alice: ${text}`));
    await agree(atAlice, again(second, atBob));
  });

  test("a backlog of several pages arrives whole", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await atAlice.add(["carol"]);
    const atCarol = await arrival(carol, atAlice.id);
    await until(() => atBob.snapshot.members.length === 3);
    bob.crash();
    for (let i = 0; i < 150; i++) {
      await atAlice.send(`a${i}`);
      await atCarol.send(`c${i}`);
      if (i % 50 === 0) await atAlice.update();
    }
    await until(() => atCarol.snapshot.lastItem >= 300);
    const reopened = again(await bobDevice.open(), atBob);
    const heard = listen(reopened);
    await until(() => heard.length === 300);
    expect(heard.filter((text) => text.startsWith("alice"))).toEqual(
      Array.from({ length: 150 }, (_, i) => `alice: a${i}`),
    );
    expect(problems(carol)).toEqual([]);
    await agree(atAlice, reopened, atCarol);
  });
});
