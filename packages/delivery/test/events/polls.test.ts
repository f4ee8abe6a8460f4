/** Long polling: cursors, lost answers, overflow, mailboxes that nobody asks for any more. */
import { describe, expect, test } from "vitest";
import { VirtualTime } from "@coppice/kit/testing";
import { EventHub, Polls } from "@coppice/delivery/domain";
import type { ClientId } from "@coppice/delivery/contract";
import { decode, MAX_POLL_WAIT_MS, serverFrame, type PollAnswer } from "@coppice/delivery/wire";

const alice: ClientId = { user: "alice", device: "1".repeat(32) };
const mallory: ClientId = { user: "mallory", device: "2".repeat(32) };

function open() {
  const time = new VirtualTime();
  const hub = new EventHub();
  const polls = new Polls(hub, time);
  const poll = (cursor: string, wait = 0, of = alice) => polls.poll(of, { cursor, wait });
  const tell = (user: string) => hub.publish({ type: "devices", user, clients: [alice] });
  return { time, hub, polls, poll, tell };
}

const users = ({ frames }: PollAnswer) =>
  frames.map((bytes) => {
    const frame = decode(serverFrame, bytes);
    return frame.type === "devices" ? frame.user : frame.type;
  });

describe("long polling", () => {
  test("the first poll is answered at once, as fresh; the next brings what happened since", async () => {
    const { poll, tell } = open();
    const first = await poll("", 25_000);
    expect([first.isFresh, users(first)]).toEqual([true, []]);
    tell("a");
    tell("b");
    const second = await poll(first.cursor, 25_000);
    expect([second.isFresh, users(second)]).toEqual([false, ["a", "b"]]);
  });

  test("an answer that was lost is given again; one that arrived is not", async () => {
    const { poll, tell } = open();
    const { cursor } = await poll("");
    tell("a");
    expect(users(await poll(cursor))).toEqual(["a"]);
    tell("b");
    const again = await poll(cursor);
    expect([again.isFresh, users(again)]).toEqual([false, ["a", "b"]]);
    expect(users(await poll(again.cursor))).toEqual([]);
  });

  test("a poll waits for an event as long as it was asked to", async () => {
    const { time, poll, tell } = open();
    const { cursor } = await poll("");
    const answers: (readonly [number, readonly string[]])[] = [];
    const ask = (from: string) => poll(from, 25_000).then((answer) => answers.push([time.elapsed(), users(answer)]));
    void ask(cursor);
    await time.advance(24_999);
    expect(answers).toEqual([]);
    await time.advance(1);
    expect(answers).toEqual([[25_000, []]]);
    void ask(cursor);
    await time.advance(500);
    tell("a");
    await time.advance(0);
    expect(answers).toEqual([
      [25_000, []],
      [25_500, ["a"]],
    ]);
  });

  test("a second poll lets the first one go", async () => {
    const { time, poll } = open();
    const { cursor } = await poll("");
    let answered = 0;
    for (let i = 0; i < 3; i++) {
      void poll(cursor, 25_000).then(() => (answered += 1));
      await time.advance(0);
    }
    expect(answered).toBe(2);
  });

  test("an aborted poll ends, and loses nothing", async () => {
    const { time, polls, poll, tell } = open();
    const { cursor } = await poll("");
    const controller = new AbortController();
    const waiting = polls.poll(alice, { cursor, wait: 25_000 }, controller.signal);
    controller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    tell("a");
    await time.advance(0);
    expect(users(await poll(cursor))).toEqual(["a"]);
  });

  test("what overflows costs one fresh answer, also if that one is lost; memory stays bounded", async () => {
    const { poll, tell } = open();
    const { cursor } = await poll("");
    tell("a");
    const arrived = await poll(cursor);
    for (let i = 0; i < 3000; i++) tell(String(i));
    for (let i = 0; i < 2; i++) {
      const fresh = await poll(arrived.cursor);
      expect(fresh.isFresh).toBe(true);
      expect(fresh.frames.length).toBeLessThanOrEqual(512);
    }
    const fresh = await poll(arrived.cursor);
    tell("z");
    const next = await poll(fresh.cursor);
    expect([next.isFresh, users(next)]).toEqual([false, ["z"]]);
  });

  test("long frames are bounded by their bytes", async () => {
    const { hub, poll } = open();
    const { cursor } = await poll("");
    const message = new Uint8Array(60_000);
    for (let seq = 1; seq <= 100; seq++) {
      hub.publish({
        type: "log",
        groupId: new Uint8Array([1]),
        incarnation: "a".repeat(32),
        entry: { seq, kind: "message", epoch: 0n, message, receivedAt: 0 },
        readers: new Set([alice.device + alice.user]),
        poster: mallory,
      });
    }
    const answer = await poll(cursor);
    expect(answer.isFresh).toBe(true);
    expect(answer.frames.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(600_000);
  });

  test("a cursor that is forged, old or another client's begins anew, and shows nothing", async () => {
    const { poll, tell } = open();
    const { cursor } = await poll("");
    tell("a");
    const [id = ""] = cursor.split(".");
    for (const forged of ["x", id, `${id}.-1`, `${id}.5`, `${id}.1e1`, `${id}.`, `.0`, `${"0".repeat(32)}.0`]) {
      expect((await poll(forged)).isFresh, forged).toBe(true);
    }
    const stranger = await poll(cursor, 0, mallory);
    expect([stranger.isFresh, users(stranger)]).toEqual([true, []]);
  });

  test("a mailbox that nobody asks for is deleted; one that is waited on is not", async () => {
    const { time, hub, polls, poll } = open();
    const { cursor } = await poll("");
    void poll(cursor, MAX_POLL_WAIT_MS);
    await time.advance(2 * MAX_POLL_WAIT_MS);
    expect(polls.size).toBe(1);
    await time.advance(MAX_POLL_WAIT_MS);
    expect(polls.size).toBe(0);
    expect(hub.count(alice)).toBe(0);
    expect((await poll(cursor)).isFresh).toBe(true);
  });

  test("a client has a bounded number of mailboxes: the oldest makes room", async () => {
    const { time, polls, poll, tell } = open();
    const first = await poll("");
    const waiting = poll(first.cursor, 25_000).catch((error: unknown) => error);
    await time.advance(0);
    for (let i = 0; i < 50; i++) await poll("");
    expect(polls.size).toBe(16);
    expect(await waiting).toMatchObject({ code: "ERR_DS_UNAUTHENTICATED" });
    tell("a");
  });

  test("ending the session ends the polls that wait", async () => {
    const { time, hub, polls, poll } = open();
    const { cursor } = await poll("");
    const waiting = poll(cursor, 25_000).catch((error: unknown) => error);
    await time.advance(0);
    hub.publish({ type: "revoked", client: alice });
    expect(await waiting).toMatchObject({ code: "ERR_DS_UNAUTHENTICATED" });
    expect(polls.size).toBe(0);
    await time.advance(600_000);
  });

  test("a host that stops answers everybody", async () => {
    const { time, polls, poll } = open();
    const { cursor } = await poll("");
    const waiting = poll(cursor, 25_000);
    await time.advance(0);
    polls.close();
    expect(users(await waiting)).toEqual([]);
    expect(polls.size).toBe(0);
  });
});
