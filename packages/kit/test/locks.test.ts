/** Exclusive sections: over Web Locks of several contexts (a fake with their rules), and within one process. */
import { describe, expect, test, vi } from "vitest";
import { type LockProvider, Locks, type Overdue, platformLocks, ProcessLocks, sleep } from "../src/index.ts";
import { VirtualTime } from "../src/testing.ts";
import { countedSignal } from "./counted-signal.ts";
import { WebLocks } from "./web-locks.ts";

/** A task that ends when it is told to, and knows whether its lock was lost. */
function heldTask(): {
  readonly task: (lost: AbortSignal) => Promise<string>;
  readonly end: (value?: string) => void;
  readonly lost: () => boolean;
  readonly started: () => boolean;
} {
  let signal: AbortSignal | undefined;
  let end = (_value: string): void => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  return {
    task: (lost) => {
      signal = lost;
      return ended;
    },
    end: (value = "done") => end(value),
    lost: () => signal?.aborted === true,
    started: () => signal !== undefined,
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Both kinds of providers, each seen from two contexts. */
const providers: readonly [string, () => readonly [LockProvider, LockProvider]][] = [
  [
    "Web Locks",
    () => {
      const web = new WebLocks();
      return [web.context("A"), web.context("B")];
    },
  ],
  [
    "process locks",
    () => {
      const locks = new ProcessLocks();
      return [locks, locks];
    },
  ],
];

describe.each(providers)("%s", (_name, make) => {
  const two = (): { readonly time: VirtualTime; readonly a: Locks; readonly b: Locks } => {
    const time = new VirtualTime();
    const [a, b] = make();
    return { time, a: new Locks(a, time), b: new Locks(b, time) };
  };

  test("run one at a time by name, first come, first served", async () => {
    const { a, b } = two();
    const seen: string[] = [];
    let inside = 0;
    const task = (name: string) => async (): Promise<string> => {
      expect(++inside).toBe(1);
      await turn();
      inside--;
      seen.push(name);
      return name;
    };
    const results = await Promise.all([a.run("x", task("1")), b.run("x", task("2")), a.run("x", task("3"))]);
    expect(results).toEqual(["1", "2", "3"]);
    expect(seen).toEqual(results);
    const held = heldTask();
    const waits = a.run("y", held.task);
    await expect(b.run("x", task("4"))).resolves.toBe("4");
    held.end();
    await waits;
  });

  test("a task's failure is the caller's, and frees the lock", async () => {
    const { a, b } = two();
    const fail = a.run("x", () => Promise.reject(new Error("task")));
    const failAtOnce = a.run("x", () => {
      throw new Error("at once");
    });
    const next = b.run("x", () => Promise.resolve(1), { patience: 1000 });
    await expect(fail).rejects.toThrow("task");
    await expect(failAtOnce).rejects.toThrow("at once");
    await expect(next).resolves.toBe(1);
  });

  test("a task whose lock was not taken is not told that it was", async () => {
    const { a } = two();
    let lost: AbortSignal | undefined;
    const failing = a.run("x", async (signal) => {
      lost = signal;
      await turn();
      throw new Error("task");
    });
    await expect(failing).rejects.toThrow("task");
    expect(lost?.aborted).toBe(false);
  });

  test.each([undefined, 1000])("an abort while queued ends the wait alone (patience: %j)", async (patience) => {
    const { a, b, time } = two();
    const held = heldTask();
    const holding = a.run("x", held.task);
    await turn();
    const { controller, signal, listeners } = countedSignal();
    const ran = vi.fn(() => Promise.resolve());
    const waiting = b.run("x", ran, { signal, patience });
    const after = b.run("x", () => Promise.resolve("after"));
    await turn();
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(b.run("x", ran, { signal })).rejects.toThrow("enough");
    expect(listeners()).toBe(0);
    held.end();
    await expect(holding).resolves.toBe("done");
    await expect(after).resolves.toBe("after");
    await time.advance(10_000);
    expect(ran).not.toHaveBeenCalled();
  });

  test("an abort after the grant does nothing", async () => {
    const { a } = two();
    const { controller, signal, listeners } = countedSignal();
    const held = heldTask();
    const running = a.run("x", held.task, { signal, patience: 1000 });
    await turn();
    expect(listeners()).toBe(0);
    controller.abort();
    held.end();
    await expect(running).resolves.toBe("done");
  });

  test("an abort in the moment of the grant leaves the lock free", async () => {
    for (let ticks = 0; ticks < 8; ticks++) {
      const { a, b } = two();
      const held = heldTask();
      const holding = a.run("x", held.task);
      await turn();
      const controller = new AbortController();
      const waiting = b.run("x", () => Promise.resolve("granted"), { signal: controller.signal });
      await turn();
      held.end();
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      controller.abort(new Error("enough"));
      await holding;
      const outcome = await waiting.catch((error: unknown) => String(error));
      expect(["granted", "Error: enough"]).toContain(outcome);
      await expect(a.run("x", () => Promise.resolve("free"))).resolves.toBe("free");
    }
  });

  test("a silent holder is passed by at the end of the patience, and learns that it lost", async () => {
    const { a, b, time } = two();
    const frozen = heldTask();
    const overdue: Overdue[] = [];
    const holding = a.run("x", frozen.task);
    await turn();
    const next = heldTask();
    const waiting = b.run("x", next.task, { patience: 4000, onOverdue: (told) => overdue.push(told) });
    await time.advance(3400);
    expect([frozen.lost(), next.started(), overdue]).toEqual([false, false, []]);
    await time.advance(600);
    expect([frozen.lost(), next.started(), next.lost()]).toEqual([true, true, false]);
    const [told] = overdue;
    expect([overdue.length, told?.lock, typeof told?.holder]).toEqual([1, "x", "string"]);
    expect(told?.waited).toBeGreaterThanOrEqual(3500);
    expect(told?.waited).toBeLessThanOrEqual(4000);
    // The one that woke up again gets its own result, and does not free the lock of the other.
    const third = b.run("x", () => Promise.resolve("third"));
    frozen.end("late");
    await expect(holding).resolves.toBe("late");
    await turn();
    next.end("next");
    await expect(waiting).resolves.toBe("next");
    await expect(third).resolves.toBe("third");
    await time.advance(100_000);
    expect(overdue).toHaveLength(1);
  });

  test("of many who lose patience with one holder, one takes its lock, and none another's", async () => {
    const { a, b, time } = two();
    const frozen = heldTask();
    void a.run("x", frozen.task);
    await turn();
    const overdue: Overdue[] = [];
    const seen: string[] = [];
    const work =
      (name: string) =>
      async (lost: AbortSignal): Promise<void> => {
        await sleep(time, 100);
        seen.push(lost.aborted ? `${name} lost` : name);
      };
    const options = { patience: 4000, onOverdue: (told: Overdue) => overdue.push(told) };
    const waits = [b, a, b, b].map((locks, i) => locks.run("x", work(`${i}`), options));
    await time.until(() => seen.length === 4, 60_000);
    await Promise.all(waits);
    expect(overdue).toHaveLength(1);
    expect([...seen].sort()).toEqual(["0", "1", "2", "3"]);
  });

  test("a report of patience that throws does not stop the wait", async () => {
    const { a, b, time } = two();
    const tasks: (() => void)[] = [];
    void a.run("x", heldTask().task);
    await turn();
    const queue = vi.spyOn(globalThis, "queueMicrotask");
    queue.mockImplementation((task) => {
      if (task.toString().includes("reportError")) tasks.push(task);
      else void Promise.resolve().then(task);
    });
    const onOverdue = (): void => {
      throw new Error("the report");
    };
    const waiting = b.run("x", () => Promise.resolve("in"), { patience: 1000, onOverdue });
    await time.advance(1000);
    await expect(waiting).resolves.toBe("in");
    expect(tasks).toHaveLength(1);
    queue.mockRestore();
  });

  test("an abort at the end of the patience is an abort", async () => {
    const { a, b, time } = two();
    void a.run("x", heldTask().task);
    await turn();
    const controller = new AbortController();
    const ran = vi.fn(() => Promise.resolve());
    const waiting = b.run("x", ran, {
      signal: controller.signal,
      patience: 1000,
      onOverdue: () => controller.abort(new Error("enough")),
    });
    const outcome = waiting.catch((error: unknown) => error);
    await time.advance(1000);
    expect(await outcome).toEqual(new Error("enough"));
    expect(ran).not.toHaveBeenCalled();
  });
});

describe("patience", () => {
  test("is kept with a context that is busy: it holds the lock again and again, but others move up", async () => {
    const time = new VirtualTime();
    const web = new WebLocks();
    const [a, b] = [new Locks(web.context("A"), time), new Locks(web.context("B"), time)];
    const overdue = vi.fn();
    const busy = Array.from({ length: 100 }, () => a.run("x", () => sleep(time, 300)));
    const waiting = b.run("x", () => Promise.resolve(time.elapsed()), { patience: 1000, onOverdue: overdue });
    // More of them behind it.
    busy.push(...Array.from({ length: 100 }, () => a.run("x", () => sleep(time, 300))));
    await time.advance(60_000);
    expect(await waiting).toBe(30_000);
    expect(overdue).not.toHaveBeenCalled();
    await Promise.all(busy);
  });

  test("is kept where contexts take turns so that the queue always looks the same", async () => {
    const time = new VirtualTime();
    const web = new WebLocks();
    const [a, b] = [new Locks(web.context("A"), time), new Locks(web.context("B"), time)];
    const overdue = vi.fn();
    const loop = async (locks: Locks): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        await locks.run("x", () => sleep(time, 200), { patience: 1000, onOverdue: overdue });
      }
    };
    const loops = [a, b, a, b, a, b, a, b].map(loop);
    await time.advance(80 * 200);
    await Promise.all(loops);
    expect(overdue).not.toHaveBeenCalled();
  });

  test("starts anew with the next holder", async () => {
    const time = new VirtualTime();
    const web = new WebLocks();
    const names = ["A", "B", "C"].map((name) => new Locks(web.context(name), time));
    const overdue = vi.fn();
    const slow = names.slice(0, 2).map((locks) => locks.run("x", () => sleep(time, 700)));
    const waiting = names[2]?.run("x", () => Promise.resolve(time.elapsed()), { patience: 1000, onOverdue: overdue });
    await time.advance(2000);
    await Promise.all(slow);
    expect(await waiting).toBe(1400);
    expect(overdue).not.toHaveBeenCalled();
  });

  test("is a quarter for ten seconds after a silent holder was passed by: what froze holds other locks too", async () => {
    const time = new VirtualTime();
    const web = new WebLocks();
    const [a, b] = [new Locks(web.context("A"), time), new Locks(web.context("B"), time)];
    for (const name of ["x", "y", "z"]) void a.run(name, heldTask().task);
    const waits: number[] = [];
    const passBy = async (name: string): Promise<void> => {
      const onOverdue = ({ waited }: Overdue): number => waits.push(waited);
      const passed = b.run(name, () => Promise.resolve(), { patience: 4000, onOverdue });
      await time.advance(4000);
      await passed;
    };
    await passBy("x");
    await passBy("y");
    await time.advance(10_000);
    await passBy("z");
    const [first = 0, second = 0, later = 0] = waits;
    expect(first).toBeGreaterThanOrEqual(3500);
    expect(second).toBeGreaterThanOrEqual(875);
    expect(second).toBeLessThanOrEqual(1000);
    expect(later).toBeGreaterThanOrEqual(3500);
  });

  test("costs nothing where the lock is free", async () => {
    const time = new VirtualTime();
    const web = new WebLocks();
    const locks = new Locks(web.context("A"), time);
    await locks.run("x", () => Promise.resolve(), { patience: 1000 });
    await time.advance(10_000);
    expect(web.queries).toBe(0);
  });

  test("ends also where the browser lost the holder: all wait, and nobody holds the lock", async () => {
    const time = new VirtualTime();
    const web = new WebLocks();
    void new Locks(web.context("A"), time).run("x", heldTask().task);
    await turn();
    const b = new Locks(web.context("B"), time);
    const overdue: Overdue[] = [];
    const waiting = ["first", "second"].map((which) =>
      b.run("x", () => Promise.resolve(which), { patience: 1000, onOverdue: (told) => overdue.push(told) }),
    );
    web.lose("x");
    await time.advance(2000);
    await expect(Promise.all(waiting)).resolves.toEqual(["first", "second"]);
    expect(overdue.map(({ holder }) => holder)).toEqual(["nobody"]);
  });

  test("goes on where the platform does not say who holds what", async () => {
    const time = new VirtualTime();
    const web = new WebLocks();
    const context = web.context("B");
    let answers = false;
    const shy: LockProvider = {
      request: context.request,
      query: () => (answers ? context.query() : Promise.reject(new DOMException("m", "InvalidStateError"))),
    };
    void new Locks(web.context("A"), time).run("x", heldTask().task);
    const next = heldTask();
    void new Locks(shy, time).run("x", next.task, { patience: 1000 });
    await time.advance(10_000);
    expect(next.started()).toBe(false);
    answers = true;
    await time.advance(2000);
    expect(next.started()).toBe(true);
  });

  test("a grant that was on its way when the wait ended runs nothing: the task runs once, or never", async () => {
    const time = new VirtualTime();
    const web = new WebLocks();
    web.grantsAborted = true;
    const frozen = heldTask();
    void new Locks(web.context("A"), time).run("x", frozen.task);
    const ran = vi.fn(() => Promise.resolve("once"));
    const b = new Locks(web.context("B"), time);
    const waiting = b.run("x", ran, { patience: 1000 });
    const controller = new AbortController();
    const ranAborted = vi.fn(() => Promise.resolve("never"));
    const aborted = b.run("x", ranAborted, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    await time.advance(1000);
    expect(await waiting).toBe("once");
    frozen.end();
    await time.advance(10_000);
    await expect(b.run("x", () => Promise.resolve("free"))).resolves.toBe("free");
    expect([ran.mock.calls.length, ranAborted.mock.calls.length]).toEqual([1, 0]);
  });
});

test("the platform's locks are Web Locks where there are any, else one set for the process", () => {
  const web = new WebLocks().context("A");
  vi.stubGlobal("navigator", { locks: web });
  expect(platformLocks()).toBe(web);
  vi.stubGlobal("navigator", {});
  expect(platformLocks()).toBeInstanceOf(ProcessLocks);
  expect(platformLocks()).toBe(platformLocks());
  vi.stubGlobal("navigator", undefined);
  expect(platformLocks()).toBeInstanceOf(ProcessLocks);
  vi.unstubAllGlobals();
});
