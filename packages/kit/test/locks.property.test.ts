/** Any schedule of requests, aborts, failures and silent holders: nobody is let in beside a holder that was not told. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type LockProvider, Locks, ProcessLocks, sleep } from "../src/index.ts";
import { VirtualTime } from "../src/testing.ts";
import { WebLocks } from "./web-locks.ts";

const request = fc.record({
  context: fc.nat(2),
  name: fc.constantFrom("x", "y"),
  /** Milliseconds from the beginning. */
  at: fc.nat(3000),
  lasts: fc.oneof(fc.nat(300), fc.constant(20_000)),
  fails: fc.boolean(),
  abortAfter: fc.option(fc.nat(2000), { nil: undefined }),
  patience: fc.option(fc.integer({ min: 500, max: 3000 }), { nil: undefined }),
});

const web = (): readonly LockProvider[] => {
  const locks = new WebLocks();
  return ["A", "B", "C"].map((clientId) => locks.context(clientId));
};
const inProcess = (): readonly LockProvider[] => {
  const locks = new ProcessLocks();
  return [locks, locks, locks];
};

test.each([
  ["Web Locks", web],
  ["process locks", inProcess],
] as const)("%s: at most one holder that was not told of a loss, and every request settles", async (_name, make) => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 12 }), fc.nat(), async (requests, seed) => {
      const time = new VirtualTime({ seed });
      const providers = make();
      const contexts = providers.map((provider) => new Locks(provider, time));
      const inside = new Map<string, Set<AbortSignal>>();
      const runs = requests.map(async ({ context, name, at, lasts, fails, abortAfter, patience }, i) => {
        await sleep(time, at);
        const controller = new AbortController();
        if (abortAfter !== undefined) time.after(abortAfter, () => controller.abort(new Error("enough")));
        let times = 0;
        const task = async (lost: AbortSignal): Promise<number> => {
          times++;
          const set = inside.get(name) ?? new Set();
          inside.set(name, set.add(lost));
          // Those who lost the lock are told before the event loop turns again.
          await new Promise((resolve) => setImmediate(resolve));
          expect([...set].filter(({ aborted }) => !aborted).length).toBeLessThanOrEqual(1);
          await sleep(time, lasts);
          set.delete(lost);
          if (fails) throw new Error("task");
          return i;
        };
        const outcome = await contexts[context]
          ?.run(name, task, { signal: controller.signal, patience })
          .catch((error: unknown) => (error as Error).message);
        expect([i, "task", "enough"]).toContain(outcome);
        expect(times).toBe(outcome === "enough" ? 0 : 1);
      });
      await time.advance(300_000);
      await Promise.all(runs);
      const left = await providers[0]?.query();
      expect([left?.held, left?.pending]).toEqual([[], []]);
    }),
    { numRuns: 25 },
  );
});
