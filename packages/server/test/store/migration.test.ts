/** Upgrades of a database that an earlier version wrote. */
import { join } from "node:path";
import LibSql from "libsql";
import { expect, test } from "vitest";
import { Database } from "../../src/database/database.ts";
import { SCHEMA_2 } from "../../src/database/schema.ts";
import { temporaryFolder } from "../harness.ts";

test("a database of version 2 is brought up to date, what it keeps is counted", async () => {
  const path = join(await temporaryFolder(), "ds.db");
  const old = new LibSql(path);
  old.exec(SCHEMA_2);
  old.exec(`
    PRAGMA user_version = 2;
    INSERT INTO users (name, skeleton, log_length, log_state, groups_created) VALUES ('a', 'a', 1, x'', 2), ('b', 'b', 1, x'', 0);
    INSERT INTO clients (id, user, device, last_inbox_id) VALUES (1, 'a', 'd', 0), (2, 'a', 'e', 0);
    INSERT INTO groups VALUES (1, x'01', 'i', 1, 0, 2, 0, 0, ''), (2, x'02', 'i', 2, 0, 0, 0, 0, '');
    INSERT INTO group_infos VALUES (1, x'010203', 0, 0), (2, x'01', 0, 0);
    INSERT INTO log (group_ref, seq, kind, epoch, received_at, age, content)
      VALUES (1, 1, 'message', 0, 0, 0, zeroblob(100)), (1, 2, 'message', 0, 0, 0, zeroblob(10));
  `);
  old.close();
  const database = new Database(path);
  const integers = (sql: string) => database.all(sql).map((row) => row.integer("bytes"));
  expect(integers("SELECT bytes FROM groups ORDER BY id")).toEqual([110 + 512 + 3, 1]);
  expect(integers("SELECT bytes FROM users ORDER BY id")).toEqual([110 + 512 + 4, 0]);
  expect(database.first("PRAGMA user_version").integer("user_version")).toBe(3);
  database.close();
  new Database(path).close();
});
