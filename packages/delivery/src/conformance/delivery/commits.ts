/** Groups and Commits: the compare-and-swap on the epoch, and what comes with it. */
import { randomBytes } from "@coppice/kit";
import { assertEqual, assertRejects, at } from "../assert.ts";
import { newDevice, uniqueName } from "../identity.ts";
import { accept, createTestGroup, plainCommit, send, seqsAfter, withUsers, type ConformanceCase } from "./harness.ts";

export const commitCases: readonly ConformanceCase[] = [
  {
    title: "R-11-3 a group id can be used once; its creator may repeat the call",
    run: withUsers(2, async (users) => {
      const [creator, other] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(creator);
      const { groupId, incarnation } = group;
      await accept(creator.service.submitCommit(plainCommit(group, { epoch: 0n })));
      const again = await creator.service.createGroup({ groupId, groupInfo: randomBytes(9) });
      assertEqual(again, { incarnation }, "the same incarnation");
      assertEqual(await seqsAfter(creator, group, 0), [1], "entries after the repeated call");
      assertEqual((await creator.service.readGroupInfo(groupId)).epoch, 1n, "epoch after the repeated call");
      await assertRejects(other.service.createGroup({ groupId, groupInfo: randomBytes(9) }), "ERR_DS_GROUP_EXISTS");
      const elsewhere = await createTestGroup(creator);
      assertEqual(elsewhere.incarnation === incarnation, false, "whether two logs have one incarnation");
    }),
  },
  {
    title: "a Commit is accepted for the current epoch only; a lost race says what to follow",
    run: withUsers(2, async (users) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(alice, [bob]);
      const first = plainCommit(group, { epoch: 1n, seq: 1 });
      assertEqual(await alice.service.submitCommit(first), { accepted: true, seq: 2 }, "first");
      const { entries } = await alice.service.readLog({ groupId: group.groupId, after: group.after(1) });
      const late = await bob.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1 }));
      assertEqual(late, { accepted: false, epoch: 2n, lastSeq: 2, winner: at(entries, 0) }, "second for one epoch");
      assertEqual(at(entries, 0).message, first.commit, "the winner");
      await send(alice, group, 2n, { seq: 2 });
      assertEqual(
        await bob.service.submitCommit(plainCommit(group, { epoch: 0n, seq: 1 })),
        { accepted: false, epoch: 2n, lastSeq: 3, winner: undefined },
        "for an epoch that the entry after the position does not end",
      );
      assertEqual(
        await bob.service.submitCommit(plainCommit(group, { epoch: 2n, seq: 2 })),
        { accepted: true, seq: 4 },
        "next",
      );
      assertEqual(await alice.service.submitCommit(first), { accepted: true, seq: 2 }, "the first again");
    }),
  },
  {
    title: "where messages came before the winner, they are read first",
    run: withUsers(2, async (users) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(alice, [bob]);
      await send(alice, group, 1n, { seq: 1 });
      await accept(alice.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 2 })));
      const behind = await bob.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1 }));
      assertEqual(behind, { accepted: false, epoch: 2n, lastSeq: 3, winner: undefined }, "seen up to 1");
      const ahead = await bob.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 2 }));
      assertEqual(!ahead.accepted && ahead.winner?.seq, 3, "seen up to 2");
    }),
  },
  {
    title: "a lost race shows no entry from before the loser's admission",
    run: withUsers(2, async (users) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(alice, [bob]);
      const outcome = await bob.service.submitCommit(plainCommit(group, { epoch: 0n, seq: 0 }));
      assertEqual(outcome, { accepted: false, epoch: 1n, lastSeq: 1, winner: undefined }, "answer");
    }),
  },
  {
    title: "adversarial 43: of many commits for one epoch at once exactly one wins",
    run: withUsers(2, async (users) => {
      const group = await createTestGroup(at(users, 0), users.slice(1));
      const commits = Array.from({ length: 12 }, () => plainCommit(group, { epoch: 1n, seq: 1 }));
      const outcomes = await Promise.all(commits.map((commit, i) => at(users, i % 2).service.submitCommit(commit)));
      const winners = commits.filter((_, i) => at(outcomes, i).accepted);
      assertEqual(winners.length, 1, "winners");
      const { entries } = await at(users, 1).service.readLog({ groupId: group.groupId, after: group.after(1) });
      assertEqual(
        entries.map(({ message }) => message),
        winners.map(({ commit }) => commit),
        "log",
      );
      for (const outcome of outcomes) {
        if (!outcome.accepted) {
          assertEqual(outcome, { accepted: false, epoch: 2n, lastSeq: 2, winner: entries[0] }, "what a loser is told");
        }
      }
    }),
  },
  {
    title: "the GroupInfo is replaced together with the epoch, by the accepted Commit alone",
    run: withUsers(2, async (users) => {
      const [alice, stranger] = [at(users, 0), at(users, 1)];
      const groupId = randomBytes(20);
      const groupInfo = randomBytes(50);
      const { incarnation } = await alice.service.createGroup({ groupId, groupInfo });
      const group = { groupId, incarnation, after: (seq: number) => ({ incarnation, seq }) };
      const read = (): Promise<unknown> => alice.service.readGroupInfo(groupId);
      assertEqual(await read(), { groupInfo, epoch: 0n, position: group.after(0) }, "of the first epoch");
      await send(alice, group, 0n);
      const winner = plainCommit(group, { epoch: 0n, seq: 1 });
      await accept(alice.service.submitCommit(winner));
      await alice.service.submitCommit(plainCommit(group, { epoch: 0n, seq: 1 }));
      await send(alice, group, 1n, { seq: 2 });
      assertEqual(await read(), { groupInfo: winner.groupInfo, epoch: 1n, position: group.after(2) }, "of the second");
      await assertRejects(stranger.service.readGroupInfo(groupId), "ERR_DS_FORBIDDEN");
      await assertRejects(alice.service.readGroupInfo(randomBytes(20)), "ERR_DS_FORBIDDEN");
    }),
  },
  {
    title: "a refused commit leaves no Welcome and changes no reader",
    run: withUsers(3, async (users) => {
      const [creator, member, guest] = [at(users, 0), at(users, 1), at(users, 2)];
      const group = await createTestGroup(creator, [member]);
      const change = { added: [{ client: guest.client, welcome: randomBytes(9) }], removed: [member.client] };
      const lost = await creator.service.submitCommit(plainCommit(group, { epoch: 0n, seq: 1, ...change }));
      assertEqual(lost.accepted, false, "whether a Commit of a past epoch was accepted");
      const strangers = [
        { user: uniqueName("nobody"), device: newDevice() },
        { user: guest.name, device: newDevice() },
      ];
      for (const client of strangers) {
        const added = [...change.added, { client, welcome: randomBytes(9) }];
        const error = await assertRejects(
          creator.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1, ...change, added })),
          "ERR_DS_UNKNOWN_USER",
        );
        assertEqual(error.detail["user"], client.user, "detail.user");
      }
      for (const added of [[...change.added, ...change.added], [{ client: guest.client, welcome: undefined }]]) {
        await assertRejects(
          creator.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1, ...change, added })),
          "ERR_DS_BAD_REQUEST",
        );
      }
      assertEqual(await guest.service.readInbox(), [], "inbox of the guest");
      await assertRejects(seqsAfter(guest, group, 0), "ERR_DS_FORBIDDEN");
      await accept(member.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1 })));
    }),
  },
  {
    title: "repeating an accepted commit delivers its Welcome once",
    run: withUsers(2, async (users) => {
      const [creator, guest] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(creator);
      const commit = plainCommit(group, { epoch: 0n, added: [{ client: guest.client, welcome: randomBytes(9) }] });
      const outcomes = await Promise.all([1, 2, 3].map(() => creator.service.submitCommit(commit)));
      for (const outcome of outcomes) assertEqual(outcome, { accepted: true, seq: 1 }, "answer");
      assertEqual((await guest.service.readInbox()).length, 1, "Welcomes");
    }),
  },
  {
    title: "a Commit from a position that the log never had is not taken",
    run: withUsers(1, async (users) => {
      const creator = at(users, 0);
      const group = await createTestGroup(creator);
      const commit = (part: Parameters<typeof plainCommit>[1]): Promise<unknown> =>
        creator.service.submitCommit(plainCommit(group, part));
      const { incarnation } = await createTestGroup(creator);
      await assertRejects(commit({ epoch: 0n, position: { incarnation, seq: 0 } }), "ERR_DS_LOG_CHANGED");
      await assertRejects(commit({ epoch: 0n, seq: 1 }), "ERR_DS_LOG_CHANGED");
      for (const epoch of [1n, (1n << 64n) - 1n]) await assertRejects(commit({ epoch }), "ERR_DS_LOG_CHANGED");
      assertEqual(await seqsAfter(creator, group, 0), [], "log");
    }),
  },
];
