/** Reading: pages, positions, lists of groups, inboxes. */
import { equalBytes, toHex } from "@coppice/core";
import { randomBytes } from "@coppice/kit";
import { assertEqual, assertRejects, at } from "../assert.ts";
import {
  accept,
  createTestGroup,
  plainCommit,
  send,
  seqsAfter,
  withUsers,
  type TestGroup,
  type ConformanceCase,
} from "./harness.ts";

export const logCases: readonly ConformanceCase[] = [
  {
    title: "the log is read in pages",
    run: withUsers(1, async (users) => {
      const alice = at(users, 0);
      const group = await createTestGroup(alice);
      await send(alice, group, 0n, { messages: Array.from({ length: 7 }, () => randomBytes(20)) });
      const pages: (readonly number[])[] = [];
      for (let after = 0; ;) {
        const page = await seqsAfter(alice, group, after, 3);
        pages.push(page);
        if (page.length === 0) break;
        after = at(page, page.length - 1);
      }
      assertEqual(pages, [[1, 2, 3], [4, 5, 6], [7], []], "pages");
      const { lastSeq } = await alice.service.readLog({ groupId: group.groupId, after: group.after(2), limit: 1 });
      assertEqual(lastSeq, 7, "newest entry");
    }),
  },
  {
    title: "a log that is not the one last seen is not read",
    run: withUsers(1, async (users) => {
      const alice = at(users, 0);
      const group = await createTestGroup(alice);
      const other = await createTestGroup(alice);
      await send(alice, group, 0n);
      await assertRejects(seqsAfter(alice, { ...group, after: other.after }, 0), "ERR_DS_LOG_CHANGED");
      await assertRejects(seqsAfter(alice, group, 2), "ERR_DS_LOG_CHANGED");
      await assertRejects(seqsAfter(alice, group, Number.MAX_SAFE_INTEGER), "ERR_DS_LOG_CHANGED");
      assertEqual(await seqsAfter(alice, group, 1), [], "from the end");
    }),
  },
  {
    title: "a client's groups are listed by ascending ids, each with its newest position",
    run: withUsers(2, async (users) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      assertEqual(await alice.service.readGroups({ after: undefined }), [], "before any group");
      const groups: TestGroup[] = [];
      for (let i = 0; i < 5; i++) groups.push(await createTestGroup(alice, i % 2 === 0 ? [bob] : []));
      await send(bob, at(groups, 2), 1n, { seq: 1 });
      const sorted = [...groups].sort((a, b) => (toHex(a.groupId) < toHex(b.groupId) ? -1 : 1));
      const expected = sorted.map((group) => {
        const index = groups.indexOf(group);
        return { groupId: group.groupId, position: group.after(index === 2 ? 2 : index % 2 === 0 ? 1 : 0) };
      });
      assertEqual(await alice.service.readGroups({ after: undefined }), expected, "of the creator");
      const ofBob = expected.filter(({ groupId }) =>
        [0, 2, 4].some((index) => equalBytes(at(groups, index).groupId, groupId)),
      );
      assertEqual(await bob.service.readGroups({ after: undefined }), ofBob, "of the member");
      assertEqual(await alice.service.readGroups({ after: at(sorted, 2).groupId }), expected.slice(3), "the rest");
      assertEqual(await alice.service.readGroups({ after: at(sorted, 4).groupId }), [], "after the last");
    }),
  },
  {
    title: "acknowledged Welcomes are gone for good, the others stay",
    run: withUsers(2, async (users) => {
      const [creator, guest] = [at(users, 0), at(users, 1)];
      const groups: TestGroup[] = [];
      for (let i = 0; i < 3; i++) groups.push(await createTestGroup(creator, [guest]));
      const inbox = await guest.service.readInbox();
      assertEqual(
        inbox.map(({ groupId, position }) => [groupId, position]),
        groups.map(({ groupId, after }) => [groupId, after(1)]),
        "inbox, oldest first",
      );
      const ids = inbox.map(({ id }) => id);
      await guest.service.acknowledgeInbox(at(ids, 1));
      await guest.service.acknowledgeInbox(0);
      const rest = await guest.service.readInbox();
      assertEqual(
        rest.map(({ id, groupId }) => [id, groupId]),
        [[at(ids, 2), at(groups, 2).groupId]],
        "the rest",
      );
      await guest.service.acknowledgeInbox(at(ids, 2));
      await createTestGroup(creator, [guest]);
      const fresh = at(await guest.service.readInbox(), 0);
      assertEqual(fresh.id > at(ids, 2), true, "whether ids of the inbox grow");
    }),
  },
  {
    title: "a Welcome leads into the log right after its Commit, also when the group went on",
    run: withUsers(2, async (users) => {
      const [creator, guest] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(creator, [guest]);
      await send(creator, group, 1n, { seq: 1 });
      await accept(creator.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 2 })));
      const { groupId, position } = at(await guest.service.readInbox(), 0);
      const page = await guest.service.readLog({ groupId, after: position });
      assertEqual(
        page.entries.map(({ seq }) => seq),
        [2, 3],
        "entries",
      );
    }),
  },
];
