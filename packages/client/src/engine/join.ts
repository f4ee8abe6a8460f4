/** A Welcome becomes a conversation, once. */
import {
  codec,
  concat,
  decodeMessageOf,
  DEFAULT_LIMITS,
  equalBytes,
  erase,
  findWelcomed,
  joinGroup,
  toHex,
  type Bytes,
  type GroupState,
} from "@coppice/core";
import type { InboxEntry } from "@coppice/delivery/contract";
import { CoppiceError } from "@coppice/kit";
import { userOf, withFetchedLogs } from "../account/authentication.ts";
import { momentOf } from "../account/clock.ts";
import { keyPackageName, ownKeyPackage, poolOf, readPool } from "../account/key-packages.ts";
import type { Shared } from "../conversation/context.ts";
import { membershipWrite, readFormer, type Former } from "../conversation/membership.ts";
import { statusOf } from "../conversation/snapshot.ts";
import { only } from "../conversation/stored.ts";
import { titleKeyIn, titleOf } from "../conversation/title.ts";
import { forgottenRecord, KEY_PACKAGE, usedRecord, type KeyPackageRecord } from "../records/account.ts";

/** What an entry of the inbox says, without its place there. */
export type Invitation = Omit<InboxEntry, "id">;

/**
 * Joins the group of a Welcome and stores it together with the deletion of the key that the Welcome was for, or, where that is a last
 * resort, with the use that was made of it: apart from the conversation, whose records may be damaged or deleted. Returns the
 * conversation's id, or undefined if this Welcome was used before. A Welcome for a group that this client is in is refused and
 * changes nothing. One that cannot follow its group, or was removed from it, joins again if the Welcome is of a later epoch, and
 * keeps the history.
 *
 * Everything is worked out before anything is written, outside of locks: device logs that are missing are fetched.
 */
export async function join(entry: Invitation, shared: Shared): Promise<string | undefined> {
  const { account, recovery, time } = shared;
  const id = toHex(entry.groupId);
  const digest = account.suite.hash.digest(entry.welcome);
  const before = await lookAt(id, shared);
  if (isLast(before, digest)) return undefined;
  refuseIfMember(before, recovery());
  const joined = await open(entry, shared);
  const { number, lastResort, state, title, titleKey, invitedBy } = joined;
  const use = account.usedName(useOf(joined));
  // What is found out meanwhile is not mended by this.
  const recovered = recovery();
  const at = momentOf(time);
  const { position } = entry;
  const change = {
    kind: "change",
    at,
    epoch: state.context.epoch,
    actor: invitedBy ?? "",
    added: [account.user],
    removed: [],
    left: [],
    renamedTo: undefined,
    joined: true,
  } as const;
  const written = await account.update([{ prefix: KEY_PACKAGE }], async (snapshot) => {
    const now = await lookAt(id, shared);
    const wasUsed = await isThere(use, shared);
    if (isLast(now, digest) || (wasUsed && now.last?.welcome === undefined)) return undefined;
    refuseIfMember(now, recovery());
    if (wasUsed) throw new CoppiceError("ERR_MLS_WELCOME", "The Welcome was used for an earlier membership");
    refuseIfOlder(now, state);
    if (!poolOf(snapshot).has(number)) throw spent();
    const membership = {
      state,
      title,
      titleKey,
      position,
      items: [change],
      invitedBy,
      welcome: digest,
      recovery: recovered,
    };
    const waiting = account.waitingName(digest);
    return {
      put: new Map(lastResort ? [[use, usedRecord.encode({ keyPackage: number })]] : []),
      delete: lastResort ? [waiting] : [keyPackageName(number), waiting],
      others: [membershipWrite(id, membership, now.former)],
    };
  });
  if (!written) return undefined;
  if (!lastResort) erase(joined.initPrivateKey);
  return id;
}

