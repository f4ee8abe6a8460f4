/** Who may read and write: admissions, removals, strangers. */
import { randomBytes } from "@coppice/kit";
import type { CommitSubmission } from "../../contract.ts";
import { assertEqual, assertRejects, at } from "../assert.ts";
import { newDevice, uniqueName } from "../identity.ts";
import {
  accept,
  addDevice,
  createTestGroup,
  plainCommit,
  send,
  seqsAfter,
  withUsers,
  type ConformanceCase,
} from "./harness.ts";

export const readerCases: readonly ConformanceCase[] = [
  {
    title: "added clients read what comes after the commit and find the Welcome with its position",
    run: withUsers(3, async (users) => {
      const [creator, first, second] = [at(users, 0), at(users, 1), at(users, 2)];
      const group = await createTestGroup(creator);
      const { groupId } = group;
      await send(creator, group, 0n);
      await assertRejects(seqsAfter(first, group, 0), "ERR_DS_FORBIDDEN");
      assertEqual(await first.service.readInbox(), [], "inbox before");
      const [shared, own] = [randomBytes(200), randomBytes(201)];
      const added = [
        { client: first.client, welcome: shared },
        { client: second.client, welcome: own },
      ];
      const seq = await accept(creator.service.submitCommit(plainCommit(group, { epoch: 0n, seq: 1, added })));
      assertEqual(seq, 2, "seq");
      const inbox = await first.service.readInbox();
      const { id } = at(inbox, 0);
      assertEqual(inbox, [{ id, groupId, welcome: shared, position: group.after(2) }], "inbox of the first");
      assertEqual(at(await second.service.readInbox(), 0).welcome, own, "Welcome of the second");
      assertEqual(await seqsAfter(first, group, 0), [], "entries from before the admission");
      await send(creator, group, 1n, { seq: 2 });
      for (const after of [0, 2]) assertEqual(await seqsAfter(first, group, after), [3], "entries after the admission");
    }),
  },
  {
    title: "devices of one user are readers of their own",
    run: withUsers(2, async (users, connect) => {
      const [creator, member] = [at(users, 0), at(users, 1)];
      const laptop = await addDevice(connect, member);
      const group = await createTestGroup(creator, [member]);
      await assertRejects(seqsAfter(laptop, group, 0), "ERR_DS_FORBIDDEN");
      await assertRejects(send(laptop, group, 1n), "ERR_DS_FORBIDDEN");
      assertEqual(await laptop.service.readInbox(), [], "inbox of the other device");
      const added = [{ client: laptop.client, welcome: randomBytes(9) }];
      await accept(
        creator.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1, added, removed: [member.client] })),
      );
      await send(laptop, group, 2n, { seq: 2 });
      await assertRejects(send(member, group, 2n, { seq: 2 }), "ERR_DS_FORBIDDEN");
      assertEqual(await seqsAfter(laptop, group, 0), [3], "what the new device reads");
      assertEqual(await seqsAfter(member, group, 1), [2], "what the removed device reads");
    }),
  },
  {
    title: "removed clients read up to the commit that removed them, and write nothing more",
    run: withUsers(2, async (users) => {
      const [creator, removed] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(creator, [removed]);
      const messages = [randomBytes(10)];
      const seqs = await send(removed, group, 1n, { seq: 1, messages });
      const others = [{ user: uniqueName("nobody"), device: newDevice() }];
      await accept(
        creator.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 2, removed: [removed.client, ...others] })),
      );
      const secret = [randomBytes(10)];
      await send(creator, group, 2n, { seq: 3, messages: secret });
      const page = await removed.service.readLog({ groupId: group.groupId, after: group.after(1) });
      assertEqual(
        page.entries.map((entry) => [entry.seq, entry.kind]),
        [
          [2, "message"],
          [3, "commit"],
        ],
        "readable entries",
      );
      assertEqual(page.lastSeq, 3, "the newest entry that it may read");
      assertEqual(await seqsAfter(removed, group, 3), [], "entries after the removal");
      assertEqual(await send(removed, group, 1n, { seq: 1, messages }), seqs, "a repeated message");
      await assertRejects(send(removed, group, 2n, { seq: 3, messages: secret }), "ERR_DS_FORBIDDEN");
      await assertRejects(send(removed, group, 1n, { seq: 3 }), "ERR_DS_FORBIDDEN");
      await assertRejects(
        send(removed, group, 1n, { seq: 3, messages: [...messages, randomBytes(9)] }),
        "ERR_DS_FORBIDDEN",
      );
      await assertRejects(removed.service.submitCommit(plainCommit(group, { epoch: 2n, seq: 3 })), "ERR_DS_FORBIDDEN");
      await assertRejects(removed.service.readGroupInfo(group.groupId), "ERR_DS_FORBIDDEN");
      assertEqual(await removed.service.readGroups({ after: undefined }), [], "groups of the removed");
    }),
  },
  {
    title: "a Commit is recognised by its sender also after the sender was removed",
    run: withUsers(2, async (users) => {
      const [creator, member] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(creator, [member]);
      const commit = plainCommit(group, { epoch: 1n, seq: 1 });
      await accept(member.service.submitCommit(commit));
      await accept(creator.service.submitCommit(plainCommit(group, { epoch: 2n, seq: 2, removed: [member.client] })));
      assertEqual(await member.service.submitCommit(commit), { accepted: true, seq: 2 }, "answer");
    }),
  },
  {
    title: "clients who come back do not see what was said while they were away",
    run: withUsers(2, async (users) => {
      const [creator, member] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(creator, [member]);
      const change = async (epoch: bigint, part: Partial<CommitSubmission>): Promise<void> => {
        await accept(creator.service.submitCommit(plainCommit(group, { epoch, seq: 1, ...part })));
      };
      await change(1n, { removed: [member.client] });
      await send(creator, group, 2n);
      await change(2n, { added: [{ client: member.client, welcome: randomBytes(9) }] });
      await send(creator, group, 3n);
      const pages = await Promise.all([0, 1, 2, 3, 4].map((after) => seqsAfter(member, group, after)));
      assertEqual(pages, [[2], [2], [5], [5], [5]], "pages");
      const page = await member.service.readLog({ groupId: group.groupId, after: group.after(0) });
      assertEqual(page.lastSeq, 5, "newest entry, by which the reader sees that the page is not the last");
    }),
  },
  {
    title: "removal and new admission of one client in one commit leave no gap",
    run: withUsers(2, async (users) => {
      const [creator, member] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(creator, [member]);
      const added = [{ client: member.client, welcome: randomBytes(9) }];
      const removed = [member.client];
      await accept(creator.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1, added, removed })));
      await send(member, group, 2n);
      const inbox = await member.service.readInbox();
      assertEqual(
        inbox.map(({ position }) => position.seq),
        [1, 2],
        "positions",
      );
      assertEqual([await seqsAfter(member, group, 1), await seqsAfter(member, group, 2)], [[2], [3]], "pages");
    }),
  },
  {
    title:
      "adversarial 43, issue 15 (22): strangers neither read nor write, nor can they tell that there is such a group",
    run: withUsers(2, async (users) => {
      const [creator, stranger] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(creator);
      const messages = [randomBytes(10)];
      await send(creator, group, 0n, { messages });
      await assertRejects(seqsAfter(stranger, group, 0), "ERR_DS_FORBIDDEN");
      await assertRejects(send(stranger, group, 0n, { messages }), "ERR_DS_FORBIDDEN");
      await assertRejects(stranger.service.submitCommit(plainCommit(group, { epoch: 0n })), "ERR_DS_FORBIDDEN");
      const elsewhere = { ...group, after: (seq: number) => ({ incarnation: "0".repeat(32), seq }) };
      await assertRejects(seqsAfter(stranger, elsewhere, 9), "ERR_DS_FORBIDDEN");
      const unknown = { ...group, groupId: randomBytes(32) };
      const refusals = [
        await assertRejects(seqsAfter(creator, unknown, 0), "ERR_DS_FORBIDDEN"),
        await assertRejects(seqsAfter(stranger, group, 0), "ERR_DS_FORBIDDEN"),
      ];
      assertEqual(at(refusals, 0).message, at(refusals, 1).message, "what is said of an unknown group");
      await assertRejects(send(creator, unknown, 0n), "ERR_DS_FORBIDDEN");
      await assertRejects(creator.service.submitCommit(plainCommit(unknown, { epoch: 0n })), "ERR_DS_FORBIDDEN");
    }),
  },
];
