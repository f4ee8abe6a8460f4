import { onTestFinished, expect, test } from "vitest";
import { Database } from "../../src/database/database.ts";
import { deleteDue } from "../../src/store/deletion.ts";

const KIB = 1024;

/** A database with one group and entries of these sizes, of ages 1, 2, 3… */
function openLog(...sizes: readonly number[]) {
  const database = new Database(":memory:");
  onTestFinished(() => database.close());
  database.run("INSERT INTO clients (id, user, device, last_inbox_id) VALUES (1, 'a', 'd', 0)");
  database.run("INSERT INTO groups VALUES (1, x'01', 'i', 1, 0, 0, 0, 0, '', 0)");
  const sql =
    "INSERT INTO log (group_ref, seq, kind, epoch, received_at, age, content) VALUES (1, ?1, 'message', 0, 0, ?1, ?2)";
  for (const [index, size] of sizes.entries()) database.run(sql, index + 1, new Uint8Array(size));
  const left = () => database.all("SELECT seq FROM log ORDER BY seq").map((row) => row.integer("seq"));
  const sweep = (limit: number, messages = 1000) =>
    deleteDue(database, { messages, hashes: -1, keyPackages: -1 }, limit);
  return { left, sweep };
}

test("issue 15 (6): a slice of large records is as short as one of many small ones", () => {
  const { left, sweep } = openLog(10, 500 * KIB, 500 * KIB, 4000 * KIB, 10);
  expect([sweep(40), left()]).toEqual([40, [4, 5]]);
  expect([sweep(40), left()]).toEqual([40, [5]]);
  expect([sweep(40), left()]).toEqual([1, []]);
  expect(sweep(40)).toBe(0);
});

test("a record that is over the slice on its own is deleted all the same", () => {
  const { left, sweep } = openLog(4000 * KIB, 10);
  expect([sweep(5), left()]).toEqual([5, [2]]);
});

test("what is not due yet stays, also behind what is", () => {
  const { left, sweep } = openLog(10, 10, 10);
  expect([sweep(40, 2), left()]).toEqual([2, [3]]);
});