/** What this device knows of a group already. */
interface Known {
  readonly former: Former;
  /** The last membership, also if the conversation was deleted; undefined if nothing sound says that there was one. */
  readonly last: { readonly epoch: bigint; readonly welcome: Bytes | undefined } | undefined;
}

async function lookAt(id: string, { account }: Shared): Promise<Known> {
  const former = await readFormer(account.store, id);
  const name = account.forgottenName(id);
  const stored = (await account.read([only(name)])).records.get(name);
  return { former, last: former.summary ?? (stored === undefined ? undefined : forgottenRecord.decode(stored)) };
}

/** Whether this device has joined by these bytes, and by no other Welcome since, as far as it knows. */
const isLast = ({ last }: Known, digest: Bytes): boolean =>
  last?.welcome !== undefined && equalBytes(last.welcome, digest);

/** Whether there is a record, sound or damaged: its name says it. */
async function isThere(name: string, { account }: Shared): Promise<boolean> {
  const { records, damaged } = await account.read([only(name)]);
  return records.has(name) || damaged.includes(name);
}

/** What joining used up: the same secrets come of a Welcome however it is encoded, and whatever it holds for others. */
function useOf({ ref, state: { context } }: Joined): Bytes {
  return concat(ref, codec.encode(codec.uint64, context.epoch), context.groupId);
}

function refuseIfMember({ former }: Known, recovery: number): void {
  if (former.summary === undefined || statusOf(former.summary, recovery).status !== "active") return;
  throw new CoppiceError("ERR_MLS_WELCOME", "This device is in the group of this Welcome already", {
    requirement: "R-12.4.3-3",
  });
}

/** An old Welcome would bring back an old epoch, and with it keys that were used. */
function refuseIfOlder({ last }: Known, { context }: GroupState): void {
  if (last === undefined || context.epoch > last.epoch) return;
  throw new CoppiceError("ERR_MLS_WELCOME", "The Welcome is older than what this device knows of the group", {
    detail: { epoch: context.epoch, known: last.epoch },
  });
}

const spent = (): CoppiceError =>
  new CoppiceError("ERR_MLS_WELCOME", "The key package of this Welcome was used meanwhile", {
    requirement: "R-12.4.3.1-2",
  });

interface Joined {
  readonly state: GroupState;
  readonly title: string;
  readonly titleKey: Bytes | undefined;
  /** Of the key package. */
  readonly ref: Bytes;
  readonly number: number;
  readonly lastResort: boolean;
  readonly initPrivateKey: Uint8Array;
  readonly invitedBy: string | undefined;
}

async function open({ welcome: bytes, groupId }: Invitation, { account, people, time }: Shared): Promise<Joined> {
  const { welcome } = decodeMessageOf("mls_welcome", bytes, DEFAULT_LIMITS);
  const pool = [...(await readPool(account))].map(([number, record]) => withKeys(number, record, account));
  const own = findWelcomed(welcome, pool);
  const { keyPackage } = own;
  const { state, welcomedBy, welcomeExtensions } = await withFetchedLogs({ people, time }, (rules) =>
    joinGroup(welcome, { suite: account.suite, rules, keyPackage }),
  );
  if (!equalBytes(state.context.groupId, groupId)) {
    throw new CoppiceError("ERR_MLS_WELCOME", "The Welcome is for another group than announced");
  }
  const inviter = state.tree.leaf(welcomedBy);
  const { ref, number, lastResort } = own;
  const invitedBy = inviter && userOf(inviter);
  const titleKey = titleKeyIn(welcomeExtensions, account.suite);
  const title = await titleOf(state, titleKey);
  return { state, title, titleKey, ref, number, lastResort, initPrivateKey: keyPackage.initPrivateKey, invitedBy };
}

function withKeys(number: number, record: KeyPackageRecord, account: Shared["account"]) {
  const keyPackage = ownKeyPackage(account, record);
  return { ref: keyPackage.ref, number, lastResort: record.lastResort, keyPackage };
}
