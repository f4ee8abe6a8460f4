/** Messages and reading the log. */
import {
  assertEqual,
  assertRejects,
  at,
  createTestGroup,
  randomBytes,
  withUsers,
  type ConformanceCase,
} from "./harness.ts";

export const messageCases: readonly ConformanceCase[] = [
  {
    title: "entries come back exactly as sent, numbered from 1 without gaps",
    run: withUsers(2, async (users) => {
      const groupId = await createTestGroup(at(users, 0), users.slice(1));
      const before = Date.now() - 60_000;
      const messages = [0, 1, 63, 64, 16_383, 16_384, 60_000].map((length) => randomBytes(length + 1));
      for (const [i, message] of messages.entries()) {
        const { seq } = await at(users, i % 2).service.sendMessage({ groupId, epoch: BigInt(i % 2), message });
        assertEqual(seq, i + 2, "seq");
      }
      const log = await at(users, 1).service.readLog({ groupId, after: 1 });
      const expected = messages.map((message, i) => ({ seq: i + 2, kind: "message", epoch: BigInt(i % 2), message }));
      assertEqual(
        log.map(({ receivedAt, ...entry }) => (receivedAt > before ? entry : receivedAt)),
        expected,
        "log",
      );
    }),
  },
  {
    title: "adversarial 39: sending the same bytes again gives the same seq, at once or later",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const groupId = await createTestGroup(at(users, 0));
      const message = { groupId, epoch: 0n, message: randomBytes(10) };
      const answers = await Promise.all(Array.from({ length: 5 }, () => service.sendMessage(message)));
      await service.sendMessage({ ...message, message: randomBytes(10) });
      answers.push(await service.sendMessage(message));
      assertEqual(
        answers,
        answers.map(() => ({ seq: 1 })),
        "answers",
      );
      assertEqual((await service.readLog({ groupId, after: 0 })).length, 2, "entries");
      const elsewhere = await createTestGroup(at(users, 0));
      assertEqual(await service.sendMessage({ ...message, groupId: elsewhere }), { seq: 1 }, "in another group");
    }),
  },
  {
    title: "members may repeat what was sent before their admission, strangers learn nothing by it",
    run: withUsers(3, async (users) => {
      const [creator, member, stranger] = [at(users, 0), at(users, 1), at(users, 2)];
      const groupId = await createTestGroup(creator);
      const message = { groupId, epoch: 0n, message: randomBytes(9) };
      await creator.service.sendMessage(message);
      const added = [{ user: member.name, welcome: randomBytes(9) }];
      await creator.service.submitCommit({ groupId, epoch: 0n, commit: randomBytes(9), added, removed: [] });
      assertEqual(await member.service.sendMessage(message), { seq: 1 }, "answer to the member");
      await assertRejects(stranger.service.sendMessage(message), "ERR_DS_FORBIDDEN");
    }),
  },
  {
    title: "messages of past epochs are taken, of future ones refused",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const groupId = await createTestGroup(at(users, 0));
      await service.submitCommit({ groupId, epoch: 0n, commit: randomBytes(9), added: [], removed: [] });
      const send = (epoch: bigint): Promise<unknown> =>
        service.sendMessage({ groupId, epoch, message: randomBytes(9) });
      assertEqual([await send(0n), await send(1n)], [{ seq: 2 }, { seq: 3 }], "answers");
      await assertRejects(send(2n), "ERR_DS_BAD_REQUEST");
    }),
  },
  {
    title: "the log is read in pages",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const groupId = await createTestGroup(at(users, 0));
      for (let i = 0; i < 7; i++) await service.sendMessage({ groupId, epoch: 0n, message: randomBytes(20) });
      const pages: number[][] = [];
      for (let after = 0; ;) {
        const page = (await service.readLog({ groupId, after, limit: 3 })).map(({ seq }) => seq);
        pages.push(page);
        if (page.length === 0) break;
        after = at(page, page.length - 1);
      }
      assertEqual(pages, [[1, 2, 3], [4, 5, 6], [7], []], "pages");
      assertEqual(await service.readLog({ groupId, after: Number.MAX_SAFE_INTEGER }), [], "far after the end");
    }),
  },
  {
    title: "impossible arguments are the caller's mistake",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const groupId = await createTestGroup(at(users, 0));
      const calls = [
        () => service.readLog({ groupId, after: -1 }),
        () => service.readLog({ groupId, after: 0.5 }),
        () => service.readLog({ groupId, after: 0, limit: 0 }),
        () => service.readLog({ groupId, after: 0, limit: 1025 }),
        () => service.createGroup(new Uint8Array(0)),
        () => service.sendMessage({ groupId, epoch: -1n, message: randomBytes(1) }),
        () => service.sendMessage({ groupId, epoch: 1n << 64n, message: randomBytes(1) }),
        () => service.sendMessage({ groupId, epoch: 0n, message: new Uint8Array(0) }),
      ];
      for (const [i, call] of calls.entries()) {
        const outcome: unknown = await call().catch((error: unknown) => error);
        if (!(outcome instanceof RangeError)) throw new Error(`call ${String(i)} ended with ${String(outcome)}`);
      }
      await assertRejects(service.createGroup(randomBytes(256)), "ERR_DS_TOO_LARGE");
    }),
  },
  {
    title: "later changes to arrays that were passed or returned change nothing",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const groupId = await createTestGroup(at(users, 0));
      const message = randomBytes(20);
      const original = message.slice();
      const sent = service.sendMessage({ groupId, epoch: 0n, message });
      message.fill(0);
      await sent;
      const [entry] = await service.readLog({ groupId, after: 0 });
      entry?.message.fill(0);
      assertEqual(at(await service.readLog({ groupId, after: 0 }), 0).message, original, "message");
    }),
  },
];
