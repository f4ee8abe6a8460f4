/** External Commits: another device of a member joins by itself, from the GroupInfo. */
import { randomBytes } from "@coppice/kit";
import { assertEqual, assertRejects, at } from "../assert.ts";
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

export const externalCases: readonly ConformanceCase[] = [
  {
    title: "another device of a reader's user reads the GroupInfo and joins by an external Commit",
    run: withUsers(2, async (users, connect) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const laptop = await addDevice(connect, bob);
      const group = await createTestGroup(alice, [bob]);
      const { epoch, position } = await laptop.service.readGroupInfo(group.groupId);
      assertEqual([epoch, position], [1n, group.after(1)], "where to begin");
      const added = [{ client: laptop.client, welcome: undefined }];
      const external = plainCommit(group, { epoch, position, added });
      assertEqual(await accept(laptop.service.submitCommit(external)), 2, "seq");
      assertEqual(await laptop.service.submitCommit(external), { accepted: true, seq: 2 }, "the same again");
      assertEqual(await laptop.service.readInbox(), [], "Welcomes");
      await send(laptop, group, 2n, { seq: 2 });
      assertEqual(await seqsAfter(laptop, group, 0), [3], "what the new reader reads");
      assertEqual(await seqsAfter(bob, group, 1), [2, 3], "what the other device reads");
    }),
  },
  {
    title: "a reader joins anew by an external Commit without losing an entry",
    run: withUsers(2, async (users) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const group = await createTestGroup(alice, [bob]);
      const added = [{ client: bob.client, welcome: undefined }];
      const resync = plainCommit(group, { epoch: 1n, seq: 1, added, removed: [bob.client] });
      await accept(bob.service.submitCommit(resync));
      await send(alice, group, 2n, { seq: 2 });
      assertEqual([await seqsAfter(bob, group, 1), await seqsAfter(bob, group, 2)], [[2], [3]], "pages");
      await accept(bob.service.submitCommit(plainCommit(group, { epoch: 2n, seq: 3, added })));
      assertEqual(await seqsAfter(bob, group, 2), [3, 4], "entries where the removal was not named");
    }),
  },
  {
    title: "a lost race of an external Commit says how far the group is",
    run: withUsers(2, async (users, connect) => {
      const [alice, bob] = [at(users, 0), at(users, 1)];
      const laptop = await addDevice(connect, bob);
      const group = await createTestGroup(alice, [bob]);
      await accept(alice.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1 })));
      const added = [{ client: laptop.client, welcome: undefined }];
      const outcome = await laptop.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1, added }));
      assertEqual(outcome, { accepted: false, epoch: 2n, lastSeq: 2, winner: undefined }, "answer");
      await assertRejects(seqsAfter(laptop, group, 0), "ERR_DS_FORBIDDEN");
    }),
  },
  {
    title: "nobody else gets in by an external Commit",
    run: withUsers(3, async (users, connect) => {
      const [alice, bob, stranger] = [at(users, 0), at(users, 1), at(users, 2)];
      const laptop = await addDevice(connect, bob);
      const group = await createTestGroup(alice, [bob]);
      const commit = (of: typeof alice, added: Parameters<typeof plainCommit>[1]["added"] = []): Promise<unknown> =>
        of.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1, added }));
      await assertRejects(commit(stranger, [{ client: stranger.client, welcome: undefined }]), "ERR_DS_FORBIDDEN");
      await assertRejects(commit(laptop), "ERR_DS_FORBIDDEN");
      await assertRejects(commit(laptop, [{ client: laptop.client, welcome: randomBytes(9) }]), "ERR_DS_FORBIDDEN");
      await assertRejects(commit(laptop, [{ client: stranger.client, welcome: undefined }]), "ERR_DS_BAD_REQUEST");
      await accept(alice.service.submitCommit(plainCommit(group, { epoch: 1n, seq: 1, removed: [bob.client] })));
      const late = { epoch: 2n, seq: 2, added: [{ client: laptop.client, welcome: undefined }] };
      await assertRejects(laptop.service.submitCommit(plainCommit(group, late)), "ERR_DS_FORBIDDEN");
      await assertRejects(laptop.service.readGroupInfo(group.groupId), "ERR_DS_FORBIDDEN");
      assertEqual(await seqsAfter(alice, group, 0), [1, 2], "log");
    }),
  },
];
