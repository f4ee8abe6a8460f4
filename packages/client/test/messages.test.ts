/** Inbox and outbox: nothing is lost, nothing arrives twice, nothing blocks. */
import type { DeliveryEvent, DeliveryService, LogEntry } from "@coppice/delivery";
import { CoppiceError } from "@coppice/kit";
import { describe, expect, test } from "vitest";
import { again, kinds, listen, pair, problems, states, texts, World } from "./world.ts";

describe("sending", () => {
  test("adversarial 39: the reply is lost; the message arrives once", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.delivery.network.loseReply("sendMessages");
    await atAlice.send("once");
    await world.until(() => heard.length === 1);
    await atAlice.send("end");
    await world.until(() => heard.length === 2);
    expect(heard).toEqual(["alice: once", "alice: end"]);
    await world.until(async () => (await states(atAlice)).every((state) => state === "sent"));
    await world.agree(atAlice, atBob);
  });

  test("adversarial 39: written while the server is away, sent in order when it is back", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    world.service.network.reachable = false;
    for (const text of ["one", "two", "three"]) {
      expect(await atAlice.send(text)).toMatchObject({ state: "sending" });
    }
    await alice.engine.close();
    const reopened = await aliceDevice.open();
    await again(reopened, atAlice).send("four");
    expect(heard).toEqual([]);
    world.service.network.reachable = true;
    await world.until(() => heard.length === 4);
    expect(heard).toEqual(["alice: one", "alice: two", "alice: three", "alice: four"]);
    await world.agree(again(reopened, atAlice), atBob);
  });

  test("adversarial 37: crash between storing and sending, and between sending and confirmation", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessages" && phase === "request") alice.crash();
    };
    await atAlice.send("stored").catch(() => undefined);
    await world.until(() => !alice.delivery.network.reachable);
    expect(heard).toEqual([]);
    const second = await aliceDevice.open();
    await world.until(() => heard.length === 1);
    second.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessages" && phase === "reply") second.crash();
    };
    await again(second, atAlice)
      .send("sent")
      .catch(() => undefined);
    await world.until(() => heard.length === 2);
    const third = await aliceDevice.open();
    await again(third, atAlice).send("third");
    await world.until(() => heard.length === 3);
    expect(heard).toEqual(["alice: stored", "alice: sent", "alice: third"]);
    expect(await kinds(again(third, atAlice))).not.toContain("undecryptable");
    await world.agree(again(third, atAlice), atBob);
  });

  test("a message that was refused for good can be sent again or discarded", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    const discarded: number[] = [];
    atAlice.on("discarded", ({ seq }) => discarded.push(seq));
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessages" && phase === "request") throw new CoppiceError("ERR_DS_TOO_LARGE", "No");
    };
    const first = await atAlice.send("first");
    const second = await atAlice.send("second");
    await world.until(async () => (await states(atAlice)).every((state) => state === "failed"));
    expect((await atAlice.history()).at(-1)).toMatchObject({ problem: "ERR_DS_TOO_LARGE" });
    alice.delivery.network.fault = undefined;
    await atAlice.discard(first.seq);
    await atAlice.resend(second.seq);
    await world.until(() => heard.length === 1);
    expect(heard).toEqual(["alice: second"]);
    expect(discarded).toEqual([first.seq]);
    expect(await texts(atAlice)).toEqual(["second"]);
    await expect(atAlice.discard(first.seq)).rejects.toMatchObject({ code: "ERR_CLIENT_UNKNOWN_ITEM" });
    await expect(atAlice.resend(second.seq)).rejects.toMatchObject({ code: "ERR_CLIENT_UNKNOWN_ITEM" });
    await world.agree(atAlice, atBob);
  });

  test("one message that is refused does not take those with it that wait beside it", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    world.service.network.reachable = false;
    await world.until(() => !alice.client.online);
    for (const text of ["1", "2", "x".repeat(5000), "3"]) await atAlice.send(text);
    const { sendMessages } = alice.delivery;
    expect(sendMessages).toBeDefined();
    world.service.network.reachable = true;
    await world.until(() => heard.length === 4);
    expect(heard.map((text) => text.length)).toEqual([8, 8, 5007, 8]);
  });

  test("a message of an epoch that others have forgotten is encrypted again, once", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    // Sealed at once, since the engine does not know yet that nobody answers.
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessages" && phase === "request") throw new CoppiceError("ERR_DS_UNREACHABLE", "Down");
    };
    const { id } = (await atAlice.send("late")) as { id?: string };
    for (let i = 0; i < 6; i++) await world.run(atBob.update());
    alice.delivery.network.fault = undefined;
    await world.until(() => heard.length === 1);
    expect(heard).toEqual(["alice: late"]);
    expect((await atBob.history()).at(-1)).toMatchObject({ id, kind: "message" });
    await world.agree(atAlice, atBob);
  });

  test("adversarial 44: 200 messages are queued offline while seven Commits happen: all of them can be opened", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.delivery.network.reachable = false;
    await world.until(() => !alice.client.online);
    const sent = Array.from({ length: 200 }, (_, i) => `m${i}`);
    await Promise.all(sent.map((text) => atAlice.send(text)));
    for (let i = 0; i < 7; i++) await world.run(atBob.update());
    alice.delivery.network.reachable = true;
    await world.until(() => heard.length === 200);
    expect(heard).toEqual(sent.map((text) => `alice: ${text}`));
    expect(new Set(await states(atAlice))).toEqual(new Set(["sent"]));
    expect((await kinds(atBob)).filter((kind) => kind.startsWith("ERR_"))).toEqual([]);
  });

  test("adversarial 44: a request is so slow that its message is too old when it arrives: it is sealed again", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.delivery.network.slow("sendMessages", 20_000);
    await atAlice.send("slow");
    for (let i = 0; i < 7; i++) await world.run(atBob.update());
    alice.delivery.network.slow("sendMessages", 0);
    await world.until(() => heard.length === 1);
    expect(await states(atAlice)).toEqual(["sent"]);
    expect(heard).toEqual(["alice: slow"]);
    await world.agree(atAlice, atBob);
  });

  test("both the first and the second sealing of a message arrive: it is shown once", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.crash();
    // The first request is carried out, but only after everything else.
    let late: (() => Promise<unknown>) | undefined;
    const slow = await aliceDevice.open({
      wrap: (service) => ({
        ...service,
        sendMessages: async (batch, options) => {
          if (late !== undefined) return service.sendMessages(batch, options);
          late = () => service.sendMessages(batch);
          await atBob.update();
          throw new CoppiceError("ERR_DS_EPOCH_TOO_OLD", "Too old", { detail: { epoch: 2n } });
        },
      }),
    });
    const conversation = again(slow, atAlice);
    await world.until(() => slow.client.online);
    await slow.client.sync();
    await conversation.send("twice");
    await world.until(() => heard.length === 1);
    await late?.();
    await conversation.send("end");
    await world.until(() => heard.includes("alice: end"));
    expect(heard).toEqual(["alice: twice", "alice: end"]);
    expect((await kinds(atBob)).filter((kind) => kind.startsWith("ERR_"))).toEqual([]);
  });

  test("what the log shows was sent, even if no confirmation ever comes", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessages" && phase === "reply") throw new CoppiceError("ERR_DS_UNREACHABLE", "Lost");
    };
    await atAlice.send("x");
    await world.until(async () => (await states(atAlice))[0] === "sending");
    await world.run(alice.client.sync().catch(() => undefined));
    await world.until(async () => {
      await alice.client.sync().catch(() => undefined);
      return (await states(atAlice))[0] === "sent";
    });
    await world.agree(atAlice, atBob);
  });

  test("adversarial 18: own messages are recognised, also when the keys of their epoch are gone", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    alice.crash();
    let hidden = true;
    const behind = await aliceDevice.open({
      wrap: (service) => ({
        ...service,
        readLog: async (query, options) => {
          const page = await service.readLog(query, options);
          return hidden ? { ...page, lastSeq: query.after.seq, entries: [] } : page;
        },
        subscribe: (listener) =>
          service.subscribe((event) => {
            if (event.type !== "log") listener(event);
          }),
      }),
    });
    const conversation = again(behind, atAlice);
    await conversation.send("of an old epoch");
    await world.until(async () => (await states(conversation))[0] === "sent");
    for (let i = 0; i < 6; i++) await world.run(atBob.update());
    hidden = false;
    await world.run(behind.client.sync());
    expect((await kinds(conversation)).filter((kind) => kind.startsWith("ERR_"))).toEqual([]);
    await world.agree(conversation, atBob);
  });

  test("what comes between reading the log and sending is not skipped", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const heard = listen(atAlice);
    const heardByBob = listen(atBob);
    const overtake = new Set<string>(["sendMessages", "submitCommit"]);
    alice.delivery.network.fault = async ({ call, phase }) => {
      if (phase !== "request" || !overtake.delete(call)) return;
      await atBob.send(`before the ${call}`);
      // Until it has been posted.
      for (let i = 0; i < 50 && (await states(atBob)).includes("sending"); i++) await Promise.resolve();
    };
    await atAlice.send("overtaken");
    await world.until(() => heardByBob.length === 1);
    await world.run(atAlice.update());
    await world.until(() => heard.length === 2);
    expect(heard).toEqual(["bob: before the sendMessages", "bob: before the submitCommit"]);
    await world.agree(atAlice, atBob);
  });

  test("receiving goes on while sending waits for an answer", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const heard = listen(atAlice);
    alice.delivery.network.slow("sendMessages", 60_000);
    await atAlice.send("on its way");
    await world.time.advance(100);
    await atBob.send("meanwhile");
    const began = world.time.elapsed();
    await world.until(() => heard.length === 1);
    expect(world.time.elapsed() - began).toBeLessThan(2000);
    expect(await states(atAlice)).toEqual(["sending"]);
    await world.until(async () => (await states(atAlice))[0] === "sent");
    await world.agree(atAlice, atBob);
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
      const { world, bob, atAlice, atBob } = await pair();
      const heard = listen(atBob);
      bob.delivery.network.events = mode;
      for (let i = 0; i < 5; i++) await atAlice.send(`${i}`);
      await world.run(atAlice.update());
      await world.until(async () => (await states(atAlice)).every((state) => state === "sent"));
      bob.delivery.network.events = "deliver";
      await world.run(bob.client.sync());
      expect(heard).toEqual(["0", "1", "2", "3", "4"].map((text) => `alice: ${text}`));
      await world.agree(atAlice, atBob);
    }
  });

  test("adversarial 9: a copy with one bit changed that comes first does not cost the genuine message", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.crash();
    const tampering = await aliceDevice.open({
      wrap: (service) => ({
        ...service,
        sendMessages: async (batch, options) => {
          const forged = batch.messages.map(({ epoch, message }) => {
            const copy = new Uint8Array(message);
            copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
            return { epoch, message: copy };
          });
          await service.sendMessages({ ...batch, messages: forged }, options);
          return service.sendMessages(batch, options);
        },
      }),
    });
    await again(tampering, atAlice).send("genuine");
    await world.until(() => heard.length === 1);
    expect(await kinds(atBob)).toEqual(["change", "ERR_MLS_AEAD", "message"]);
    await world.agree(again(tampering, atAlice), atBob);
  });

  /** An event's entry that the log does not have: made of one of the group, and of one of another group. */
  const forgeries: readonly (readonly [name: string, forge: (own: LogEntry, other: LogEntry) => Partial<LogEntry>])[] =
    [
      ["another group's message", (_own, { message }) => ({ message })],
      ["another group's message, announced as a commit", (_own, { message }) => ({ message, kind: "commit" })],
      ["no message", () => ({ message: Uint8Array.of(9) })],
      ["no message, announced as a commit", () => ({ message: Uint8Array.of(9), kind: "commit" })],
      ["a message of this group once more", ({ message }) => ({ message })],
      [
        "a message with one bit changed",
        ({ message }) => ({ message: message.map((byte, i) => (i === message.length - 1 ? byte ^ 1 : byte)) }),
      ],
      ["a message of an epoch to come", ({ message }) => ({ message: ofEpoch(message, 9) })],
    ];

  /** The epoch stands after version, wire format and group id, whose length is one byte; all but its last byte are zeros. */
  function ofEpoch(message: Uint8Array, epoch: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(message);
    copy[4 + 1 + 32 + 7] = epoch;
    return copy;
  }

  test.each(forgeries)("%s in an event takes no place in the log", async (_name, forge) => {
    const world = new World();
    const alice = await world.client("alice");
    const logged: Extract<DeliveryEvent, { type: "log" }>[] = [];
    let tell: (event: DeliveryEvent) => void = () => undefined;
    const bob = await world.device("bob").client({
      wrap: (service) => ({
        ...service,
        subscribe: (listener) => {
          tell = listener;
          return service.subscribe((event) => {
            if (event.type === "log") logged.push(event);
            listener(event);
          });
        },
      }),
    });
    const groups = [await alice.createGroup(), await alice.createGroup()] as const;
    const [group, elsewhere] = groups;
    for (const each of groups) await world.run(each.add("bob"));
    await world.arrival(bob, elsewhere.id);
    const atBob = await world.arrival(bob, group.id);
    await elsewhere.send("elsewhere");
    await world.until(() => logged.length === 1);
    await group.send("one");
    await world.until(async () => (await texts(atBob)).length === 1);
    const [other, own] = logged;
    if (own?.entry === undefined || other?.entry === undefined) throw new Error("Events have their entries");
    const seq = own.position.seq + 1;
    const entry = { ...own.entry, ...forge(own.entry, other.entry), seq };
    tell({ ...own, position: { ...own.position, seq }, entry });
    await group.send("two");
    await group.send("three");
    await world.until(async () => (await texts(atBob)).length === 3);
    expect(await kinds(atBob)).toEqual(["change", "message", "message", "message"]);
    expect(await texts(atBob)).toEqual(["one", "two", "three"]);
    await world.agree(group, atBob);
  });

  test("a commit that cannot be processed breaks the conversation and destroys nothing", async () => {
    const { world, alice, bobDevice, bob, atAlice, atBob } = await pair();
    await atAlice.send("before");
    await world.until(() => atBob.snapshot.lastItem === 2);
    const groupId = Uint8Array.from(Buffer.from(atAlice.id, "hex"));
    const [group] = await alice.delivery.readGroups({ after: undefined });
    if (group === undefined) throw new Error("There is a group");
    const { position } = group;
    const commit = Uint8Array.of(9);
    await alice.delivery.submitCommit({
      groupId,
      position,
      epoch: 1n,
      commit,
      groupInfo: commit,
      added: [],
      removed: [],
    });
    await world.until(() => atBob.snapshot.status === "broken");
    expect(atBob.snapshot.problem).toBe("ERR_MLS_DECODE");
    await expect(atBob.send("x")).rejects.toMatchObject({ code: "ERR_CLIENT_NOT_ACTIVE" });
    bob.crash();
    const reopened = again(await bobDevice.open(), atBob);
    expect(reopened.snapshot.status).toBe("broken");
    expect(await texts(reopened)).toEqual(["before"]);
  });

  test("adversarial 40: messages of epochs to come survive a crash and open after the commit", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    bob.crash();
    await world.run(atAlice.update());
    await atAlice.send("from the future");
    await world.until(async () => (await states(atAlice))[0] === "sent");
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
    const wrap = (service: DeliveryService): DeliveryService => ({
      ...service,
      readLog: async (query, options) => {
        const { after } = query;
        const page = await service.readLog({ ...query, after: { ...after, seq: 1 } }, options);
        const entries = reorder(page.entries).filter(({ seq }) => seq > after.seq);
        return { ...page, lastSeq: entries.at(-1)?.seq ?? after.seq, entries };
      },
    });
    const second = await bobDevice.open({ wrap });
    await world.run(second.client.sync());
    expect(await texts(again(second, atBob))).toEqual([]);
    second.crash();
    hideCommits = false;
    const third = await bobDevice.open({ wrap });
    const heard = listen(again(third, atBob));
    await world.until(() => heard.length === 1);
    expect(heard).toEqual(["alice: from the future"]);
    await world.agree(atAlice, again(third, atBob));
  });

  test("message events: once, in order, also for what came while the application was away", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    const first = listen(atBob);
    await atAlice.send("1");
    await world.until(() => first.length === 1);
    await bob.engine.close();
    await atAlice.send("2");
    await atAlice.send("3");
    const second = await bobDevice.open();
    await world.run(second.client.sync());
    // Nobody listens yet: the messages wait.
    const heard = listen(again(second, atBob));
    await world.until(() => heard.length === 2);
    await atAlice.send("4");
    await world.until(() => heard.length === 3);
    expect([...first, ...heard]).toEqual(["1", "2", "3", "4"].map((text) => `alice: ${text}`));
    await world.agree(atAlice, again(second, atBob));
  });

  test("a backlog of several pages arrives whole", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await world.run(atAlice.add(["carol"]));
    const atCarol = await world.arrival(carol, atAlice.id);
    await world.until(() => atBob.snapshot.memberCount === 3);
    bob.crash();
    for (let i = 0; i < 150; i++) {
      await atAlice.send(`a${i}`);
      await atCarol.send(`c${i}`);
      if (i % 50 === 0) await world.run(atAlice.update());
    }
    await world.until(() => atCarol.snapshot.lastItem >= 300);
    const reopened = again(await bobDevice.open(), atBob);
    const heard = listen(reopened);
    await world.until(() => heard.length === 300);
    expect(heard.filter((text) => text.startsWith("alice"))).toEqual(
      Array.from({ length: 150 }, (_, i) => `alice: a${i}`),
    );
    expect(problems(carol)).toEqual([]);
    await world.agree(atAlice, reopened, atCarol);
  });
});
