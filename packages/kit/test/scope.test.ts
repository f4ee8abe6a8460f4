/** Waiting that ends with its object. */
import { expect, test } from "vitest";
import { Scope } from "../src/scope.ts";
import { VirtualTime } from "../src/testing.ts";
import { countedSignal, never } from "./counted-signal.ts";

test("a scope that ends rejects everything that waits in it, and what begins later", async () => {
  const scope = new Scope();
  const time = new VirtualTime();
  const waits = [scope.run(never), scope.sleep(time, 60_000)];
  expect(scope.ended).toBe(false);
  scope.throwIfEnded();
  scope.end(new Error("over"));
  scope.end(new Error("once"));
  for (const wait of waits) await expect(wait).rejects.toThrow("over");
  await expect(scope.run(never)).rejects.toThrow("over");
  await expect(scope.run(Promise.resolve(1))).rejects.toThrow("over");
  await expect(scope.sleep(time, 0)).rejects.toThrow("over");
  expect(scope.ended).toBe(true);
  expect(() => scope.throwIfEnded()).toThrow("over");
});

test("a signal ends one wait, and leaves nothing behind on the signal", async () => {
  const scope = new Scope();
  const time = new VirtualTime();
  const { controller, signal, listeners } = countedSignal();
  await expect(scope.run(Promise.resolve(7), signal)).resolves.toBe(7);
  await expect(scope.run(Promise.reject(new Error("work")), signal)).rejects.toThrow("work");
  const slept = scope.sleep(time, 1, signal);
  await time.advance(1);
  await slept;
  expect(listeners()).toBe(0);
  const [run, sleep, other] = [
    scope.run(never, signal),
    scope.sleep(time, 60_000, undefined, signal),
    scope.run(never),
  ];
  controller.abort(new Error("enough"));
  await expect(run).rejects.toThrow("enough");
  await expect(sleep).rejects.toThrow("enough");
  await expect(scope.sleep(time, 60_000, signal)).rejects.toThrow("enough");
  expect(listeners()).toBe(0);
  scope.end(new Error("over"));
  await expect(other).rejects.toThrow("over");
});

test("a wait that the scope's end cut short leaves nothing behind on its signal, though the work goes on", async () => {
  const scope = new Scope();
  const { signal, listeners } = countedSignal();
  const wait = scope.run(never, signal);
  scope.end(new Error("over"));
  await expect(wait).rejects.toThrow("over");
  expect(listeners()).toBe(0);
});
