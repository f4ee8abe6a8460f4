import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { createIdentity } from "@coppice/delivery/conformance";
import { createServer } from "@coppice/server";
import { Database } from "../src/database/database.ts";
import { connect, newUser, startServer, temporaryFolder } from "./harness.ts";
import { tokenFor } from "./wire-client.ts";

const CHILD = fileURLToPath(new URL("fixtures/server-process.ts", import.meta.url));

/** A server in a process of its own, which can be killed. */
async function startProcess(database: string): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = fork(CHILD, [database], { execArgv: ["--conditions=@coppice/source", "--import", "tsx"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [url] = (await once(child, "message")) as [string];
  return { url, child };
}

const groupId = new Uint8Array(16).fill(5);
const content = (i: number) => new TextEncoder().encode(`message ${String(i)}`);

describe("durability", () => {
  test("everything is there after an orderly restart", async () => {
    const database = join(await temporaryFolder(), "ds.db");
    const [alice, bob] = [await createIdentity(), await createIdentity()];
    const first = await createServer({ port: 0, database });
    const before = await connect(first.url, alice);
    await (
      await connect(first.url, bob)
    ).publishKeyPackages({ keyPackages: [content(1), content(2)], lastResort: content(3) });
    await before.createGroup(groupId);
    const added = [{ user: bob.user, welcome: content(4) }];
    await before.submitCommit({ groupId, epoch: 0n, commit: content(5), added, removed: [] });
    expect(await before.claimKeyPackages([bob.user])).toEqual([{ user: bob.user, keyPackage: content(1) }]);
    await before.close();
    await first.close();

    const { url } = await startServer({ database });
    const after = await connect(url, alice);
    expect(await after.claimKeyPackages([bob.user])).toEqual([{ user: bob.user, keyPackage: content(2) }]);
    expect(await after.claimKeyPackages([bob.user])).toEqual([{ user: bob.user, keyPackage: content(3) }]);
    await expect(
      after.submitCommit({ groupId, epoch: 0n, commit: content(6), added: [], removed: [] }),
    ).rejects.toMatchObject({
      code: "ERR_DS_EPOCH_CONFLICT",
    });
    const service = await connect(url, bob);
    expect(await service.readInbox()).toMatchObject([{ groupId, welcome: content(4), cursor: 1 }]);
    await expect(connect(url, await createIdentity(alice.user))).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
    await after.close();
    await service.close();
  });

  test("adversarial 37: what was acknowledged survives SIGKILL, a resent message keeps its place", async () => {
    const database = join(await temporaryFolder(), "ds.db");
    const identity = await createIdentity();
    const acknowledged: number[] = [];
    let next = 0;
    for (let round = 0; round < 3; round++) {
      const { url, child } = await startProcess(database);
      const service = await connect(url, identity);
      await service.createGroup(groupId);
      const log = await service.readLog({ groupId, after: 0, limit: 1024 });
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
      const stored = new Map(log.map(({ seq, message }) => [Buffer.from(message).toString(), seq]));
      for (const [i, seq] of acknowledged.entries()) expect(stored.get(`message ${String(i)}`)).toBe(seq);
      // The one whose answer was lost is either in the log or not; sending it again settles it.
      const killer = setTimeout(() => child.kill("SIGKILL"), 150 + round * 70);
      try {
        for (; ; next++) {
          const { seq } = await service.sendMessage({ groupId, epoch: 0n, message: content(next) });
          expect(stored.get(`message ${String(next)}`) ?? seq).toBe(seq);
          acknowledged[next] = seq;
        }
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_DS_UNREACHABLE" });
      }
      clearTimeout(killer);
      await service.close();
    }
    expect(acknowledged.length).toBeGreaterThan(20);
    const reopened = new Database(database);
    expect(reopened.first("PRAGMA integrity_check").text("integrity_check")).toBe("ok");
    expect(reopened.first("PRAGMA synchronous").integer("synchronous")).toBe(2);
    expect(reopened.first("PRAGMA journal_mode").text("journal_mode")).toBe("wal");
    reopened.close();
  }, 30_000);

  test("a database that is open elsewhere, or was written by a newer version, is refused and left alone", async () => {
    const path = join(await temporaryFolder(), "ds.db");
    const first = await createServer({ port: 0, database: path });
    await expect(createServer({ port: 0, database: path })).rejects.toMatchObject({ code: "ERR_DS_DATABASE_BUSY" });
    await first.close();

    const database = new Database(path);
    database.execute("PRAGMA user_version = 1000");
    database.close();
    const before = await readFile(path);
    await expect(createServer({ port: 0, database: path })).rejects.toMatchObject({
      code: "ERR_DS_DATABASE_NEWER",
      detail: { found: 1000, supported: 1 },
    });
    expect(await readFile(path)).toEqual(before);
  });

  test("tokens and signatures are not in the database file", async () => {
    const path = join(await temporaryFolder(), "ds.db");
    const server = await createServer({ port: 0, database: path });
    const token = await tokenFor(server.url, await createIdentity());
    await server.close();
    expect((await readFile(path)).includes(token)).toBe(false);
    expect((await readFile(path)).includes(Buffer.from(token, "base64url"))).toBe(false);
  });

  test("close answers what is under way, frees the port and can be repeated", async () => {
    const server = await startServer();
    const { service } = await newUser(server.url);
    const call = service.countKeyPackages();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([server.close(), server.close()]);
    expect(await call).toBe(0);
    await expect(service.countKeyPackages()).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    await startServer({ port: Number(new URL(server.url).port) });
  });
});
