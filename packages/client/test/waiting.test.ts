import { expect, test } from "vitest";
import { Scope, SingleFlight, untilAborted } from "../src/waiting.ts";

const never = new Promise<never>(() => undefined);

test("a scope that ends rejects everything that waits in it, and what begins later", async () => {
  const scope = new Scope();
  const waits = [scope.run(never), scope.sleep(60_000)];
  scope.end(new Error("over"));
  scope.end(new Error("once"));
  for (const wait of waits) await expect(wait).rejects.toThrow("over");
  await expect(scope.run(never)).rejects.toThrow("over");
  await expect(scope.sleep(0)).rejects.toThrow("over");
  expect(scope.ended).toBe(true);
  expect(() => {
    scope.throwIfEnded();
  }).toThrow("over");
});

test("a signal ends one wait, and leaves nothing behind on the signal", async () => {
  const scope = new Scope();
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  await expect(scope.run(Promise.resolve(7), signal)).resolves.toBe(7);
  await expect(scope.run(Promise.reject(new Error("work")), signal)).rejects.toThrow("work");
  await scope.sleep(1, signal);
  expect(listeners).toBe(0);
  const wait = untilAborted(never, signal);
  controller.abort(new Error("enough"));
  await expect(wait).rejects.toThrow("enough");
  await expect(scope.sleep(60_000, signal)).rejects.toThrow("enough");
  expect(listeners).toBe(0);
});

test("single flight: calls while it runs share one more run, which starts after them", async () => {
  const gates: (() => void)[] = [];
  let runs = 0;
  const flight = new SingleFlight(async () => {
    const run = ++runs;
    await new Promise<void>((resolve) => gates.push(resolve));
    if (run === 1) throw new Error("the first fails");
    return run;
  });
  const first = flight.run();
  const second = flight.run();
  const third = flight.run();
  gates[0]?.();
  await expect(first).rejects.toThrow("the first fails");
  await Promise.resolve();
  gates[1]?.();
  expect(await second).toBe(2);
  expect(await third).toBe(2);
  expect(runs).toBe(2);
});
