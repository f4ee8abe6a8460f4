import "fake-indexeddb/auto";
import type { VirtualTime } from "@coppice/kit/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createMemoryDatabase, createMemoryStore, openIndexedDbStore, type Store } from "../src/index.ts";
import { freshName } from "./indexeddb/raw.ts";
import { WatchedTime } from "./watched-time.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

interface Contexts {
  /** Opens two stores on the same data, on the same time. */
  readonly open: (time: VirtualTime) => Promise<readonly [Store, Store]>;
}

const kinds: readonly (readonly [string, Contexts])[] = [
  [
    "memory",
    {
      open: async (time) => {
        const database = createMemoryDatabase();
        return [createMemoryStore(database, { time }), createMemoryStore(database, { time })];
      },
    },
  ],
  [
    "IndexedDB",
    {
      open: async (time) => {
        const name = freshName();
        return [await openIndexedDbStore({ name, time }), await openIndexedDbStore({ name, time })];
      },
    },
  ],
];

/** Takes the lock and never gives it back; returns whether it was lost. */
async function takeForGood(store: Store): Promise<() => boolean> {
  return new Promise((resolve) => {
    void store.exclusive("lock", (lost) => {
      resolve(() => lost.aborted);
      return new Promise(() => undefined);
    });
  });
}

describe.each(kinds)("exclusive, %s store", (_kind, { open }) => {
  test("patience is measured by the time that was given", async () => {
    const time = new WatchedTime();
    const [silent, impatient] = await open(time);
    const isLost = await takeForGood(silent);
    const onOverdue = vi.fn();
    const passed = impatient.exclusive("lock", async () => "passed", { patience: 5_000, onOverdue });
    await time.untilWaiting(5_000);
    await time.advance(4_999);
    expect([onOverdue.mock.calls.length, isLost()]).toEqual([0, false]);
    await time.advance(5_001);
    expect(await passed).toBe("passed");
    expect(onOverdue).toHaveBeenCalledWith({ lock: "lock", waited: 5_000, holder: expect.any(String) as string });
    expect(isLost()).toBe(true);
    await impatient.close();
  });

  test("holders that come and go are waited for", async () => {
    const time = new WatchedTime();
    const [busy, patient] = await open(time);
    const tasks = Array.from({ length: 6 }, () =>
      busy.exclusive("lock", async (lost) => {
        await new Promise<void>((resolve) => time.after(3_000, resolve));
        return lost.aborted;
      }),
    );
    await time.untilWaiting(3_000);
    const onOverdue = vi.fn();
    const waited = patient.exclusive("lock", async () => "granted", { patience: 5_000, onOverdue });
    await time.untilWaiting(5_000);
    await time.advance(20_000);
    expect(await waited).toBe("granted");
    expect(await Promise.all(tasks)).toEqual(tasks.map(() => false));
    expect(onOverdue).not.toHaveBeenCalled();
  });

  test("a store that closes ends a patient wait, too", async () => {
    const [holder, waiter] = await open(new WatchedTime());
    await takeForGood(holder);
    const waiting = waiter.exclusive("lock", async () => undefined, { patience: 5_000 });
    const outcome = expect(waiting).rejects.toMatchObject({ code: "ERR_STORE_CLOSED" });
    await waiter.close();
    await outcome;
  });

  test("what the task rejects with is passed on as it is, also after the lock was lost", async () => {
    const time = new WatchedTime();
    const [silent, impatient] = await open(time);
    let outcome: Promise<void> | undefined;
    const own = new DOMException("the task's own", "AbortError");
    const taken = new Promise<void>((resolve) => {
      const held = silent.exclusive("lock", (lost) => {
        resolve();
        return new Promise((_resolve, reject) => {
          lost.addEventListener("abort", () => reject(own));
        });
      });
      outcome = expect(held).rejects.toBe(own);
    });
    await taken;
    const passed = impatient.exclusive("lock", async () => undefined, { patience: 10 });
    await time.untilWaiting(10);
    await time.advance(20);
    await passed;
    await outcome;
  });
});

test.each([
  ["InvalidStateError", "ERR_STORE_IO"],
  ["SecurityError", "ERR_STORE_UNAVAILABLE"],
] as const)("what Web Locks fail with gets a code: %s", async (name, code) => {
  const request = () => Promise.reject(new DOMException("not here", name));
  vi.stubGlobal("navigator", { locks: { request, query: async () => ({ held: [] }) } });
  const store = await openIndexedDbStore({ name: freshName() });
  await expect(store.exclusive("lock", async () => undefined)).rejects.toMatchObject({ code, cause: { name } });
  await store.close();
});
