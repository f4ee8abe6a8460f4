import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openIndexedDbStore, type Store, type StoreChange } from "../../src/index.ts";
import { freshName, readable } from "./raw.ts";

let name: string;
let writer: Store;
let reader: Store;
let spy: BroadcastChannel;
let overheard: unknown[];
let seen: StoreChange[];

beforeEach(async () => {
  name = freshName();
  [writer, reader] = [await openIndexedDbStore({ name }), await openIndexedDbStore({ name })];
  [overheard, seen] = [[], []];
  spy = new BroadcastChannel(`coppice-store:${name}`);
  spy.addEventListener("message", ({ data }: MessageEvent<unknown>) => overheard.push(data));
  reader.subscribe((change) => seen.push(change));
});

afterEach(async () => {
  spy.close();
  await Promise.all([writer.close(), reader.close()]);
});

test("announcements show neither names nor values to other scripts of the origin", async () => {
  const put = new Map([["a", new TextEncoder().encode("secret")]]);
  await writer.write([{ partition: "alice and bob", expectedVersion: 0, put }]);
  await vi.waitFor(() => expect(seen).toEqual([{ partition: "alice and bob", version: 1 }]));
  expect(overheard).toHaveLength(1);
  expect(Object.keys(overheard[0] as object).sort()).toEqual(["sealed", "tag", "version"]);
  expect(readable(overheard[0])).not.toMatch(/alice|bob|secret/);
});

test("forged and malformed announcements are dropped, and later ones still arrive", async () => {
  await writer.write([{ partition: "p", expectedVersion: 0 }]);
  await vi.waitFor(() => expect(seen).toHaveLength(1));
  const genuine = overheard[0] as { tag: Uint8Array; version: number; sealed: Uint8Array };
  const forgeries: unknown[] = [
    null,
    "text",
    42,
    [],
    {},
    { ...genuine, version: 2 },
    { ...genuine, version: 0 },
    { ...genuine, version: -1 },
    { ...genuine, version: 1.5 },
    { ...genuine, version: "1" },
    { ...genuine, tag: new Uint8Array(16) },
    { ...genuine, tag: genuine.tag.slice(1) },
    { ...genuine, tag: "tag" },
    { ...genuine, sealed: genuine.sealed.slice(1) },
    { ...genuine, sealed: new Uint8Array() },
    { ...genuine, sealed: undefined },
  ];
  for (const forgery of forgeries) spy.postMessage(forgery);
  await vi.waitFor(async () => {
    spy.postMessage(genuine);
    expect(seen.length).toBeGreaterThan(1);
  });
  expect(new Set(seen.map(({ partition, version }) => `${partition} ${version}`))).toEqual(new Set(["p 1"]));
});
