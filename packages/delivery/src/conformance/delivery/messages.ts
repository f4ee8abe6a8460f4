/** Messages: batches, repeated bytes, epochs. */
import { randomBytes } from "@coppice/kit";
import { EPOCH_WINDOW, MAX_MESSAGES_PER_CALL } from "../../contract.ts";
import { assertEqual, assertRejects, at } from "../assert.ts";
import { accept, createTestGroup, plainCommit, send, seqsAfter, withUsers, type ConformanceCase } from "./harness.ts";

export const messageCases: readonly ConformanceCase[] = [
  {
    title: "entries come back exactly as sent, numbered from 1 without gaps",
    run: withUsers(2, async (users) => {
      const group = await createTestGroup(at(users, 0), users.slice(1));
      const messages = [0, 1, 63, 64, 16_383, 16_384, 60_000].map((length) => randomBytes(length + 1));
      for (const [i, message] of messages.entries()) {
        const seqs = await send(at(users, i % 2), group, BigInt(i % 2), { seq: 1, messages: [message] });
        assertEqual(seqs, [i + 2], "seqs");
      }
      const page = await at(users, 1).service.readLog({ groupId: group.groupId, after: group.after(1) });
      assertEqual([page.incarnation, page.lastSeq], [group.incarnation, 8], "log");
      const times = page.entries.map(({ receivedAt }) => receivedAt);
      assertEqual(
        times,
        [...times].sort((a, b) => a - b),
        "times in the order of the entries",
      );
      const expected = messages.map((message, i) => ({ seq: i + 2, kind: "message", epoch: BigInt(i % 2), message }));
      assertEqual(
        page.entries.map(({ receivedAt: _, ...entry }) => entry),
        expected,
        "entries",
      );
    }),
  },
  {
    title: "a batch gets consecutive numbers, also while others send",
    run: withUsers(2, async (users) => {
      const group = await createTestGroup(at(users, 0), users.slice(1));
      const batches = Array.from({ length: 6 }, (_, i) => Array.from({ length: i + 1 }, () => randomBytes(12)));
      const answers = await Promise.all(
        batches.map((messages, i) => send(at(users, i % 2), group, 1n, { seq: 1, messages })),
      );
      for (const seqs of answers) {
        assertEqual(
          seqs,
          seqs.map((_, i) => (seqs[0] ?? 0) + i),
          "numbers of one batch",
        );
      }
      const { entries } = await at(users, 0).service.readLog({ groupId: group.groupId, after: group.after(1) });
      for (const [i, seqs] of answers.entries()) {
        assertEqual(
          seqs.map((seq) => entries.find((entry) => entry.seq === seq)?.message),
          batches[i],
          "messages of one batch",
        );
      }
      assertEqual(entries.length, 21, "entries");
      const most = Array.from({ length: MAX_MESSAGES_PER_CALL }, () => randomBytes(9));
      assertEqual((await send(at(users, 0), group, 1n, { seq: 1, messages: most })).length, most.length, "the most");
    }),
  },
  {
    title: "adversarial 39: sending the same bytes again gives the same seq, at once or later, in any batch",
    run: withUsers(1, async (users) => {
      const alice = at(users, 0);
      const group = await createTestGroup(alice);
      const [first, second] = [randomBytes(10), randomBytes(10)];
      const answers = await Promise.all([1, 2, 3, 4].map(() => send(alice, group, 0n, { messages: [first] })));
      for (const seqs of answers) assertEqual(seqs, [1], "answer");
      const third = randomBytes(10);
      const mixed = { messages: [second, first, third, second] };
      assertEqual(await send(alice, group, 0n, mixed), [2, 1, 3, 2], "mixed batch");
      assertEqual(await send(alice, group, 0n, mixed), [2, 1, 3, 2], "mixed batch again");
      assertEqual(await seqsAfter(alice, group, 0), [1, 2, 3], "entries");
      const elsewhere = await createTestGroup(alice);
      assertEqual(await send(alice, elsewhere, 0n, { messages: [first] }), [1], "in another group");
    }),
  },
  {
    title: "members may repeat what was sent before their admission, strangers learn nothing by it",
    run: withUsers(3, async (users) => {
      const [creator, member, stranger] = [at(users, 0), at(users, 1), at(users, 2)];
      const group = await createTestGroup(creator);
      const messages = [randomBytes(9)];
      await send(creator, group, 0n, { messages });
      const added = [{ client: member.client, welcome: randomBytes(9) }];
      await accept(creator.service.submitCommit(plainCommit(group, { epoch: 0n, seq: 1, added })));
      assertEqual(await send(member, group, 0n, { seq: 2, messages }), [1], "answer to the member");
      await assertRejects(send(stranger, group, 0n, { messages }), "ERR_DS_FORBIDDEN");
    }),
  },
  {
    title: "issue 11 (1): messages of the last epochs are taken, older ones are refused with the current epoch",
    run: withUsers(1, async (users) => {
      const alice = at(users, 0);
      const group = await createTestGroup(alice);
      const messages = [randomBytes(9)];
      await send(alice, group, 0n, { messages });
      for (let epoch = 0n; epoch < EPOCH_WINDOW.epochs; epoch++) {
        await accept(alice.service.submitCommit(plainCommit(group, { epoch, seq: 1 })));
      }
      const current = BigInt(EPOCH_WINDOW.epochs);
      assertEqual(await send(alice, group, 0n), [EPOCH_WINDOW.epochs + 2], "the oldest that is taken");
      assertEqual(await send(alice, group, current), [EPOCH_WINDOW.epochs + 3], "the current one");
      await accept(alice.service.submitCommit(plainCommit(group, { epoch: current, seq: 1 })));
      const before = await seqsAfter(alice, group, 0);
      const error = await assertRejects(send(alice, group, 0n), "ERR_DS_EPOCH_TOO_OLD");
      assertEqual(error.detail["epoch"], current + 1n, "detail.epoch");
      const batch = [current + 1n, 0n].map((epoch) => ({ epoch, message: randomBytes(9) }));
      await assertRejects(
        alice.service.sendMessages({ groupId: group.groupId, position: group.after(0), messages: batch }),
        "ERR_DS_EPOCH_TOO_OLD",
      );
      assertEqual(await seqsAfter(alice, group, 0), before, "entries after the refusals");
      assertEqual(await send(alice, group, 0n, { messages }), [1], "bytes that were taken before");
    }),
  },
  {
    title: "messages from a position, or of an epoch, that the log never had are not taken",
    run: withUsers(1, async (users) => {
      const alice = at(users, 0);
      const group = await createTestGroup(alice);
      const other = await createTestGroup(alice);
      const messages = [randomBytes(9)];
      await send(alice, group, 0n, { messages });
      await assertRejects(send(alice, { ...group, after: other.after }, 0n), "ERR_DS_LOG_CHANGED");
      await assertRejects(send(alice, { ...group, after: other.after }, 0n, { messages }), "ERR_DS_LOG_CHANGED");
      await assertRejects(send(alice, group, 0n, { seq: 2 }), "ERR_DS_LOG_CHANGED");
      await assertRejects(send(alice, group, 1n), "ERR_DS_LOG_CHANGED");
      assertEqual(await seqsAfter(alice, group, 0), [1], "log");
    }),
  },
];
