/** What the application asked for, compared with the state: what is left to do, and the proposals for it. */
import { ProposalType, type Bytes, type GroupState, type KeyPackage, type Proposal } from "@coppice/core";
import { clientError } from "../errors.ts";
import type { Intent } from "../records/conversation.ts";
import { rosterOf } from "./roster.ts";
import { titleOf, withTitle } from "./title.ts";

/** An intent with the state that it was first seen with, to know whether an update has happened. */
export interface Goal {
  readonly intent: Intent;
  /** `commit`: any commit that ends the epoch will do. */
  readonly update: "leaf" | "commit";
  readonly leafSince: bigint;
  readonly epoch: bigint;
  /** Digests of the Commits that were made for it. Once one of them took effect, nothing is left to do, whatever others do then. */
  readonly made: readonly Bytes[];
}

/** Own updates and additions of others stand in the commit itself. */
type InlineProposal = Exclude<Proposal, { readonly proposalType: typeof ProposalType.update }>;

/**
 * What is left of an intent: the users that are not members yet, or still are; undefined if nothing is. The first time
 * (`strict`) a user who is a member already, or is none, is a mistake; afterwards another commit has done the work.
 */
export async function remaining(
  goal: Goal,
  state: GroupState,
  { strict, titleKey }: { readonly strict: boolean; readonly titleKey: Bytes | undefined },
): Promise<Intent | undefined> {
  const { intent } = goal;
  switch (intent.operation) {
    case "add": {
      const members = rosterOf(state);
      const known = intent.users.find((user) => members.has(user));
      if (strict && known !== undefined) {
        throw clientError("ERR_CLIENT_ALREADY_MEMBER", `${known} is a member already`, { detail: { user: known } });
      }
      return ofUsers(intent, (user) => !members.has(user));
    }
    case "remove": {
      const members = rosterOf(state);
      const unknown = intent.users.find((user) => !members.has(user));
      if (strict && unknown !== undefined) {
        throw clientError("ERR_CLIENT_NOT_A_MEMBER", `${unknown} is not a member`, { detail: { user: unknown } });
      }
      return ofUsers(intent, (user) => members.has(user));
    }
    case "rename":
      return (await titleOf(state, titleKey)) === intent.title ? undefined : intent;
    case "update": {
      const done = goal.update === "leaf" ? state.leafSince !== goal.leafSince : state.context.epoch !== goal.epoch;
      return done ? undefined : intent;
    }
  }
}

function ofUsers<T extends Extract<Intent, { users: unknown }>>(
  intent: T,
  isLeft: (user: string) => boolean,
): T | undefined {
  const users = intent.users.filter(isLeft);
  return users.length === 0 ? undefined : { ...intent, users };
}

/** The proposals that carry out `intent`. `keyPackages` has those of the devices of each user to be added. */
export async function proposalsFor(
  intent: Intent,
  state: GroupState,
  {
    keyPackages,
    titleKey,
  }: { readonly keyPackages: ReadonlyMap<string, readonly KeyPackage[]>; readonly titleKey: Bytes | undefined },
): Promise<readonly InlineProposal[]> {
  switch (intent.operation) {
    case "add":
      return intent.users.flatMap((user) =>
        (keyPackages.get(user) ?? []).map((keyPackage) => ({ proposalType: ProposalType.add, keyPackage })),
      );
    case "remove": {
      const members = rosterOf(state);
      return intent.users.flatMap((user) =>
        (members.get(user) ?? []).map((removed) => ({ proposalType: ProposalType.remove, removed })),
      );
    }
    case "rename": {
      if (titleKey === undefined) {
        const message = "The key of the title is damaged on this device: another member can rename the group";
        throw clientError("ERR_CLIENT_TITLE_KEY", message);
      }
      const { suite, context } = state;
      const extensions = await withTitle(context.extensions, intent.title, {
        suite,
        groupId: context.groupId,
        key: titleKey,
      });
      return [{ proposalType: ProposalType.groupContextExtensions, extensions }];
    }
    case "update":
      return [];
  }
}
