import { expect, test, vi } from "vitest";
import { Listeners } from "../src/listeners.ts";

test("a listener that throws disturbs neither the writer nor the others, and is reported", () => {
  const reported: (() => void)[] = [];
  const queue = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((callback) => void reported.push(callback));
  const listeners = new Listeners();
  const heard: string[] = [];
  listeners.add(() => {
    throw new Error("the listener's own");
  });
  listeners.add(({ partition }) => heard.push(partition));
  listeners.notify({ partition: "p", version: 1 });
  queue.mockRestore();
  expect(heard).toEqual(["p"]);
  expect(reported).toHaveLength(1);
  expect(reported[0]).toThrow("the listener's own");
});

test("one function added twice is two listeners", () => {
  const listeners = new Listeners();
  let calls = 0;
  const listener = (): void => {
    calls++;
  };
  const release = listeners.add(listener);
  listeners.add(listener);
  release();
  listeners.notify({ partition: "p", version: 1 });
  expect(calls).toBe(1);
});
