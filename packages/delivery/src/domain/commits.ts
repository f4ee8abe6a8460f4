/** Groups and their Commits: the compare-and-swap on the epoch, and all that becomes visible with it. */
import { randomBytes, toHex } from "@coppice/core";
import { EPOCH_WINDOW, type ClientId, type CommitOutcome, type CommitSubmission, type LogEntry } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import { badRequest, requireCount, requireDistinct, requireSize, unknownUser } from "./checks.ts";
import { clientKey } from "./client-key.ts";
import type { Context } from "./context.ts";
import { listsDevice } from "./directory-state.ts";
import { findGroup, findPosted, forbidden, mayRead, requireSameLog, rolledBack, type Access } from "./group-access.ts";
import { requireSpace } from "./space.ts";
import type { DomainReads, DomainTransaction, GroupRecord } from "./store.ts";

/** A new incarnation's name: 32 hex digits. */
export const newIncarnation = (): string => toHex(randomBytes(16));

export async function createGroup(
  context: Context,
  client: ClientId,
  { groupId, groupInfo }: { readonly groupId: Uint8Array; readonly groupInfo: Uint8Array },
): Promise<{ readonly incarnation: string }> {
  requireSize(groupInfo, context.limits);
  const record: GroupRecord = {
    groupId: new Uint8Array(groupId),
    incarnation: newIncarnation(),
    creator: client,
    epoch: 0n,
    lastSeq: 0,
    lastReceivedAt: 0,
    readersSeq: 0,
    endedAt: [],
  };
  const info = new Uint8Array(groupInfo);
  return context.change(async (tx) => {
    const known = await tx.group(groupId);
    if (known !== undefined) {
      if (clientKey(known.creator) === clientKey(client)) return { incarnation: known.incarnation };
      throw deliveryError("ERR_DS_GROUP_EXISTS", "The group id is in use: choose another one");
    }
    const user = (await tx.users([client.user])).get(client.user);
    if (user === undefined) throw unknownUser(client.user);
    if (user.groupsCreated >= context.limits.groupsPerUser) {
      throw deliveryError("ERR_DS_QUOTA", `A user may create ${String(context.limits.groupsPerUser)} groups`);
    }
    await tx.putUser({ ...user, groupsCreated: user.groupsCreated + 1 });
    await tx.putGroup(record);
    await tx.putGroupInfo(groupId, { groupInfo: info, epoch: 0n, seq: 0 });
    await tx.admit(groupId, [client], 0);
    await requireSpace(tx, context.limits, groupId, "message");
    return { incarnation: record.incarnation };
  });
}

/** See `DeliveryService.submitCommit`. */
export async function submitCommit(
  context: Context,
  client: ClientId,
  submission: CommitSubmission,
): Promise<CommitOutcome> {
  checkSubmission(context, client, submission);
  const hash = context.sha256(submission.commit);
  return context.change(async (tx, afterwards) => {
    const access = await findGroup(tx, submission.groupId, client);
    const { group } = access;
    const isExternal = !access.readsNow && (await tx.userReads(submission.groupId, client.user));
    if (access.admissions.length === 0 && !isExternal) throw forbidden();
    requireSameLog(group, submission.position);
    const [repeated] = await findPosted(tx, access, "commit", [hash]);
    if (repeated !== undefined) return { accepted: true, seq: repeated };
    if (!access.readsNow && !(isExternal && namesItself(submission, client))) throw forbidden();
    if (submission.epoch > group.epoch) throw rolledBack();
    if (submission.epoch < group.epoch) return conflict(context, tx, access, submission);

    await checkAdded(context, tx, client, submission);
    const readers = await context.readers.load(tx, group);
    const entry: LogEntry = {
      seq: group.lastSeq + 1,
      kind: "commit",
      epoch: submission.epoch,
      message: new Uint8Array(submission.commit),
      receivedAt: Math.max(group.lastReceivedAt, context.clock.now()),
    };
    const readersAfter = changedReaders(context, readers, submission);
    const next: GroupRecord = {
      ...group,
      epoch: group.epoch + 1n,
      lastSeq: entry.seq,
      lastReceivedAt: entry.receivedAt,
      readersSeq: readersAfter === readers ? group.readersSeq : entry.seq,
      endedAt: [entry.receivedAt, ...group.endedAt].slice(0, EPOCH_WINDOW.epochs),
    };
    const age = context.clock.age();
    await tx.append(group.groupId, [{ ...entry, hash }], age);
    await tx.putGroup(next);
    const groupInfo = new Uint8Array(submission.groupInfo);
    await tx.putGroupInfo(group.groupId, { groupInfo, epoch: next.epoch, seq: entry.seq });
    await requireSpace(tx, context.limits, group.groupId, "commit");
    await changeReaders(tx, group, submission, { readers, seq: entry.seq });
    const invited = await deliverWelcomes(tx, client, submission, { groupId: group.groupId, seq: entry.seq, age });
    afterwards(() => {
      context.readers.remember(next, readersAfter);
      const { groupId, incarnation } = group;
      // An external joiner is no reader yet, and everyone who was one reads the Commit.
      context.notify({ type: "log", groupId, incarnation, entry, readers, poster: client });
      if (invited.length > 0) context.notify({ type: "inbox", clients: invited });
    });
    return { accepted: true, seq: entry.seq };
  });
}

