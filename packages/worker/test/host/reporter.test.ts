import { VirtualTime } from "@coppice/kit/testing";
import { expect, test } from "vitest";
import { Reporter } from "../../src/host/reporter.ts";
import type { WireEvent } from "../../src/protocol.ts";
import { FakeClient, FakeConversation } from "../fake-client.ts";

/** A page that listens to the items of a busy conversation, and asks when it has time. */
function scene() {
  const client = new FakeClient("alice");
  const conversation = client.appear(new FakeConversation("0a", "Lunch"));
  const time = new VirtualTime();
  const reporter = new Reporter(client, time);
  reporter.listen(conversation, "item");
  for (let i = 0; i < 1100; i++) conversation.receive(Uint8Array.of(1));
  return { time, reporter, conversation };
}

const items = (events: readonly WireEvent[]): number[] =>
  events.flatMap((event) => (event.type === "item" ? [event.value.seq] : []));

test("a history that cannot be read for a while loses no item, and is not read without end", async () => {
  const { time, reporter, conversation } = scene();
  const { history } = conversation;
  let reads = 0;
  conversation.history = () => {
    reads++;
    return Promise.reject(new Error("The store is busy"));
  };
  const seen: number[] = [];
  while (seen.length < 1024) {
    reporter.takeState();
    seen.push(...items(await reporter.next()));
  }
  reporter.takeState();
  const next = reporter.next();
  await time.advance(60_000);
  expect(reads).toBeGreaterThan(3);
  expect(reads).toBeLessThan(15);
  conversation.history = history;
  await time.advance(30_000);
  seen.push(...items(await next));
  while (seen.length < 1100) seen.push(...items(await reporter.next()));
  expect(seen).toEqual(Array.from({ length: 1100 }, (_, index) => index + 1));
});

test("a page that goes while its history is read again ends the reading", async () => {
  const { time, reporter, conversation } = scene();
  let reads = 0;
  conversation.history = () => {
    reads++;
    return Promise.reject(new Error("The store is busy"));
  };
  for (let seen = 0; seen < 1024;) {
    reporter.takeState();
    seen += items(await reporter.next()).length;
  }
  reporter.takeState();
  const next = reporter.next().catch((error: unknown) => error);
  await time.advance(1000);
  const gone = new Error("The page is gone");
  reporter.end(gone);
  expect(await next).toBe(gone);
  const before = reads;
  await time.advance(60_000);
  expect(reads).toBe(before);
});
