import { expect, test } from "vitest";
import { memoryPeers } from "@coppice/client";
import { parsePeerMessage } from "../../src/engine/peers.ts";

test("others hear what one posts, itself not, and nobody after it was closed", async () => {
  const open = memoryPeers();
  const [one, two] = [open(), open()];
  const heard: unknown[] = [];
  one.subscribe((message) => heard.push(["one", message]));
  const release = two.subscribe((message) => heard.push(["two", message]));
  one.post({ kind: "ping" });
  await Promise.resolve();
  expect(heard).toEqual([["two", { kind: "ping" }]]);
  release();
  one.post({ kind: "ping" });
  one.close();
  one.post({ kind: "ping" });
  await Promise.resolve();
  expect(heard).toHaveLength(1);
});

test("anything else that is posted to the channel is no message", () => {
  expect(parsePeerMessage({ kind: "ping", more: 1 })).toEqual({ kind: "ping" });
  expect(parsePeerMessage({ kind: "leader", online: true, transport: "pigeon" })).toEqual({
    ...{ kind: "leader", online: true, transport: undefined },
  });
  for (const junk of [undefined, null, "ping", 7, {}, { kind: "leader" }, { kind: "leader", online: 1 }, { kind: 1 }]) {
    expect(parsePeerMessage(junk)).toBeUndefined();
  }
});
