import { systemTime } from "@coppice/kit";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Database } from "../../src/database/database.ts";
import { Turns } from "../../src/database/turns.ts";

function open() {
  const database = new Database(":memory:");
  onTestFinished(() => database.close());
  const turns = new Turns(database, systemTime);
  const commit = vi.spyOn(database, "commit");
  const age = (): number => database.first("SELECT age FROM service").integer("age");
  const setAge = (value: number): number => database.run("UPDATE service SET age = ?", value);
  return { database, turns, commit, age, setAge };
}

describe("turns at the database", () => {
  test("changes of one turn of the event loop share one commit, later ones have their own", async () => {
    const { turns, commit, age, setAge } = open();
    const increment = () => turns.change(() => setAge(age() + 1));
    await Promise.all(Array.from({ length: 50 }, increment));
    expect([age(), commit.mock.calls.length]).toEqual([50, 1]);
    await increment();
    expect([age(), commit.mock.calls.length]).toEqual([51, 2]);
  });

  test("a change that fails takes back its own, and nothing of the others", async () => {
    const { turns, commit, age, setAge } = open();
    const failure = new Error("on purpose");
    const outcomes = await Promise.allSettled(
      [1, 10, 100, 1000].map((amount) =>
        turns.change(async () => {
          setAge(age() + amount);
          await Promise.resolve();
          if (amount % 100 === 10) throw failure;
          return amount;
        }),
      ),
    );
    expect(
      outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : (outcome.reason as unknown))),
    ).toEqual([1, failure, 100, 1000]);
    expect([age(), commit.mock.calls.length]).toEqual([1101, 1]);
  });

  test("nobody is told of a change, or of a refusal, before the common commit; nobody reads what is not durable", async () => {
    const { turns, commit, age, setAge } = open();
    const events: string[] = [];
    const tell = (text: string) => () => void events.push(text);
    commit.mockImplementationOnce(() => {
      events.push("commit");
    });
    const first = turns.change(() => setAge(7)).then(tell("changed"));
    const second = turns.change(() => Promise.reject(new Error("refused"))).catch(tell("refused"));
    const read = turns.read(age).then((value) => events.push(`read ${value}`));
    await Promise.all([first, second, read]);
    expect(events).toEqual(["commit", "changed", "refused", "read 7"]);
  });

  test("where the commit fails, all changes fail, nothing is changed, and the next ones work", async () => {
    const { turns, commit, age, setAge } = open();
    const failure = new Error("disk full");
    commit.mockImplementationOnce(() => {
      throw failure;
    });
    const outcomes = await Promise.allSettled([1, 2].map((value) => turns.change(() => setAge(value))));
    expect(outcomes).toEqual([1, 2].map(() => ({ status: "rejected", reason: failure })));
    await turns.change(() => setAge(age() + 3));
    expect(age()).toBe(3);
  });

  test("where the database gives up the transaction, all of it fails, with the reason", async () => {
    const { database, turns, age, setAge } = open();
    const reason = new Error("disk full");
    const outcomes = await Promise.allSettled([
      turns.change(() => setAge(1)),
      turns.change(() => {
        database.rollback();
        throw reason;
      }),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { cause: reason } });
    }
    expect(age()).toBe(0);
  });

  test("reads and changes resolve in their order; idle waits for all of them", async () => {
    const { turns, age, setAge } = open();
    const order: string[] = [];
    for (const value of [1, 2, 3]) {
      void turns.change(() => setAge(value)).then(() => order.push(`change ${value}`));
      void turns.read(age).then(() => order.push(`read ${value}`));
    }
    await turns.idle();
    await turns.idle();
    expect(order).toEqual(["change 1", "change 2", "change 3", "read 1", "read 2", "read 3"]);
  });
});
