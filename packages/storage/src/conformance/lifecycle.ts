/** Conformance: closing and cancelling. */
import { sleep, systemTime } from "@coppice/kit";
import type { StoreChange } from "../contract.ts";
import {
  ALL,
  eventually,
  expect,
  expectCode,
  expectEqual,
  gate,
  names,
  put,
  rejection,
  type StoreCase,
  text,
} from "./case.ts";

export const lifecycleCases: readonly StoreCase[] = [
  {
    title: "close: later calls reject with ERR_STORE_CLOSED, closing again does not",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { a: "1" })]);
      await store.close();
      await store.close();
      await expectCode(store.read("p", ALL), "ERR_STORE_CLOSED");
      await expectCode(store.readChanges("p", 0, ALL), "ERR_STORE_CLOSED");
      await expectCode(store.partitions(), "ERR_STORE_CLOSED");
      await expectCode(store.discard("p"), "ERR_STORE_CLOSED");
      await expectCode(store.write([put("p", 1, { a: "2" })]), "ERR_STORE_CLOSED");
      await expectCode(store.write([]), "ERR_STORE_CLOSED");
      await expectCode(
        store.exclusive("lock", async () => Promise.resolve()),
        "ERR_STORE_CLOSED",
      );
      await expectCode((async () => Promise.resolve(store.subscribe(() => undefined)))(), "ERR_STORE_CLOSED");
      expectEqual(text(await (await open()).read("p", ALL)), [1, ["a", "1"]], "data");
    },
  },
  {
    title: "close: running calls finish first",
    run: async ({ open }) => {
      const store = await open();
      const written = store.write([put("p", 0, { a: "1" })]);
      const read = store.read("other", ALL);
      await store.close();
      await Promise.all([written, read]);
      expectEqual(text(await (await open()).read("p", ALL)), [1, ["a", "1"]], "data");
    },
  },
  {
    title: "close: ends waiting for a lock, also when called by the task that holds it",
    run: async ({ open }) => {
      const store = await open();
      const entered = gate();
      let waiting: Promise<unknown> = Promise.resolve();
      await store.exclusive("lock", async () => {
        waiting = store.exclusive("lock", async () => Promise.resolve());
        waiting.catch(() => undefined);
        entered.open();
        await store.close();
      });
      await expectCode(waiting, "ERR_STORE_CLOSED");
      expectEqual(await (await open()).exclusive("lock", async () => Promise.resolve("free")), "free", "afterwards");
    },
  },
  {
    title: "close: a closed store's listeners hear nothing more",
    run: async ({ open }) => {
      const [writer, closed, other] = [await open(), await open(), await open()];
      const [heard, seen]: [StoreChange[], StoreChange[]] = [[], []];
      closed.subscribe((change) => void heard.push(change));
      other.subscribe((change) => void seen.push(change));
      await closed.close();
      await writer.write([put("p", 0, { a: "1" })]);
      await eventually(() => seen.length > 0, "a change");
      expectEqual(heard, [], "changes");
    },
  },
  {
    title: "abort: a signal that is aborted already rejects with its reason, and nothing happens",
    run: async ({ open }) => {
      const store = await open();
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      let ran = false;
      const task = async (): Promise<void> => {
        ran = true;
        return Promise.resolve();
      };
      const calls = [
        store.read("p", ALL, { signal }),
        store.readChanges("p", 0, ALL, { signal }),
        store.partitions({ signal }),
        store.discard("p", { signal }),
        store.write([put("p", 0, { a: "1" })], { signal }),
        store.exclusive("lock", task, { signal }),
      ];
      for (const call of calls) expect((await rejection(call)) === reason, "the signal's reason");
      expect(!ran, "the task did not run");
      expectEqual(await names(store), [], "partitions");
    },
  },
  {
    title: "abort: a write that rejects with the reason has written nothing, one that resolves everything",
    run: async ({ open }) => {
      const store = await open();
      for (let round = 0; round < 12; round++) {
        const controller = new AbortController();
        const reason = new Error("enough");
        const before = await store.read("p", []);
        const writing = store.write([put("p", before.version, { a: "1", b: "1" })], { signal: controller.signal });
        const outcome = writing.then(
          () => undefined,
          (error: unknown) => error,
        );
        for (let tick = 0; tick < round; tick++) await sleep(systemTime, 0);
        controller.abort(reason);
        const error = await outcome;
        expect(error === undefined || error === reason, `the reason or nothing, not ${String(error)}`);
        const { version } = await store.read("p", []);
        expectEqual(version, before.version + (error === undefined ? 1 : 0), "version");
      }
    },
  },
  {
    title: "abort: ends the wait for a lock, keeps the order of the others, and leaves a running task alone",
    run: async ({ open }) => {
      const store = await open();
      const controller = new AbortController();
      const [entered, leave] = [gate(), gate()];
      const running = store.exclusive(
        "lock",
        async () => {
          entered.open();
          await leave.opened;
          return "done";
        },
        { signal: controller.signal },
      );
      await entered.opened;
      const given = store.exclusive("lock", async () => Promise.resolve("ran"), { signal: controller.signal });
      const kept = store.exclusive("lock", async () => Promise.resolve("ran"));
      const reason = new Error("enough");
      controller.abort(reason);
      expect((await rejection(given)) === reason, "the signal's reason");
      leave.open();
      expectEqual(await running, "done", "the running task");
      expectEqual(await kept, "ran", "the task behind");
    },
  },
];
