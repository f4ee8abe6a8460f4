/** Backups, as operators make them: by the command, beside a running server. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createServer } from "@coppice/server";
import { backUp, findDamage, restore } from "../src/database/backup.ts";
import { Database } from "../src/database/database.ts";
import { repair } from "../src/database/repair.ts";
import { bytes, connect, newUser, startServer, temporaryFolder, TestGroup } from "./harness.ts";

const BIN = fileURLToPath(new URL("../src/bin.ts", import.meta.url));

/** Runs the command to its end. */
async function command(...args: readonly string[]) {
  const child = spawn(process.execPath, ["--conditions=@coppice/source", "--import", "tsx", BIN, ...args]);
  const [output, errors, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { output, errors, status: exit[0] as unknown };
}

const NOW = new Date("2026-01-02T03:04:05Z");

describe("issue 15 (5, 13): backup and restore", () => {
  test(
    "by command, beside a server at work; whoever saw more than the backup is told so",
    { timeout: 60_000 },
    async () => {
      const folder = await temporaryFolder();
      const [data, copy] = [join(folder, "ds.db"), join(folder, "backup.db")];
      const server = await createServer({ port: 0, database: data, adminSocket: `${data}-admin` });
      const port = Number(new URL(server.url).port);
      const alice = await newUser(server.url, "alice");
      const group = await TestGroup.create(alice);
      for (let i = 0; i < 20; i++) await group.send(bytes(1000, i));
      const work = { isOver: false };
      let sent = 20;
      const working = (async () => {
        for (; !work.isOver; sent++) await group.send(new TextEncoder().encode(`message ${String(sent)}`));
      })();
      const commands = await Promise.all([
        command("backup", "--data", data, "--to", copy),
        command("--check", "--data", data),
        command("admin", "status", "--data", data),
      ]);
      for (const { errors, status } of commands) expect([errors, status]).toEqual(["", 0]);
      work.isOver = true;
      await working;
      expect(() => backUp(data, copy)).toThrow(/backup\.db exists/);
      expect(() => restore(copy, data, NOW)).toThrow(
        expect.objectContaining({ code: "ERR_DS_DATABASE_BUSY" }) as Error,
      );
      await server.close();

      expect(restore(copy, data, NOW)).toBe(`${data}.before-2026-01-02T03-04-05-000Z`);
      expect((await readdir(folder)).filter((name) => name.includes(".part"))).toEqual([]);
      await startServer({ port, database: data });
      const back = await connect(server.url, alice.identity);
      await expect(group.send(bytes(1), back)).rejects.toMatchObject({ code: "ERR_DS_LOG_CHANGED" });
      const [found] = await back.readGroups({ after: undefined });
      expect(found?.position.incarnation).not.toBe(group.incarnation);
      expect(found?.position.seq).toBeGreaterThanOrEqual(20);
      expect(found?.position.seq).toBeLessThan(sent);
      await back.close();
    },
  );

  test("a copy of a backup that is put in place by hand has new logs too, at its first start alone", async () => {
    const folder = await temporaryFolder();
    const [data, copy] = [join(folder, "ds.db"), join(folder, "backup.db")];
    const server = await createServer({ port: 0, database: data });
    const alice = await newUser(server.url, "alice");
    const group = await TestGroup.create(alice);
    backUp(data, copy);
    // It holds who talks to whom.
    expect((await stat(copy)).mode & 0o777).toBe(0o600);
    await server.close();
    await copyFile(copy, data);
    const incarnations: string[] = [group.incarnation];
    // On a new machine there is no folder yet.
    const elsewhere = join(folder, "new", "ds.db");
    expect(restore(copy, elsewhere, NOW)).toBeUndefined();
    expect(findDamage(elsewhere)).toEqual([]);
    for (let i = 0; i < 2; i++) {
      const { url, close } = await createServer({ port: 0, database: data });
      const service = await connect(url, alice.identity);
      const [found] = await service.readGroups({ after: undefined });
      incarnations.push(found?.position.incarnation ?? "");
      await service.close();
      await close();
    }
    expect(incarnations[1]).not.toBe(incarnations[0]);
    expect(incarnations[2]).toBe(incarnations[1]);
  });

  test("what is damaged or no backup is refused, and the database stays", { timeout: 30_000 }, async () => {
    const folder = await temporaryFolder();
    const [data, copy] = [join(folder, "ds.db"), join(folder, "backup.db")];
    const server = await createServer({ port: 0, database: data });
    const group = await TestGroup.create(await newUser(server.url));
    for (let i = 0; i < 20; i++) await group.send(bytes(10_000, i));
    backUp(data, copy);
    await server.close();
    const before = await readFile(data);
    const good = await readFile(copy);
    const damaged = new Uint8Array(good).fill(0x55, Math.floor(good.length / 2), good.length - 4096);
    for (const content of [damaged, good.subarray(0, 5000), bytes(0), bytes(8192)]) {
      await writeFile(copy, content);
      expect(() => restore(copy, data, NOW)).toThrow(expect.objectContaining({ code: "ERR_DS_BACKUP" }) as Error);
    }
    expect(() => restore(join(folder, "none"), data, NOW)).toThrow(/no backup/);
    expect(() => backUp(join(folder, "none"), join(folder, "x"))).toThrow(/no database/);
    expect(await readFile(data)).toEqual(before);
    await writeFile(copy, good);
    expect(restore(copy, data, NOW)).toBe(`${data}.before-2026-01-02T03-04-05-000Z`);
  });

  test("repair makes counts and indexes anew", async () => {
    const data = join(await temporaryFolder(), "ds.db");
    const server = await createServer({ port: 0, database: data });
    const group = await TestGroup.create(await newUser(server.url, "alice"));
    await group.send(bytes(10));
    await server.close();
    const database = new Database(data);
    const count = () => database.first("SELECT bytes FROM users").integer("bytes");
    const right = count();
    database.run("UPDATE groups SET bytes = 99999");
    database.run("INSERT INTO welcomes (content) VALUES (x'00')");
    database.close();
    expect(repair(data)).toEqual([]);
    expect(findDamage(data)).toEqual([]);
    const after = new Database(data);
    expect(after.first("SELECT bytes FROM users").integer("bytes")).toBe(right);
    expect(after.all("SELECT id FROM welcomes")).toEqual([]);
    after.close();
  });
});
