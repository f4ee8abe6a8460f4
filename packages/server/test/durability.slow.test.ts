import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import LibSql from "libsql";
import { describe, expect, onTestFinished, test } from "vitest";
import { createIdentity } from "@coppice/delivery/conformance";
import { createServer } from "@coppice/server";
import { Database } from "../src/database/database.ts";
import { bytes, connect, newUser, startServer, temporaryFolder, TestGroup } from "./harness.ts";
import { tokenFor } from "./wire-client.ts";

const CHILD = fileURLToPath(new URL("fixtures/server-process.ts", import.meta.url));

/** A server in a process of its own, which can be killed. */
async function startProcess(database: string): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = fork(CHILD, [database], { execArgv: ["--conditions=@coppice/source", "--import", "tsx"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [url] = (await once(child, "message")) as [string];
  return { url, child };
}

const content = (i: number) => new TextEncoder().encode(`message ${String(i)}`);

describe("durability", () => {
  test("everything is there after an orderly restart", async () => {
    const database = join(await temporaryFolder(), "ds.db");
    const first = await createServer({ port: 0, database });
    const [alice, bob] = [await newUser(first.url), await newUser(first.url)];
    await bob.service.publishKeyPackages({ keyPackages: [content(1), content(2)], lastResort: content(3) });
    const group = await TestGroup.create(alice);
    await group.add(bob.client, content(4));
    const claimed = (i: number) => [{ client: bob.client, keyPackage: content(i) }];
    expect(await alice.service.claimKeyPackages([bob.name])).toEqual(claimed(1));
    await alice.service.close();
    await bob.service.close();
    await first.close();

    const { url } = await startServer({ database });
    const after = await connect(url, alice.identity);
    expect(await after.claimKeyPackages([bob.name])).toEqual(claimed(2));
    expect(await after.claimKeyPackages([bob.name])).toEqual(claimed(3));
    const late = { groupId: group.groupId, position: group.after(0), epoch: 0n, added: [], removed: [] };
    const outcome = await after.submitCommit({ ...late, commit: content(6), groupInfo: content(7) });
    expect(outcome).toMatchObject({ accepted: false, epoch: 1n, lastSeq: 1, winner: { seq: 1 } });
    const service = await connect(url, bob.identity);
    expect(await service.readInbox()).toMatchObject([{ welcome: content(4), position: group.after(1) }]);
    const thief = await createIdentity({ user: alice.name });
    await expect(connect(url, thief)).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
    await after.close();
    await service.close();
  });

  test("adversarial 37: what was acknowledged survives SIGKILL, a resent message keeps its place", async () => {
    const database = join(await temporaryFolder(), "ds.db");
    const identity = await createIdentity();
    const groupId = bytes(16);
    const acknowledged: number[] = [];
    let next = 0;
    for (let round = 0; round < 3; round++) {
      const { url, child } = await startProcess(database);
      const service = await connect(url, identity);
      const { incarnation } = await service.createGroup({ groupId, groupInfo: bytes(1) });
      const position = { incarnation, seq: 0 };
      const { entries } = await service.readLog({ groupId, after: position, limit: 1024 });
      expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, i) => i + 1));
      const stored = new Map(entries.map(({ seq, message }) => [Buffer.from(message).toString(), seq]));
      for (const [i, seq] of acknowledged.entries()) expect(stored.get(`message ${String(i)}`)).toBe(seq);
      // The one whose answer was lost is either in the log or not; sending it again settles it.
      const killer = setTimeout(() => child.kill("SIGKILL"), 150 + round * 70);
      try {
        for (; ; next++) {
          const messages = [{ epoch: 0n, message: content(next) }];
          const [seq = 0] = (await service.sendMessages({ groupId, position, messages })).seqs;
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

  test("a database that is open elsewhere, or was written by another version, is refused and left alone", async () => {
    const path = join(await temporaryFolder(), "ds.db");
    const first = await createServer({ port: 0, database: path });
    await expect(createServer({ port: 0, database: path })).rejects.toMatchObject({ code: "ERR_DS_DATABASE_BUSY" });
    await first.close();

    for (const [version, code] of [
      [1000, "ERR_DS_DATABASE_NEWER"],
      [1, "ERR_DS_DATABASE_OLD"],
    ] as const) {
      const database = new Database(path);
      database.execute(`PRAGMA user_version = ${version}`);
      database.close();
      const before = await readFile(path);
      const refusal = { code, detail: { found: version, supported: 3 } };
      await expect(createServer({ port: 0, database: path })).rejects.toMatchObject(refusal);
      expect(await readFile(path)).toEqual(before);
      const raw = new LibSql(path);
      raw.pragma("user_version = 3");
      raw.close();
    }
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
    // The server asks for the body once it has the head: from then on the request is under way.
    const headers = { "content-length": 2, expect: "100-continue" };
    const call = request(new URL("v2/challenge", server.url), { method: "POST", headers });
    const answer = once(call, "response") as Promise<[IncomingMessage]>;
    call.flushHeaders();
    await once(call, "continue");
    const closed = Promise.all([server.close(), server.close()]);
    call.end("{}");
    const [{ statusCode }] = await answer;
    expect(statusCode).toBeGreaterThanOrEqual(400);
    await closed;
    await expect(service.countKeyPackages()).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    await startServer({ port: Number(new URL(server.url).port) });
  });
});
