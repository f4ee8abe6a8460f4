/** Conformance: one task at a time under a name, and holders that are passed by. */
import { sleep, systemTime, type Overdue } from "@coppice/kit";
import { expect, expectCode, expectEqual, gate, put, rejection, type StoreCase } from "./case.ts";

/** Milliseconds: short, so that the suite is fast; a holder that is silent for longer is passed by. */
const PATIENCE = 100;

export const lockCases: readonly StoreCase[] = [
  {
    title: "exclusive: tasks of one name run one after another, across contexts; other names do not wait",
    run: async ({ open }) => {
      const [a, b] = [await open(), await open()];
      const [entered, leave] = [gate(), gate()];
      const order: string[] = [];
      const first = a.exclusive("lock", async () => {
        entered.open();
        await leave.opened;
        order.push("first");
        return 1;
      });
      await entered.opened;
      const inTwoSteps = (name: string) => async (): Promise<void> => {
        order.push(`${name} in`);
        await sleep(systemTime, 1);
        order.push(`${name} out`);
      };
      const second = b.exclusive("lock", inTwoSteps("second"));
      const third = a.exclusive("lock", inTwoSteps("third"));
      await b.exclusive("other", async () => Promise.resolve(order.push("other")));
      leave.open();
      expectEqual(await first, 1, "the task's result");
      await Promise.all([second, third]);
      // Contexts may come in either order, but never into each other's task.
      const secondIsFirst = order.indexOf("second in") < order.indexOf("third in");
      const [next, last] = secondIsFirst ? ["second", "third"] : ["third", "second"];
      expectEqual(order, ["other", "first", `${next} in`, `${next} out`, `${last} in`, `${last} out`], "order");
    },
  },
  {
    title: "exclusive: a task that throws rejects its call and frees the name",
    run: async ({ open }) => {
      const store = await open();
      const failure = new Error("the task's own error");
      expect((await rejection(store.exclusive("lock", () => Promise.reject(failure)))) === failure, "the same error");
      const thrown = store.exclusive("lock", () => {
        throw failure;
      });
      expect((await rejection(thrown)) === failure, "the same error, thrown before a promise was made");
      expectEqual(await store.exclusive("lock", async () => Promise.resolve("free")), "free", "afterwards");
    },
  },
  {
    title: "exclusive: a silent holder is passed by, told so, and keeps its result",
    run: async ({ open }) => {
      const [silent, impatient, later] = [await open(), await open(), await open()];
      const [entered, leave] = [gate(), gate()];
      const losts: AbortSignal[] = [];
      const held = silent.exclusive("lock", async (signal) => {
        losts.push(signal);
        entered.open();
        await leave.opened;
        return "of the silent one";
      });
      await entered.opened;
      expectEqual(
        losts.map(({ aborted }) => aborted),
        [false],
        "the lock is not lost yet",
      );
      const overdue: Overdue[] = [];
      const passed = await impatient.exclusive(
        "lock",
        async (signal) => {
          expect(!signal.aborted, "the new holder has the lock");
          return Promise.resolve("of the impatient one");
        },
        { patience: PATIENCE, onOverdue: (report) => void overdue.push(report) },
      );
      expectEqual(passed, "of the impatient one", "the task's result");
      expectEqual(
        overdue.map(({ lock }) => lock),
        ["lock"],
        "told once, under the caller's name of the lock",
      );
      // In the last eighth of the patience; timers may be early by a part of a millisecond.
      expect((overdue[0]?.waited ?? 0) >= (PATIENCE * 7) / 8 - 2, "waited");
      expect(overdue[0]?.holder !== "", "who holds it");
      expectEqual(
        losts.map(({ aborted }) => aborted),
        [true],
        "the silent holder is told",
      );
      leave.open();
      expectEqual(await held, "of the silent one", "the silent task's result");
      expectEqual(await later.exclusive("lock", async () => Promise.resolve("free")), "free", "afterwards");
    },
  },
  {
    title: "exclusive: a holder that is passed by does no harm: its write meets a conflict",
    run: async ({ open }) => {
      const [silent, impatient] = [await open(), await open()];
      const [entered, leave] = [gate(), gate()];
      const held = silent.exclusive("lock", async () => {
        const { version } = await silent.read("p", []);
        entered.open();
        await leave.opened;
        await silent.write([put("p", version, { a: "old" })]);
      });
      await entered.opened;
      await impatient.exclusive("lock", () => impatient.write([put("p", 0, { a: "new" })]), { patience: PATIENCE });
      leave.open();
      await expectCode(held, "ERR_STORE_CONFLICT");
    },
  },
  {
    title: "exclusive: with patience too, the signal ends the wait",
    run: async ({ open }) => {
      const store = await open();
      const [entered, leave] = [gate(), gate()];
      const held = store.exclusive("lock", async (lost) => {
        entered.open();
        await leave.opened;
        return lost.aborted;
      });
      await entered.opened;
      const controller = new AbortController();
      const reason = new Error("enough");
      const waiting = store.exclusive("lock", async () => Promise.resolve(), {
        patience: 60_000,
        signal: controller.signal,
      });
      controller.abort(reason);
      expect((await rejection(waiting)) === reason, "the signal's reason");
      leave.open();
      expectEqual(await held, false, "the holder kept the lock");
    },
  },
];
