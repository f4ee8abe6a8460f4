/** A domain over the in-memory store, in virtual time. */
import { randomBytes } from "@coppice/core";
import { VirtualTime } from "@coppice/kit/testing";
import { DeliveryDomain, MemoryDomainStore, type DomainLimits, type Notice } from "@coppice/delivery/domain";
import type { ClientId, LogPosition } from "@coppice/delivery/contract";
import { createIdentity, type TestIdentity } from "@coppice/delivery/conformance";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export async function openWorld({ limits = {} }: { readonly limits?: Partial<DomainLimits> } = {}) {
  const time = new VirtualTime();
  const store = new MemoryDomainStore();
  const notices: Notice[] = [];
  const open = () => DeliveryDomain.open({ store, time, limits, notify: (notice) => notices.push(notice) });
  const domain = await open();
  return { time, store, notices, domain, open };
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** A registered user with one device. */
export async function register({ domain }: World, user?: string): Promise<TestIdentity> {
  const identity = await createIdentity(user === undefined ? {} : { user });
  await domain.signIn(identity);
  return identity;
}

/** Adds a second device to a user. */
export async function addDevice({ domain }: World, first: TestIdentity): Promise<TestIdentity> {
  const second = await createIdentity({ user: first.client.user });
  const log = await domain.readDeviceLog({ user: first.client.user, from: 0 });
  const last = log[log.length - 1] ?? first.register;
  const { device } = second.client;
  await domain.appendDeviceLog(first.client, await first.extend(last, { action: "add", device, key: second.key }));
  return second;
}

/** A group, as its creator drives it. */
export async function makeGroup({ domain }: World, { client: creator }: TestIdentity) {
  const groupId = randomBytes(32);
  const { incarnation } = await domain.createGroup(creator, { groupId, groupInfo: randomBytes(20) });
  let seq = 0;
  let epoch = 0n;
  const position = (): LogPosition => ({ incarnation, seq });
  return {
    groupId,
    incarnation,
    position,
    get epoch() {
      return epoch;
    },
    async commit(change: { readonly added?: readonly ClientId[]; readonly removed?: readonly ClientId[] } = {}) {
      const welcome = randomBytes(20);
      const outcome = await domain.submitCommit(creator, {
        groupId,
        position: position(),
        epoch,
        commit: randomBytes(30),
        groupInfo: randomBytes(20),
        added: (change.added ?? []).map((client) => ({ client, welcome })),
        removed: change.removed ?? [],
      });
      if (!outcome.accepted) throw new Error("the commit was not accepted");
      seq = outcome.seq;
      epoch += 1n;
      return outcome.seq;
    },
    async send(client: ClientId = creator, at: bigint = epoch, message: Uint8Array = randomBytes(12)) {
      const { seqs } = await domain.sendMessages(client, {
        groupId,
        position: position(),
        messages: [{ epoch: at, message }],
      });
      seq = Math.max(seq, ...seqs);
      return seqs[0] ?? 0;
    },
  };
}
