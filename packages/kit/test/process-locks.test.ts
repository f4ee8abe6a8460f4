/** What Web Locks do, within one process. */
import { describe, expect, test } from "vitest";
import { ProcessLocks } from "../src/index.ts";
import { never } from "./counted-signal.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("process locks", () => {
  test("say who holds what and who waits, in order, and forget a name that nobody has", async () => {
    const locks = new ProcessLocks();
    const gates: (() => void)[] = [];
    const task = (): Promise<void> => new Promise((resolve) => gates.push(resolve));
    const controller = new AbortController();
    const all = [
      locks.request("x", {}, task),
      locks.request("x", {}, task),
      locks.request("x", { signal: controller.signal }, task),
      locks.request("y", {}, task),
    ];
    const { held, pending } = await locks.query();
    expect(held.map(({ name }) => name)).toEqual(["x", "y"]);
    expect(pending.map(({ name }) => name)).toEqual(["x", "x"]);
    expect(new Set([...held, ...pending].map(({ clientId }) => clientId)).size).toBe(4);
    const second = pending[0]?.clientId;
    controller.abort(new Error("enough"));
    await expect(all[2]).rejects.toThrow("enough");
    expect((await locks.query()).pending).toHaveLength(1);
    gates[0]?.();
    await all[0];
    const after = await locks.query();
    expect(after.held.find(({ name }) => name === "x")?.clientId).toBe(second);
    expect(after.pending).toEqual([]);
    for (const open of gates) open();
    await turn();
    expect(await locks.query()).toEqual({ held: [], pending: [] });
  });

  test("a request that was aborted before asks for nothing", async () => {
    const locks = new ProcessLocks();
    const aborted = AbortSignal.abort(new Error("before"));
    await expect(locks.request("x", { signal: aborted }, () => never)).rejects.toThrow("before");
    expect(await locks.query()).toEqual({ held: [], pending: [] });
  });

  test("a stolen lock rejects its holder's request, and its task goes on; those who wait go on waiting", async () => {
    const locks = new ProcessLocks();
    const seen: string[] = [];
    const first = locks.request("x", {}, async () => {
      await turn();
      await turn();
      seen.push("first");
    });
    const second = locks.request("x", {}, async () => {
      seen.push("second");
      return Promise.resolve();
    });
    const thief = locks.request("x", { steal: true }, async () => {
      await turn();
      seen.push("thief");
    });
    await expect(first).rejects.toMatchObject({ name: "AbortError" });
    await Promise.all([thief, second]);
    await turn();
    await turn();
    expect(seen).toEqual(["thief", "second", "first"]);
  });

  test("stealing a lock in the moment of its grant takes it from the one it was granted to", async () => {
    for (let ticks = 0; ticks < 8; ticks++) {
      const locks = new ProcessLocks();
      let inside = 0;
      let most = 0;
      const work = async (): Promise<void> => {
        most = Math.max(most, ++inside);
        await turn();
        inside--;
      };
      let open = (): void => undefined;
      const first = locks.request("x", {}, () => new Promise<void>((resolve) => (open = resolve)));
      const second = locks.request("x", {}, work);
      open();
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      const thief = locks.request("x", { steal: true }, work);
      const outcomes = await Promise.allSettled([first, second, thief]);
      expect(outcomes[2].status).toBe("fulfilled");
      // Two at once only where one of them was told that its lock is gone.
      const stolen = outcomes.filter(({ status }) => status === "rejected").length;
      expect(most - stolen).toBeLessThanOrEqual(1);
      await expect(locks.request("x", {}, () => Promise.resolve("free"))).resolves.toBe("free");
    }
  });

  test("a lock that nobody holds can be stolen", async () => {
    await expect(new ProcessLocks().request("x", { steal: true }, () => Promise.resolve(1))).resolves.toBe(1);
  });
});
