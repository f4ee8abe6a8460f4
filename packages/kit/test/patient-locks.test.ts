import { expect, test } from "vitest";
import { Locks, ProcessLocks, type LockProvider } from "../src/index.ts";
import { VirtualTime } from "../src/testing.ts";

/** What a promise does if it does it within a few turns. */
async function outcome<T>(promise: Promise<T>): Promise<T | "waiting" | "rejected"> {
  const waiting = new Promise<"waiting">((resolve) => setTimeout(resolve, 5, "waiting"));
  return Promise.race([promise.catch(() => "rejected" as const), waiting]);
}

test("a wait that ends at any moment of the hand-over leaves the name free", async () => {
  for (let moment = 0; moment < 24; moment++) {
    const locks = new ProcessLocks();
    const controller = new AbortController();
    let leave = (): void => undefined;
    const held = locks.request("a", {}, () => new Promise<void>((resolve) => (leave = resolve)));
    const waiting = locks.request("a", { signal: controller.signal }, async () => "granted" as const);
    const ended = outcome(waiting);
    leave();
    for (let turn = 0; turn < moment; turn++) await Promise.resolve();
    controller.abort(new Error("enough"));
    await held;
    expect(["granted", "rejected"]).toContain(await ended);
    expect(await outcome(locks.request("a", {}, async () => "free"))).toBe("free");
    expect((await locks.query()).held).toEqual([]);
  }
});

test("a lock that is stolen at any moment of the hand-over: whoever ran or will run is told, and the name is free after", async () => {
  for (let moment = 0; moment < 24; moment++) {
    const locks = new ProcessLocks();
    let leave = (): void => undefined;
    const held = locks.request("a", {}, () => new Promise<void>((resolve) => (leave = resolve)));
    const waiting = locks.request("a", {}, () => new Promise(() => undefined));
    const lost = outcome(waiting);
    leave();
    for (let turn = 0; turn < moment; turn++) await Promise.resolve();
    let finish = (): void => undefined;
    const thief = locks.request("a", { steal: true }, () => new Promise<void>((resolve) => (finish = resolve)));
    await held.catch(() => undefined);
    // The one that waited comes after the thief, unless it ran before and lost the lock to it.
    const former = await lost;
    expect(["waiting", "rejected"]).toContain(former);
    expect((await locks.query()).held).toHaveLength(1);
    finish();
    await thief;
    expect((await locks.query()).held).toHaveLength(former === "rejected" ? 0 : 1);
  }
});

test("a platform that cannot say who holds a lock does not end the wait", async () => {
  const process = new ProcessLocks();
  const provider: LockProvider = {
    request: (name, options, task) => process.request(name, options, task),
    query: () => Promise.reject(new DOMException("not here", "InvalidStateError")),
  };
  const time = new VirtualTime();
  const locks = new Locks(provider, time);
  let leave = (): void => undefined;
  const held = locks.run("a", () => new Promise<void>((resolve) => (leave = resolve)));
  const waiting = locks.run("a", async () => "granted", { patience: 10 });
  await time.advance(100);
  expect(await outcome(waiting)).toBe("waiting");
  leave();
  await held;
  expect(await waiting).toBe("granted");
});
