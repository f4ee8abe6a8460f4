import { connect as connectTcp } from "node:net";
import { describe, expect, test } from "vitest";
import { MEDIA_TYPE, sendMessage } from "@coppice/delivery/wire";
import { createIdentity } from "@coppice/delivery/conformance";
import { createServer } from "@coppice/server";
import { newUser, startServer } from "./harness.ts";
import { codeOf, post, tokenFor } from "./wire-client.ts";

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);

/** A group of `creator` and a function that adds a user by the next commit. */
async function newGroup({ service }: Awaited<ReturnType<typeof newUser>>, id = 1) {
  const groupId = bytes(16, id);
  await service.createGroup(groupId);
  let epoch = 0n;
  const add = async (user: string, welcome = bytes(5)) => {
    const commit = new TextEncoder().encode(`${String(id)} ${String(epoch)} ${user}`);
    const result = await service.submitCommit({ groupId, epoch, commit, added: [{ user, welcome }], removed: [] });
    epoch += 1n;
    return result;
  };
  return { groupId, add };
}

describe("adversarial 43: limits", () => {
  test("an oversized body is refused with an answer, announced or not", async () => {
    const { url } = await startServer({ limits: { bodyBytes: 10_000 } });
    const token = await tokenFor(url, await createIdentity());
    const headers = { authorization: `Bearer ${token}` };
    expect(await codeOf(await post(url, sendMessage.path, bytes(10_001), headers))).toBe("ERR_DS_TOO_LARGE");
    expect(await codeOf(await post(url, sendMessage.path, bytes(5_000_000), headers))).toBe("ERR_DS_TOO_LARGE");
    const stream = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(bytes(4096));
        if ((sent += 4096) > 100_000) controller.close();
      },
    });
    let sent = 0;
    const init = { method: "POST", body: stream, headers: { "content-type": MEDIA_TYPE, ...headers }, duplex: "half" };
    expect(await codeOf(await fetch(`${url}/${sendMessage.path}`, init))).toBe("ERR_DS_TOO_LARGE");
    expect(await codeOf(await post(url, "v1/sign-in", bytes(4097)))).toBe("ERR_DS_TOO_LARGE");
  });

  test("a message, Welcome or key package over its limit is refused", async () => {
    const { url } = await startServer({ limits: { messageBytes: 100, usersPerRequest: 2 } });
    const [alice, bob] = [await newUser(url), await newUser(url)];
    const { groupId, add } = await newGroup(alice);
    const tooLarge = { code: "ERR_DS_TOO_LARGE" };
    const send = (message: Uint8Array) => alice.service.sendMessage({ groupId, epoch: 0n, message });
    await send(bytes(100));
    await expect(send(bytes(101))).rejects.toMatchObject(tooLarge);
    await expect(add(bob.name, bytes(101))).rejects.toMatchObject(tooLarge);
    await expect(alice.service.publishKeyPackages({ keyPackages: [bytes(101)] })).rejects.toMatchObject(tooLarge);
    await expect(alice.service.publishKeyPackages({ keyPackages: [], lastResort: bytes(101) })).rejects.toMatchObject(
      tooLarge,
    );
    await expect(alice.service.claimKeyPackages(["a", "b", "c"])).rejects.toMatchObject(tooLarge);
  });

  test("pages are bounded in bytes and always hold one entry", async () => {
    const { url } = await startServer({ limits: { pageBytes: 250 } });
    const [alice, bob] = [await newUser(url), await newUser(url)];
    const { groupId, add } = await newGroup(alice);
    for (const [i, length] of [100, 100, 100, 400, 50].entries()) {
      await alice.service.sendMessage({ groupId, epoch: 0n, message: bytes(length, i) });
    }
    const pages: number[][] = [];
    for (let after = 0; after < 5;) {
      const page = (await alice.service.readLog({ groupId, after })).map(({ seq }) => seq);
      pages.push(page);
      after = Math.max(after + 1, ...page);
    }
    expect(pages).toEqual([[1, 2], [3], [4], [5]]);
    await add(bob.name, bytes(200));
    await (await newGroup(alice, 2)).add(bob.name, bytes(200));
    const [first, ...more] = await bob.service.readInbox();
    expect(more).toEqual([]);
    await bob.service.acknowledgeInbox(first?.id ?? 0);
    expect(await bob.service.readInbox()).toMatchObject([{ groupId: bytes(16, 2) }]);
  });

  test("nobody hoards key packages, groups or another's inbox", async () => {
    const limits = { keyPackagesPerUser: 2, groupsPerUser: 2, inboxEntries: 3, inboxEntriesPerSender: 2 };
    const { url } = await startServer({ limits });
    const [alice, bob, carol, dave] = [await newUser(url), await newUser(url), await newUser(url), await newUser(url)];
    const quota = { code: "ERR_DS_QUOTA" };

    await alice.service.publishKeyPackages({ keyPackages: [bytes(1), bytes(2)], lastResort: bytes(3) });
    await expect(alice.service.publishKeyPackages({ keyPackages: [bytes(4)] })).rejects.toMatchObject(quota);
    expect(await alice.service.countKeyPackages()).toBe(2);

    const groups = [await newGroup(alice, 1), await newGroup(alice, 2)];
    await expect(newGroup(alice, 3)).rejects.toMatchObject(quota);
    await alice.service.createGroup(bytes(16, 1));

    for (const { add } of groups) await add(bob.name);
    const [first, second] = [await newGroup(carol, 10), await newGroup(carol, 11)];
    await expect(groups[0]?.add(bob.name)).rejects.toMatchObject({ ...quota, detail: { user: bob.name } });
    await first.add(bob.name);
    await expect(second.add(bob.name)).rejects.toMatchObject({ ...quota, detail: { user: bob.name } });
    // The refused commit left nothing: the same epoch is still open.
    await second.add(dave.name);
    expect(await bob.service.readInbox()).toHaveLength(3);
    await bob.service.acknowledgeInbox(3);
    await second.add(bob.name);
  });

  test("R-16.8-1, issue 15 (9): claims by pair and by claimer are rate limited, failing ones too; requests by weight", async () => {
    const { url } = await startServer({ limits: { claimsPerPair: { burst: 2, perSecond: 0.01 } } });
    const [owner, thief, friend] = [await newUser(url), await newUser(url), await newUser(url)];
    await owner.service.publishKeyPackages({ keyPackages: [], lastResort: bytes(1) });
    await thief.service.claimKeyPackages([owner.name]);
    await thief.service.claimKeyPackages([owner.name]);
    const refusal = { code: "ERR_DS_RATE_LIMITED", detail: { user: owner.name, retryAfter: 100 } };
    await expect(thief.service.claimKeyPackages([owner.name])).rejects.toMatchObject(refusal);
    await friend.service.claimKeyPackages([owner.name]);

    const strict = await startServer({ limits: { claimsPerUser: { burst: 3, perSecond: 0.01 } } });
    const [claimer, other] = [await newUser(strict.url), await newUser(strict.url)];
    const unknown = { code: "ERR_DS_UNKNOWN_USER" };
    await expect(claimer.service.claimKeyPackages(["a", "b"])).rejects.toMatchObject(unknown);
    await expect(claimer.service.claimKeyPackages(["c"])).rejects.toMatchObject(unknown);
    await expect(claimer.service.claimKeyPackages(["d"])).rejects.toMatchObject({ code: "ERR_DS_RATE_LIMITED" });
    await expect(other.service.claimKeyPackages(["d"])).rejects.toMatchObject(unknown);

    const slow = await startServer({ limits: { requestsPerUser: { burst: 10, perSecond: 0.001 } } });
    const [light, heavy] = [await newUser(slow.url), await newUser(slow.url)];
    for (let i = 0; i < 10; i++) await light.service.countKeyPackages();
    await expect(light.service.countKeyPackages()).rejects.toMatchObject({ code: "ERR_DS_RATE_LIMITED" });
    await heavy.service.publishKeyPackages({ keyPackages: [bytes(9 * 65_536)] });
    await expect(heavy.service.countKeyPackages()).rejects.toMatchObject({ code: "ERR_DS_RATE_LIMITED" });
  });

  test("a request that never ends is ended", async () => {
    const { url } = await startServer({ limits: { requestTimeout: 200 } });
    const started = performance.now();
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString()));
      socket.on("close", () => resolve(text)).on("error", reject);
      socket.write(
        `POST /v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: ${MEDIA_TYPE}\r\nContent-Length: 100\r\n\r\nabc`,
      );
    });
    expect(answer).toMatch(/^HTTP\/1.1 408/);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test("limits out of range are the caller's mistake", async () => {
    const start = (limits: Parameters<typeof createServer>[0]["limits"]) =>
      createServer({ port: 0, database: ":memory:", ...(limits === undefined ? {} : { limits }) });
    await expect(start({ bodyBytes: 0 })).rejects.toThrow(RangeError);
    await expect(start({ bodyBytes: 2 ** 30 })).rejects.toThrow(RangeError);
    await expect(start({ requestsPerUser: { burst: 1, perSecond: NaN } })).rejects.toThrow(RangeError);
  });
});