function checkSubmission({ limits }: Context, client: ClientId, submission: CommitSubmission): void {
  const { added, removed, commit, groupInfo } = submission;
  requireCount(added.length + removed.length, limits);
  for (const content of [commit, groupInfo, ...added.map(({ welcome }) => welcome)]) {
    if (content !== undefined) requireSize(content, limits);
  }
  requireDistinct(
    added.map((addition) => addition.client),
    "added",
  );
  for (const { client: name, welcome } of added) {
    if (welcome === undefined && clientKey(name) !== clientKey(client)) {
      throw badRequest("Only the sender of an external Commit is added without a Welcome");
    }
  }
}

/** Whether the submission is of an external Commit that lets its sender in. */
const namesItself = ({ added }: CommitSubmission, client: ClientId): boolean =>
  added.some(({ client: name, welcome }) => welcome === undefined && clientKey(name) === clientKey(client));

/** What to follow instead: the winner, where the submitter has seen everything before it. */
async function conflict(
  { limits }: Context,
  tx: DomainReads,
  { group, admissions }: Access,
  { position, epoch }: CommitSubmission,
): Promise<CommitOutcome> {
  const range = { after: position.seq, until: position.seq + 1, limit: 1, maxBytes: limits.pageBytes };
  const [next] = await tx.entries(group.groupId, range);
  const isWinner = next?.kind === "commit" && next.epoch === epoch && mayRead(admissions, next.seq);
  return { accepted: false, epoch: group.epoch, lastSeq: group.lastSeq, winner: isWinner ? next : undefined };
}

/** `ERR_DS_UNKNOWN_USER` and `ERR_DS_QUOTA` for those who cannot be added. */
async function checkAdded(
  { limits }: Context,
  tx: DomainReads,
  sender: ClientId,
  { added }: CommitSubmission,
): Promise<void> {
  if (added.length === 0) return;
  const users = await tx.users([...new Set(added.map(({ client }) => client.user))]);
  for (const { client } of added) {
    const user = users.get(client.user);
    if (user === undefined) throw unknownUser(client.user);
    if (!listsDevice(user, client.device)) throw unknownUser(client.user, "The user has no such device: claim anew");
  }
  const invited = added.filter(({ welcome }) => welcome !== undefined).map(({ client }) => client);
  const counts = await tx.countInboxes(invited, sender.user);
  for (const [index, { total, fromSender }] of counts.entries()) {
    if (total < limits.inboxEntries && fromSender < limits.inboxEntriesPerSender) continue;
    throw deliveryError("ERR_DS_QUOTA", "Too many Welcomes wait for this user", {
      detail: { user: invited[index]?.user ?? "" },
    });
  }
}

/** The readers after the Commit: the same set if nothing changes. `ERR_DS_QUOTA`. */
function changedReaders(
  { limits }: Context,
  readers: ReadonlySet<string>,
  { added, removed }: CommitSubmission,
): ReadonlySet<string> {
  if (added.length === 0 && removed.length === 0) return readers;
  const changed = new Set(readers);
  for (const client of removed) changed.delete(clientKey(client));
  for (const { client } of added) changed.add(clientKey(client));
  if (changed.size > limits.readersPerGroup) {
    throw deliveryError("ERR_DS_QUOTA", `A group may have ${String(limits.readersPerGroup)} readers`);
  }
  return changed;
}

async function changeReaders(
  tx: DomainTransaction,
  { groupId }: GroupRecord,
  { added, removed }: CommitSubmission,
  { readers, seq }: { readonly readers: ReadonlySet<string>; readonly seq: number },
): Promise<void> {
  const left = new Set(removed.map(clientKey));
  const newcomers = added
    .map(({ client }) => client)
    .filter((client) => !readers.has(clientKey(client)) || left.has(clientKey(client)));
  if (removed.length > 0) await tx.dismiss(groupId, removed, seq);
  if (newcomers.length > 0) await tx.admit(groupId, newcomers, seq);
}

/** Delivers each distinct Welcome once; returns who got one. */
async function deliverWelcomes(
  tx: DomainTransaction,
  sender: ClientId,
  { added }: CommitSubmission,
  { groupId, seq, age }: { readonly groupId: Uint8Array<ArrayBuffer>; readonly seq: number; readonly age: number },
): Promise<readonly ClientId[]> {
  const byWelcome = new Map<Uint8Array, ClientId[]>();
  for (const { client, welcome } of added) {
    if (welcome === undefined) continue;
    const clients = byWelcome.get(welcome);
    if (clients === undefined) byWelcome.set(welcome, [client]);
    else clients.push(client);
  }
  for (const [welcome, clients] of byWelcome) {
    const content = new Uint8Array(welcome);
    await tx.deliver({ groupId, seq, sender: sender.user, welcome: content, clients }, age);
  }
  return [...byWelcome.values()].flat();
}
