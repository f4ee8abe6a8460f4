/** What only a real engine can show: its deletion, its keys, its workers (its quota: quota.browser.ts; clearing it: cleared.browser.ts). */
import { describe, expect, test } from "vitest";
import { deleteIndexedDbStore, oneRecord, openIndexedDbStore } from "../../src/index.ts";

const ALL = [{ prefix: "" }];
const freshName = (): string => `test-${crypto.randomUUID()}`;

describe("the database disappears (adversarial 41)", () => {
  test("deleted while a write is under way: the write ends one way or the other, then ERR_STORE_LOST", async () => {
    const name = freshName();
    const store = await openIndexedDbStore({ name });
    const put = new Map(Array.from({ length: 200 }, (_, index) => [`r/${index}`, new Uint8Array(10_000)]));
    const writing = store.write([{ partition: "p", expectedVersion: 0, put }]).then(
      () => "written",
      (error: unknown) => (error as { code?: string }).code,
    );
    await deleteIndexedDbStore(name);
    expect(["written", "ERR_STORE_LOST"]).toContain(await writing);
    await expect(store.read("p", ALL)).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
    await store.close();
    const again = await openIndexedDbStore({ name });
    expect((await again.partitions()).names).toEqual([]);
    await again.close();
    await deleteIndexedDbStore(name);
  });
});

test("two contexts on two threads take 1,000 generations, each once (adversarial 36)", async () => {
  const name = freshName();
  const { takeGenerations } = await import("./generations.ts");
  const worker = new Worker(new URL("./generations.worker.ts", import.meta.url), { type: "module" });
  const fromWorker = new Promise<number[]>((resolve, reject) => {
    worker.addEventListener("message", ({ data }: MessageEvent<number[]>) => resolve(data));
    worker.addEventListener("error", ({ message }) => reject(new Error(message)));
  });
  worker.postMessage({ name, count: 500 });
  const store = await openIndexedDbStore({ name });
  const heard: number[] = [];
  store.subscribe(({ version }) => heard.push(version));
  const taken = [await takeGenerations(store, 500), await fromWorker];
  worker.terminate();
  expect(taken.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  await expect.poll(() => heard.length).toBe(500);
  const { version, records } = await store.read("ratchet", [oneRecord("generation")]);
  expect(version).toBe(1000);
  expect(new TextDecoder().decode(records.get("generation"))).toBe("1000");
  await store.close();
  await deleteIndexedDbStore(name);
});

test.each(["device", "passphrase"] as const)("a %s key opens the store again, in several contexts", async (kind) => {
  const name = freshName();
  const key = kind === "device" ? { kind } : { kind, passphrase: "correct horse" };
  const [store, other] = await Promise.all([openIndexedDbStore({ name, key }), openIndexedDbStore({ name, key })]);
  await store.write([{ partition: "p", expectedVersion: 0, put: new Map([["a", Uint8Array.of(7)]]) }]);
  expect((await other.read("p", ALL)).records.get("a")).toEqual(Uint8Array.of(7));
  await Promise.all([store.close(), other.close()]);
  const again = await openIndexedDbStore({ name, key });
  expect((await again.read("p", ALL)).records.get("a")).toEqual(Uint8Array.of(7));
  await again.close();
  await deleteIndexedDbStore(name);
});
