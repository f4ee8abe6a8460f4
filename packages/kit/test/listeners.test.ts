/** Listeners cannot disturb each other. */
import { describe, expect, test, vi } from "vitest";
import { Listeners, reportUncaught } from "../src/listeners.ts";

interface Events {
  change: number;
  closed: undefined;
}

const make = (onFailure?: (error: unknown) => void): Listeners<Events> =>
  new Listeners<Events>(["change", "closed"], onFailure);

describe("listeners", () => {
  test("hear their event in the order in which they were added, until they are released", () => {
    const listeners = make();
    const heard: string[] = [];
    const release = listeners.add("change", (value) => heard.push(`a${value}`));
    listeners.add("change", (value) => heard.push(`b${value}`));
    listeners.add("closed", () => heard.push("closed"));
    listeners.notify("change", 1);
    release();
    release();
    listeners.notify("change", 2);
    listeners.notify("closed", undefined);
    expect(heard).toEqual(["a1", "b1", "b2", "closed"]);
    expect([listeners.count("change"), listeners.count("closed")]).toEqual([1, 1]);
    listeners.clear();
    listeners.notify("change", 3);
    expect([listeners.count("change"), listeners.count("closed"), heard.length]).toEqual([0, 0, 4]);
  });

  test("one function added twice is two listeners", () => {
    const listeners = make();
    const listener = vi.fn();
    const release = listeners.add("change", listener);
    listeners.add("change", listener);
    listeners.notify("change", 1);
    expect(listener).toHaveBeenCalledTimes(2);
    release();
    listeners.notify("change", 2);
    expect(listener).toHaveBeenCalledTimes(3);
  });

  test("one that is released by another is not told any more; one that is added is not told yet", () => {
    const listeners = make();
    const heard: string[] = [];
    let releaseSecond = (): void => undefined;
    listeners.add("change", () => {
      releaseSecond();
      if (heard.length === 0) listeners.add("change", () => heard.push("added"));
      heard.push("first");
    });
    releaseSecond = listeners.add("change", () => heard.push("second"));
    listeners.notify("change", 1);
    expect(heard).toEqual(["first"]);
    listeners.notify("change", 2);
    expect(heard).toEqual(["first", "first", "added"]);
  });

  test("one that throws, or rejects, disturbs neither the notifier nor the others, and is reported", async () => {
    const failures: unknown[] = [];
    const listeners = make((error) => failures.push(error));
    const heard: number[] = [];
    listeners.add("change", () => {
      throw new Error("thrown");
    });
    listeners.add("change", async () => Promise.reject(new Error("rejected")));
    listeners.add("change", (value) => heard.push(value));
    listeners.notify("change", 1);
    expect(heard).toEqual([1]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual([new Error("thrown"), new Error("rejected")]);
  });

  test("are waited for, where they return promises, until all of them have settled", async () => {
    const reported: unknown[] = [];
    const listeners = make((error) => reported.push(error));
    listeners.add("change", () => undefined);
    expect(listeners.notifyAndWait("change", 1)).toBeUndefined();
    const failure = new Error("of the application");
    let resolve: () => void = () => undefined;
    listeners.add("change", () => new Promise<void>((done) => (resolve = done)));
    listeners.add("change", () => Promise.reject(failure));
    let settled = false;
    const waiting = listeners.notifyAndWait("change", 2)?.then(() => (settled = true));
    await new Promise((turn) => setImmediate(turn));
    expect([settled, reported]).toEqual([false, [failure]]);
    resolve();
    await waiting;
    expect(settled).toBe(true);
  });

  test("a report that throws disturbs nobody either", () => {
    const queue = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => undefined);
    const listeners = make(() => {
      throw new Error("the report");
    });
    const heard = vi.fn();
    listeners.add("change", () => {
      throw new Error("the listener");
    });
    listeners.add("change", heard);
    listeners.notify("change", 1);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(queue).toHaveBeenCalledTimes(1);
    queue.mockRestore();
  });

  test("that are removed are waited for no longer", async () => {
    const listeners = make();
    const release = listeners.add("change", () => new Promise<void>(() => undefined));
    const waits = listeners.notifyAndWait("change", 1);
    release();
    await expect(waits).resolves.toBeUndefined();
  });

  test("of events that do not exist, and what is no function, are refused", () => {
    const listeners = make();
    expect(() => listeners.add("chnage" as never, () => undefined)).toThrow(
      new TypeError('There is no event "chnage": use one of change, closed'),
    );
    expect(() => listeners.add("toString" as never, () => undefined)).toThrow(TypeError);
    expect(() => listeners.add("change", "listener" as never)).toThrow(new TypeError("A listener is a function"));
  });
});

describe("what nobody caught", () => {
  test("is shown by the platform, later", () => {
    const report = vi.fn();
    vi.stubGlobal("reportError", report);
    const tasks: (() => void)[] = [];
    const queue = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((task) => void tasks.push(task));
    reportUncaught(new Error("a"));
    expect(report).not.toHaveBeenCalled();
    tasks[0]?.();
    expect(report).toHaveBeenCalledWith(new Error("a"));
    vi.stubGlobal("reportError", undefined);
    reportUncaught(new Error("b"));
    expect(tasks[1]).toThrow("b");
    queue.mockRestore();
    vi.unstubAllGlobals();
  });
});
