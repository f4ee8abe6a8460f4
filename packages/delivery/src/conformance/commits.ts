/** Groups, commits and who may read what. */
import type { CommitSubmission } from "../contract.ts";
import {
  assertEqual,
  assertRejects,
  at,
  createTestGroup,
  randomBytes,
  uniqueName,
  withUsers,
  type ConformanceCase,
} from "./harness.ts";

/** A commit that changes no readers. */
const plainCommit = (groupId: Uint8Array, epoch: bigint): CommitSubmission => ({
  groupId,
  epoch,
  commit: randomBytes(60),
  added: [],
  removed: [],
});

export const commitCases: readonly ConformanceCase[] = [
  {
    title: "R-11-3 a group id can be used once; its creator may repeat the call",
    run: withUsers(2, async (users) => {
      const [creator, other] = [at(users, 0), at(users, 1)];
      const groupId = await createTestGroup(creator);
      await creator.service.submitCommit(plainCommit(groupId, 0n));
      await creator.service.createGroup(groupId);
      assertEqual((await creator.service.readLog({ groupId, after: 0 })).length, 1, "entries after the repeated call");
      await assertRejects(other.service.createGroup(groupId), "ERR_DS_GROUP_EXISTS");
    }),
  },
  {
    title: "a commit is accepted for the current epoch only",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const groupId = await createTestGroup(at(users, 0));
      const first = plainCommit(groupId, 0n);
      assertEqual(await service.submitCommit(first), { seq: 1 }, "first");
      await assertRejects(service.submitCommit(plainCommit(groupId, 0n)), "ERR_DS_EPOCH_CONFLICT");
      await assertRejects(service.submitCommit(plainCommit(groupId, 2n)), "ERR_DS_EPOCH_CONFLICT");
      await assertRejects(service.submitCommit(plainCommit(groupId, (1n << 64n) - 1n)), "ERR_DS_EPOCH_CONFLICT");
      assertEqual(await service.submitCommit(plainCommit(groupId, 1n)), { seq: 2 }, "second");
      assertEqual(await service.submitCommit(first), { seq: 1 }, "the first again");
    }),
  },
  {
    title: "adversarial 43: of many commits for one epoch at once exactly one wins",
    run: withUsers(2, async (users) => {
      const groupId = await createTestGroup(at(users, 0), users.slice(1));
      const commits = Array.from({ length: 12 }, () => plainCommit(groupId, 1n));
      const outcomes = await Promise.allSettled(
        commits.map((commit, i) => at(users, i % 2).service.submitCommit(commit)),
      );
      const winners = commits.filter((_, i) => outcomes[i]?.status === "fulfilled");
      assertEqual(winners.length, 1, "winners");
      for (const outcome of outcomes) {
        if (outcome.status === "rejected")
          await assertRejects(Promise.reject(outcome.reason as Error), "ERR_DS_EPOCH_CONFLICT");
      }
      const log = await at(users, 1).service.readLog({ groupId, after: 1 });
      assertEqual(
        log.map(({ message }) => message),
        winners.map(({ commit }) => commit),
        "log",
      );
    }),
  },
  {
    title: "added users read what comes after the commit and find the Welcome with its cursor",
    run: withUsers(3, async (users) => {
      const [creator, first, second] = [at(users, 0), at(users, 1), at(users, 2)];
      const groupId = await createTestGroup(creator);
      await creator.service.sendMessage({ groupId, epoch: 0n, message: randomBytes(10) });
      await assertRejects(first.service.readLog({ groupId, after: 0 }), "ERR_DS_FORBIDDEN");
      assertEqual(await first.service.readInbox(), [], "inbox before");
      const [shared, own] = [randomBytes(200), randomBytes(201)];
      const added = [
        { user: first.name, welcome: shared },
        { user: second.name, welcome: own },
      ];
      const { seq } = await creator.service.submitCommit({ ...plainCommit(groupId, 0n), added });
      assertEqual(seq, 2, "seq");
      const inbox = await first.service.readInbox();
      assertEqual(inbox, [{ id: at(inbox, 0).id, groupId, welcome: shared, cursor: 2 }], "inbox of the first");
      assertEqual(at(await second.service.readInbox(), 0).welcome, own, "Welcome of the second");
      assertEqual(await first.service.readLog({ groupId, after: 0 }), [], "entries from before the admission");
      const message = randomBytes(10);
      await creator.service.sendMessage({ groupId, epoch: 1n, message });
      for (const after of [0, 2]) {
        const log = await first.service.readLog({ groupId, after });
        assertEqual(
          log.map((entry) => [entry.seq, entry.message]),
          [[3, message]],
          "entries after the admission",
        );
      }
    }),
  },
  {
    title: "a refused commit leaves no Welcome and changes no reader",
    run: withUsers(3, async (users) => {
      const [creator, member, guest] = [at(users, 0), at(users, 1), at(users, 2)];
      const groupId = await createTestGroup(creator, [member]);
      const change = { added: [{ user: guest.name, welcome: randomBytes(9) }], removed: [member.name] };
      await assertRejects(
        creator.service.submitCommit({ ...plainCommit(groupId, 0n), ...change }),
        "ERR_DS_EPOCH_CONFLICT",
      );
      const nobody = uniqueName("nobody");
      const withStranger = { ...change, added: [...change.added, { user: nobody, welcome: randomBytes(9) }] };
      const error = await assertRejects(
        creator.service.submitCommit({ ...plainCommit(groupId, 1n), ...withStranger }),
        "ERR_DS_UNKNOWN_USER",
      );
      assertEqual(error.detail["user"], nobody, "detail.user");
      const twice = { ...change, added: [...change.added, ...change.added] };
      await assertRejects(
        creator.service.submitCommit({ ...plainCommit(groupId, 1n), ...twice }),
        "ERR_DS_BAD_REQUEST",
      );
      assertEqual(await guest.service.readInbox(), [], "inbox of the guest");
      await assertRejects(guest.service.readLog({ groupId, after: 0 }), "ERR_DS_FORBIDDEN");
      await member.service.submitCommit(plainCommit(groupId, 1n));
    }),
  },
  {
    title: "repeating an accepted commit delivers its Welcome once",
    run: withUsers(2, async (users) => {
      const [creator, guest] = [at(users, 0), at(users, 1)];
      const groupId = await createTestGroup(creator);
      const commit = { ...plainCommit(groupId, 0n), added: [{ user: guest.name, welcome: randomBytes(9) }] };
      assertEqual(await creator.service.submitCommit(commit), await creator.service.submitCommit(commit), "answers");
      assertEqual((await guest.service.readInbox()).length, 1, "Welcomes");
    }),
  },
  {
    title: "removed users read up to the commit that removed them, and write nothing more",
    run: withUsers(2, async (users) => {
      const [creator, removed] = [at(users, 0), at(users, 1)];
      const groupId = await createTestGroup(creator, [removed]);
      const message = { groupId, epoch: 1n, message: randomBytes(10) };
      const { seq } = await removed.service.sendMessage(message);
      await creator.service.submitCommit({
        ...plainCommit(groupId, 1n),
        removed: [removed.name, uniqueName("nobody")],
      });
      const secret = { groupId, epoch: 2n, message: randomBytes(10) };
      await creator.service.sendMessage(secret);
      const log = await removed.service.readLog({ groupId, after: 1 });
      assertEqual(
        log.map((entry) => [entry.seq, entry.kind]),
        [
          [2, "message"],
          [3, "commit"],
        ],
        "readable entries",
      );
      assertEqual(await removed.service.readLog({ groupId, after: 3 }), [], "entries after the removal");
      assertEqual(await removed.service.sendMessage(message), { seq }, "a repeated message");
      await assertRejects(removed.service.sendMessage(secret), "ERR_DS_FORBIDDEN");
      await assertRejects(removed.service.sendMessage({ ...message, message: randomBytes(10) }), "ERR_DS_FORBIDDEN");
      await assertRejects(removed.service.submitCommit(plainCommit(groupId, 2n)), "ERR_DS_FORBIDDEN");
    }),
  },
  {
    title: "users who come back do not see what was said while they were away",
    run: withUsers(2, async (users) => {
      const [creator, member] = [at(users, 0), at(users, 1)];
      const groupId = await createTestGroup(creator, [member]);
      const change = async (epoch: bigint, part: Partial<CommitSubmission>): Promise<void> => {
        await creator.service.submitCommit({ ...plainCommit(groupId, epoch), ...part });
      };
      await change(1n, { removed: [member.name] });
      await creator.service.sendMessage({ groupId, epoch: 2n, message: randomBytes(10) });
      await change(2n, { added: [{ user: member.name, welcome: randomBytes(9) }] });
      await creator.service.sendMessage({ groupId, epoch: 3n, message: randomBytes(10) });
      const seqs = async (after: number): Promise<readonly number[]> =>
        (await member.service.readLog({ groupId, after })).map((entry) => entry.seq);
      assertEqual(
        [await seqs(0), await seqs(1), await seqs(2), await seqs(3), await seqs(4)],
        [[2], [2], [5], [5], [5]],
        "pages",
      );
    }),
  },
  {
    title: "removal and new admission of one user in one commit leave no gap",
    run: withUsers(2, async (users) => {
      const [creator, member] = [at(users, 0), at(users, 1)];
      const groupId = await createTestGroup(creator, [member]);
      const added = [{ user: member.name, welcome: randomBytes(9) }];
      await creator.service.submitCommit({ ...plainCommit(groupId, 1n), added, removed: [member.name] });
      await member.service.sendMessage({ groupId, epoch: 2n, message: randomBytes(10) });
      assertEqual(
        (await member.service.readInbox()).map(({ cursor }) => cursor),
        [1, 2],
        "cursors",
      );
      const cursors = [1, 2].map(async (after) =>
        (await member.service.readLog({ groupId, after })).map(({ seq }) => seq),
      );
      assertEqual(await Promise.all(cursors), [[2], [3]], "pages");
    }),
  },
  {
    title: "adversarial 43: strangers neither read nor write, and unknown groups are said to be so",
    run: withUsers(2, async (users) => {
      const [creator, stranger] = [at(users, 0), at(users, 1)];
      const groupId = await createTestGroup(creator);
      const message = { groupId, epoch: 0n, message: randomBytes(10) };
      await creator.service.sendMessage(message);
      await assertRejects(stranger.service.readLog({ groupId, after: 0 }), "ERR_DS_FORBIDDEN");
      await assertRejects(stranger.service.sendMessage(message), "ERR_DS_FORBIDDEN");
      await assertRejects(stranger.service.submitCommit(plainCommit(groupId, 0n)), "ERR_DS_FORBIDDEN");
      const unknown = randomBytes(32);
      await assertRejects(creator.service.readLog({ groupId: unknown, after: 0 }), "ERR_DS_UNKNOWN_GROUP");
      await assertRejects(creator.service.sendMessage({ ...message, groupId: unknown }), "ERR_DS_UNKNOWN_GROUP");
      await assertRejects(creator.service.submitCommit(plainCommit(unknown, 0n)), "ERR_DS_UNKNOWN_GROUP");
    }),
  },
  {
    title: "acknowledged Welcomes are gone for good, the others stay",
    run: withUsers(2, async (users) => {
      const [creator, guest] = [at(users, 0), at(users, 1)];
      const groups: Uint8Array[] = [];
      for (let i = 0; i < 3; i++) groups.push(await createTestGroup(creator, [guest]));
      const [first, second, third] = [0, 1, 2].map((i) => guest.service.readInbox().then((inbox) => at(inbox, i)));
      const ids = (await Promise.all([first, second, third])).map((entry) => entry?.id ?? 0);
      await guest.service.acknowledgeInbox(at(ids, 1));
      await guest.service.acknowledgeInbox(0);
      const rest = await guest.service.readInbox();
      assertEqual(
        rest.map(({ id, groupId }) => [id, groupId]),
        [[at(ids, 2), groups[2]]],
        "the rest",
      );
      await guest.service.acknowledgeInbox(at(ids, 2));
      await createTestGroup(creator, [guest]);
      const [fresh] = await guest.service.readInbox();
      if (fresh === undefined || fresh.id <= at(ids, 2)) throw new Error("ids of the inbox do not grow");
    }),
  },
];
