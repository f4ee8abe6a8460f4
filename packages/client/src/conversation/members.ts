/** Who is in a group, from stored records alone: neither a turn nor the ratchet tree is needed. */
import { GROUP_RECORDS, memberRecord, readMembers, restoreMessaging, type StoredMember } from "@coppice/core";
import type { RecordRange, Store, StoreCallOptions } from "@coppice/storage";
import { identityOf } from "../account/authentication.ts";
import type { Member, MembersPage } from "../api.ts";
import { goneError } from "../errors.ts";
import { SUMMARY, summaryRecord } from "../records/conversation.ts";
import { partitionOf } from "./history.ts";
import { checkDamage, only } from "./stored.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

export interface MembersQuery {
  readonly after?: string;
  readonly limit?: number;
}

export interface MembersOf {
  readonly store: Store;
  /** The conversation. */
  readonly id: string;
  /** This user. */
  readonly self: string;
}

type MutableMember = { user: string; isSelf: boolean; devices: Member["devices"][number][] };

/** A page of people in the order of their first leaf. Costs what is on the page where everybody has one device. */
export async function readPeople(
  of: MembersOf,
  { after, limit = DEFAULT_LIMIT }: MembersQuery,
  options: StoreCallOptions | undefined,
): Promise<MembersPage> {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new RangeError(`The limit is 1 to ${MAX_LIMIT}`);
  }
  const from = after === undefined ? -1 : Number(after);
  if (!Number.isSafeInteger(from) || from >= 2 ** 32)
    throw new RangeError("Pages begin after what the page before named");
  const bound = from < 0 ? {} : { after: memberRecord(from) };
  // One more than the page has tells whether there is another page.
  const page = { prefix: GROUP_RECORDS.members, ...bound, limit: limit + 1 };
  const read = await readLeaves(of, page, options);
  const leaves = read.isOneEach
    ? read.leaves
    : (await readLeaves(of, { prefix: GROUP_RECORDS.members }, options)).leaves;
  const people = [...peopleOf(leaves, of.self).values()].filter(
    ({ devices: [first] }) => (first?.leafIndex ?? 0) > from,
  );
  const shown = people.slice(0, limit);
  const last = shown.at(-1)?.devices[0];
  return {
    members: Object.freeze(shown.map((member) => Object.freeze({ ...member, devices: Object.freeze(member.devices) }))),
    next: people.length > limit && last !== undefined ? String(last.leafIndex) : undefined,
  };
}

/** Names of all who are in the group. */
export async function readUsers(of: MembersOf, options: StoreCallOptions | undefined): Promise<readonly string[]> {
  const { leaves } = await readLeaves(of, { prefix: GROUP_RECORDS.members }, options);
  return [...peopleOf(leaves, of.self).keys()];
}

async function readLeaves(
  { store, id }: MembersOf,
  range: RecordRange,
  options: StoreCallOptions | undefined,
): Promise<{ readonly leaves: readonly StoredMember[]; readonly isOneEach: boolean }> {
  const ranges = [only(SUMMARY), { prefix: GROUP_RECORDS.messaging }, range];
  const snapshot = await store.read(partitionOf(id), ranges, options);
  checkDamage(snapshot);
  const { records } = snapshot;
  const summary = records.get(SUMMARY);
  if (summary === undefined) throw goneError();
  const { tree } = await restoreMessaging(records);
  return { leaves: readMembers(records), isOneEach: tree.memberCount === summaryRecord.decode(summary).memberCount };
}

function peopleOf(leaves: readonly StoredMember[], self: string): Map<string, MutableMember> {
  const people = new Map<string, MutableMember>();
  for (const { leafIndex, leafNode } of leaves) {
    const { user, device } = identityOf(leafNode.credential).client;
    const known = people.get(user);
    const own = Object.freeze({ device, leafIndex });
    if (known === undefined) people.set(user, { user, isSelf: user === self, devices: [own] });
    else known.devices.push(own);
  }
  return people;
}
