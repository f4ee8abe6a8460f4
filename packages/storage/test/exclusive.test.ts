import "fake-indexeddb/auto";
import { type Overdue, sleep } from "@coppice/kit";
import { VirtualTime } from "@coppice/kit/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createMemoryDatabase, createMemoryStore, openIndexedDbStore, type Store } from "../src/index.ts";
import { freshName } from "./indexeddb/raw.ts";

/** Milliseconds. */
const PATIENCE = 5_000;

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
  test("a silent holder is passed by within two patiences of the time that was given, and not at once", async () => {
    const time = new VirtualTime();
    const [silent, impatient] = await open(time);
    const isLost = await takeForGood(silent);
    const onOverdue = vi.fn<(overdue: Overdue) => void>();
    const passed = vi.fn<(result: string) => void>();
    void impatient.exclusive("lock", async () => "passed", { patience: PATIENCE, onOverdue }).then(passed);
    await time.advance(PATIENCE / 2);
    expect([onOverdue.mock.calls.length, isLost(), passed.mock.calls.length]).toEqual([0, false, 0]);
    await time.until(() => passed.mock.calls.length > 0, (3 * PATIENCE) / 2);
    expect(passed).toHaveBeenCalledWith("passed");
    expect(onOverdue.mock.calls).toEqual([
      [{ lock: "lock", waited: expect.any(Number) as number, holder: expect.any(String) as string }],
    ]);
    const waited = onOverdue.mock.calls[0]?.[0].waited ?? NaN;
    expect(waited).toBeGreaterThan(PATIENCE / 2);
    expect(waited).toBeLessThanOrEqual(2 * PATIENCE);
    expect(isLost()).toBe(true);
    await impatient.close();
  });

  test("holders that come and go are waited for", async () => {
    const time = new VirtualTime();
    const [busy, patient] = await open(time);
    const taken = vi.fn();
    const tasks = Array.from({ length: 6 }, () =>
      busy.exclusive("lock", async (lost) => {
        taken();
        await sleep(time, (3 * PATIENCE) / 5);
        return lost.aborted;
      }),
    );
    await vi.waitFor(() => expect(taken).toHaveBeenCalled());
    const onOverdue = vi.fn();
    const granted = vi.fn<(takenBefore: number) => void>();
    const waited = patient.exclusive("lock", async () => granted(taken.mock.calls.length), {
      patience: PATIENCE,
      onOverdue,
    });
    await time.until(() => granted.mock.calls.length > 0, 4 * PATIENCE);
    await waited;
    expect(granted).toHaveBeenCalledWith(tasks.length);
    expect(await Promise.all(tasks)).toEqual(tasks.map(() => false));
    expect(onOverdue).not.toHaveBeenCalled();
  });

  test("a store that closes ends a patient wait, too", async () => {
    const [holder, waiter] = await open(new VirtualTime());
    await takeForGood(holder);
    const waiting = waiter.exclusive("lock", async () => undefined, { patience: PATIENCE });
    const outcome = expect(waiting).rejects.toMatchObject({ code: "ERR_STORE_CLOSED" });
    await waiter.close();
    await outcome;
  });

  test("what the task rejects with is passed on as it is, also after the lock was lost", async () => {
    const time = new VirtualTime();
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
    const passed = vi.fn();
    void impatient.exclusive("lock", async () => undefined, { patience: PATIENCE }).then(passed);
    await time.until(() => passed.mock.calls.length > 0, 2 * PATIENCE);
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
