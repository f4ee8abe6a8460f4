/** The store after SIGKILL, between writes and within them. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { Database } from "../../src/database/database.ts";
import { temporaryFolder } from "../harness.ts";

const CHILD = fileURLToPath(new URL("../fixtures/store-process.ts", import.meta.url));

function start(path: string, mode: string) {
  const child = fork(CHILD, [path, mode], { execArgv: ["--conditions=@coppice/source", "--import", "tsx"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** What the database holds; every transaction must have left all of its records or none. */
function inspect(path: string): number {
  const database = new Database(path);
  try {
    const number = (sql: string): number => database.first(sql).integer("n");
    expect(database.first("PRAGMA integrity_check").text("integrity_check")).toBe("ok");
    const last = number("SELECT last_seq AS n FROM groups");
    expect(last % 3).toBe(0);
    expect(number("SELECT count(*) AS n FROM log")).toBe(last);
    expect(number("SELECT coalesce(max(seq), 0) AS n FROM log")).toBe(last);
    expect(number("SELECT count(*) AS n FROM posted")).toBe(last);
    expect(number("SELECT count(*) AS n FROM inbox")).toBe(last / 3);
    expect(number("SELECT count(*) AS n FROM welcomes")).toBe(last / 3);
    return last;
  } finally {
    database.close();
  }
}

describe("the store after SIGKILL", () => {
  test(
    "between writes: what resolved is there, and every transaction whole or not at all",
    { timeout: 60_000 },
    async () => {
      const path = join(await temporaryFolder(), "ds.db");
      let before = 0;
      for (let cycle = 0; cycle < 6; cycle++) {
        const child = start(path, "between");
        let acknowledged = before;
        child.on("message", (seq: number) => (acknowledged = Math.max(acknowledged, seq)));
        await once(child, "message");
        await new Promise((resolve) => setTimeout(resolve, 20 + cycle * 17));
        child.kill("SIGKILL");
        await once(child, "exit");
        const last = inspect(path);
        expect(last).toBeGreaterThanOrEqual(acknowledged);
        expect(last).toBeGreaterThan(before);
        before = last;
      }
    },
  );

  test(
    "within a write: nothing of the common commit is there, and nobody was told of it",
    { timeout: 30_000 },
    async () => {
      const path = join(await temporaryFolder(), "ds.db");
      let before = 0;
      for (let cycle = 0; cycle < 3; cycle++) {
        const child = start(path, "within");
        let acknowledged = before;
        await new Promise<void>((resolve) => {
          child.on("message", (message: number | "hanging") => {
            if (message === "hanging") resolve();
            else acknowledged = message;
          });
        });
        child.kill("SIGKILL");
        await once(child, "exit");
        before = inspect(path);
        expect(before).toBe(acknowledged);
      }
    },
  );
});
