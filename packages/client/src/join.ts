/** Invitations: Welcomes from the inbox become conversations, each exactly once. */
import {
  decodeMessageOf,
  diffGroupRecords,
  equalBytes,
  erase,
  findWelcomed,
  fromHex,
  isCoppiceError,
  joinGroup,
  toHex,
  CoppiceError,
  type GroupState,
  type OwnKeyPackage,
} from "@coppice/core";
import type { InboxEntry } from "@coppice/delivery";
import type { PartitionWrite } from "@coppice/storage";
import { nameOf, sessionOf, type Session } from "./account/authentication.ts";
import type { Account } from "./account/account.ts";
import { ownKeyPackage } from "./account/key-packages.ts";
import { partitionOf, readHeld, statusOf, type Held } from "./conversation/held.ts";
import { ECHO, FUTURE, GROUP, ITEM, itemRecord, META, metaRecord, PENDING, type Meta } from "./records/conversation.ts";
import { ordinal } from "./records/primitives.ts";
import type { KeyPackageRecord } from "./records/account.ts";

export interface JoinContext {
  readonly account: Account;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/**
 * Joins the group of a Welcome and stores it together with the deletion of the key that the Welcome was for. Returns the
 * conversation's id, or undefined if this Welcome was joined before. A Welcome for a group that is held is refused and
 * changes nothing, unless this client was removed from it: then it joins again and keeps the history.
 */
export async function join(entry: InboxEntry, context: JoinContext): Promise<string | undefined> {
  const id = toHex(entry.groupId);
  return context.account.store.exclusive(`group:${id}`, async () => {
    for (;;) {
      try {
        return (await tryJoin(id, entry, context)) ? id : undefined;
      } catch (error) {
        if (!isCoppiceError(error, "ERR_STORE_CONFLICT")) throw error;
        context.account.forget();
      }
    }
  });
}

async function tryJoin(id: string, entry: InboxEntry, { account, clock }: JoinContext): Promise<boolean> {
  const { store, suite } = account;
  const held = await readHeld(store, id, undefined);
  const digest = suite.hash.digest(entry.welcome);
  if (held?.meta.welcome !== undefined && equalBytes(held.meta.welcome, digest)) return false;
  if (held !== undefined && statusOf(held) !== "removed") {
    throw new CoppiceError("ERR_MLS_WELCOME", "this client is in the group of this Welcome already", {
      requirement: "R-12.4.3-3",
    });
  }
  const contents = await account.current();
  const session = sessionOf(account, contents, clock);
  const joined = await open(entry, { account, keyPackages: contents.keyPackages, session });
  // An old Welcome would bring back an old epoch, and with it keys that were used.
  if (held !== undefined && joined.state.context.epoch <= held.state.context.epoch) {
    throw new CoppiceError("ERR_MLS_WELCOME", "the Welcome is older than what this client knows of the group");
  }
  const { ref, own, lastResort } = joined;
  const changes = { pins: session.newPins, ...(lastResort ? {} : { keyPackages: new Map([[ref, undefined]]) }) };
  const write = await groupWrite(id, { joined, entry, held, digest, account, at: clock() });
  await store.write([write, account.planWrite(changes, contents.version)]);
  account.wrote(changes, contents.version);
  if (!lastResort) erase(own.initPrivateKey);
  return true;
}

interface Joined {
  readonly state: GroupState;
  /** Hex of the key package's reference. */
  readonly ref: string;
  readonly own: OwnKeyPackage;
  readonly lastResort: boolean;
  readonly invitedBy: string | undefined;
}

async function open(
  { welcome: bytes, groupId }: InboxEntry,
  given: { account: Account; keyPackages: ReadonlyMap<string, KeyPackageRecord>; session: Session },
): Promise<Joined> {
  const { account, keyPackages, session } = given;
  const { welcome } = decodeMessageOf("mls_welcome", bytes, session.rules.limits.messageBytes);
  const refs = [...keyPackages.keys()].map((ref) => ({ ref: fromHex(ref) }));
  const ref = toHex(findWelcomed(welcome, refs).ref);
  const stored = keyPackages.get(ref);
  if (stored === undefined) throw new RangeError("a reference that was found is in the pool");
  const own = ownKeyPackage(account, stored);
  const { rules } = session;
  const { state, welcomedBy } = await joinGroup(welcome, { suite: account.suite, rules, keyPackage: own });
  if (!equalBytes(state.context.groupId, groupId)) {
    throw new CoppiceError("ERR_MLS_WELCOME", "the Welcome is for another group than announced");
  }
  const inviter = state.tree.leaf(welcomedBy);
  return { state, ref, own, lastResort: stored.lastResort, invitedBy: inviter && nameOf(inviter.credential) };
}

/** All of the group; of an earlier membership, the history alone stays. */
async function groupWrite(
  id: string,
  given: {
    joined: Joined;
    entry: InboxEntry;
    held: Held | undefined;
    digest: Meta["welcome"];
    account: Account;
    at: number;
  },
): Promise<PartitionWrite> {
  const { joined, entry, held, digest, account, at } = given;
  const { state, invitedBy } = joined;
  const seq = (held?.meta.lastItem ?? 0) + 1;
  const meta: Meta = {
    cursor: entry.cursor,
    lastItem: seq,
    handedOver: held?.meta.handedOver ?? 0,
    nextOutbox: held?.meta.nextOutbox ?? 0,
    registered: true,
    joinedEpoch: state.context.epoch,
    invitedBy,
    welcome: digest,
    leaving: false,
    problem: undefined,
  };
  const put = new Map<string, Uint8Array>(diffGroupRecords(undefined, state).put);
  put.set(META, metaRecord.encode(meta));
  put.set(
    ITEM + ordinal(seq),
    itemRecord.encode({
      seq,
      kind: "change",
      at,
      epoch: state.context.epoch,
      actor: invitedBy ?? "",
      added: [account.name],
      removed: [],
      renamedTo: undefined,
      joined: true,
    }),
  );
  return {
    partition: partitionOf(id),
    expectedVersion: held?.version ?? 0,
    put,
    delete: held === undefined ? [] : (await recordsBut(account, id)).filter((name) => !put.has(name)),
  };
}

/** Names of what a rejoin replaces; failed messages stay in the outbox for the application to decide. */
async function recordsBut(account: Account, id: string): Promise<readonly string[]> {
  const prefixes = [GROUP, PENDING, ECHO, FUTURE];
  const { records } = await account.store.read(
    partitionOf(id),
    prefixes.map((prefix) => ({ prefix })),
  );
  return [...records.keys()];
}
