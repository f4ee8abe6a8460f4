/** One run at a time. */
import { expect, test } from "vitest";
import { SingleFlight } from "../src/single-flight.ts";

test("calls while it runs share one more run, which starts after them", async () => {
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
  const fourth = flight.run();
  gates[2]?.();
  expect(await fourth).toBe(3);
});

test.each(Array.from({ length: 10 }, (_, ticks) => ticks))(
  "two runs never overlap: a call %d ticks after one",
  async (ticks) => {
    let running = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const flight = new SingleFlight(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => gates.push(resolve));
      running--;
    });
    const calls = [flight.run(), flight.run()];
    gates[0]?.();
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    calls.push(flight.run());
    for (let tick = 0; tick < 50; tick++) {
      await Promise.resolve();
      for (const open of gates) open();
    }
    await Promise.all(calls);
    expect(most).toBe(1);
  },
);

test("a task that throws at once has failed like any other, and does not stop the next", async () => {
  let runs = 0;
  const flight = new SingleFlight((): Promise<number> => {
    if (++runs === 1) throw new Error("at once");
    return Promise.resolve(runs);
  });
  await expect(flight.run()).rejects.toThrow("at once");
  await expect(flight.run()).resolves.toBe(2);
});
