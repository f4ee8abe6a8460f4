/**
 * A context that freezes in the middle of a call holds up no other; in browsers in which a write cannot be committed at once
 * (see `commit-probe.ts`), not longer than it stands still. Either way its stale write meets a conflict.
 */
import { server } from "vitest/browser";
import { expect, test } from "vitest";
import { deleteIndexedDbStore, openIndexedDbStore } from "../../src/index.ts";
import type { FreezeOrder } from "./frozen.worker.ts";

const FROZEN_MS = 4_000;
const PATIENCE_MS = 1_000;
const commitsAtOnce = server.browser === "chromium";

test.each([
  ["write", "done"],
  ["stale write", "ERR_STORE_CONFLICT"],
  ["read", "done"],
] as const)("frozen in a %s: others read and write meanwhile", async (call, outcome) => {
  const name = `test-${crypto.randomUUID()}`;
  const store = await openIndexedDbStore({ name });
  const put = new Map([["a", Uint8Array.of(1)]]);
  for (const expectedVersion of [0, 1]) await store.write([{ partition: "p", expectedVersion, put }]);
  const worker = new Worker(new URL("./frozen.worker.ts", import.meta.url), { type: "module" });
  const heard: unknown[] = [];
  worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => heard.push(data));
  worker.postMessage({ name, call, milliseconds: FROZEN_MS } satisfies FreezeOrder);
  await expect.poll(() => heard, { interval: 10, timeout: 10_000 }).toEqual(["frozen"]);
  const began = performance.now();
  await store.write([{ partition: "q", expectedVersion: 0, put }]);
  expect((await store.read("p", [])).version).toBe(call === "write" ? 3 : 2);
  if (commitsAtOnce || call === "read") {
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
    expect(heard).toEqual(["frozen"]);
  } else {
    expect(performance.now() - began).toBeLessThan(FROZEN_MS + PATIENCE_MS);
  }
  await expect.poll(() => heard, { timeout: 3 * FROZEN_MS }).toEqual(["frozen", outcome]);
  worker.terminate();
  await store.close();
  await deleteIndexedDbStore(name);
});
