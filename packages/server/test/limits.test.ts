import { connect as connectTcp } from "node:net";
import { createIdentity } from "@coppice/delivery/conformance";
import { MEDIA_TYPE, sendMessages } from "@coppice/delivery/wire";
import { createServer } from "@coppice/server";
import { describe, expect, test } from "vitest";
import { bytes, newUser, startServer, TestGroup } from "./harness.ts";
import { codeOf, post, tokenFor } from "./wire-client.ts";

describe("adversarial 43: limits", () => {
  test("an oversized body is refused with an answer, announced or not", async () => {
    const { url } = await startServer({ limits: { bodyBytes: 10_000 } });
    const token = await tokenFor(url, await createIdentity());
    const headers = { authorization: `Bearer ${token}` };
    expect(await codeOf(await post(url, sendMessages.path, bytes(10_001), headers))).toBe("ERR_DS_TOO_LARGE");
    expect(await codeOf(await post(url, sendMessages.path, bytes(5_000_000), headers))).toBe("ERR_DS_TOO_LARGE");
    const stream = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(bytes(4096));
        if ((sent += 4096) > 100_000) controller.close();
      },
    });
    let sent = 0;
    const init = { method: "POST", body: stream, headers: { "content-type": MEDIA_TYPE, ...headers }, duplex: "half" };
    expect(await codeOf(await fetch(`${url}/${sendMessages.path}`, init))).toBe("ERR_DS_TOO_LARGE");
    expect(await codeOf(await post(url, "v2/sign-in", bytes(4097)))).toBe("ERR_DS_TOO_LARGE");
  });

  test("a message, GroupInfo, Welcome or key package over its limit is refused", async () => {
    const { url } = await startServer({ limits: { messageBytes: 100, namesPerRequest: 2 } });
    const [alice, bob] = [await newUser(url), await newUser(url)];
    const group = await TestGroup.create(alice);
    const tooLarge = { code: "ERR_DS_TOO_LARGE" };
    await group.send(bytes(100));
    await expect(group.send(bytes(101))).rejects.toMatchObject(tooLarge);
    await expect(group.add(bob.client, bytes(101))).rejects.toMatchObject(tooLarge);
    const newGroup = { groupId: bytes(16, 2), groupInfo: bytes(101) };
    await expect(alice.service.createGroup(newGroup)).rejects.toMatchObject(tooLarge);
    await expect(alice.service.publishKeyPackages({ keyPackages: [bytes(101)] })).rejects.toMatchObject(tooLarge);
    await expect(alice.service.publishKeyPackages({ keyPackages: [], lastResort: bytes(101) })).rejects.toMatchObject(
      tooLarge,
    );
    await expect(alice.service.claimKeyPackages(["a", "b", "c"])).rejects.toMatchObject(tooLarge);
  });

  test("pages are bounded in bytes and always hold one entry", async () => {
    const { url } = await startServer({ limits: { pageBytes: 250 } });
    const [alice, bob] = [await newUser(url), await newUser(url)];
    const group = await TestGroup.create(alice);
    for (const [i, length] of [100, 100, 100, 400, 50].entries()) await group.send(bytes(length, i));
    const pages: (readonly number[])[] = [];
    for (let after = 0; after < 5;) {
      const page = await group.seqs(after);
      pages.push(page);
      after = Math.max(after + 1, ...page);
    }
    expect(pages).toEqual([[1, 2], [3], [4], [5]]);
    await group.add(bob.client, bytes(200));
    await (await TestGroup.create(alice, 2)).add(bob.client, bytes(200));
    const [first, ...more] = await bob.service.readInbox();
    expect(more).toEqual([]);
    await bob.service.acknowledgeInbox(first?.id ?? 0);
    expect(await bob.service.readInbox()).toMatchObject([{ groupId: bytes(16, 2) }]);
  });

  test("nobody hoards key packages, groups or another's inbox", async () => {
    const limits = { keyPackagesPerClient: 2, groupsPerUser: 2, inboxEntries: 3, inboxEntriesPerSender: 2 };
    const { url } = await startServer({ limits });
    const [alice, bob, carol, dave] = [await newUser(url), await newUser(url), await newUser(url), await newUser(url)];
    const quota = { code: "ERR_DS_QUOTA" };

    await alice.service.publishKeyPackages({ keyPackages: [bytes(1), bytes(2)], lastResort: bytes(3) });
    await expect(alice.service.publishKeyPackages({ keyPackages: [bytes(4)] })).rejects.toMatchObject(quota);
    expect(await alice.service.countKeyPackages()).toBe(2);

    const groups = [await TestGroup.create(alice, 1), await TestGroup.create(alice, 2)];
    await expect(TestGroup.create(alice, 3)).rejects.toMatchObject(quota);
    await TestGroup.create(alice, 1);

    for (const group of groups) await group.add(bob.client);
    const [first, second] = [await TestGroup.create(carol, 10), await TestGroup.create(carol, 11)];
    const full = { ...quota, detail: { user: bob.name } };
    await expect(groups[0]?.add(bob.client)).rejects.toMatchObject(full);
    await first.add(bob.client);
    await expect(second.add(bob.client)).rejects.toMatchObject(full);
    // The refused Commit left nothing: the same epoch is still open.
    await second.add(dave.client);
    expect(await bob.service.readInbox()).toHaveLength(3);
    await bob.service.acknowledgeInbox(3);
    await second.add(bob.client);
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
        `POST /v2/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: ${MEDIA_TYPE}\r\nContent-Length: 100\r\n\r\nabc`,
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
