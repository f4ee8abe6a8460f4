/** What the application asked for, compared with the state: what is left to do, and the proposals for it. */
import { ProposalType, utf8, type Extension, type GroupState, type KeyPackage, type Proposal } from "@coppice/core";
import { nameOf, TITLE_EXTENSION, titleOf } from "../account/authentication.ts";
import { clientError } from "../errors.ts";
import type { Intent } from "../records/conversation.ts";

/** An intent with the state that it was first seen with, to know whether an update has happened. */
export interface Goal {
  readonly intent: Intent;
  /** `commit`: any commit that ends the epoch will do. */
  readonly update: "leaf" | "commit";
  readonly leafSince: bigint;
  readonly epoch: bigint;
}

/** Own updates and additions of others stand in the commit itself. */
type InlineProposal = Exclude<Proposal, { readonly proposalType: typeof ProposalType.update }>;

/**
 * What is left of an intent: the names that are not members yet, or still are; undefined if nothing is. The first time
 * (`strict`) a name that is a member already, or is none, is a mistake; afterwards another commit has done the work.
 */
export function remaining(goal: Goal, state: GroupState, strict: boolean): Intent | undefined {
  const { intent } = goal;
  switch (intent.operation) {
    case "add": {
      const members = new Set(namesIn(state).keys());
      const known = intent.names.find((name) => members.has(name));
      if (strict && known !== undefined) {
        throw clientError("ERR_CLIENT_ALREADY_MEMBER", "already a member", { detail: { name: known } });
      }
      return ofNames(intent, (name) => !members.has(name));
    }
    case "remove": {
      const members = namesIn(state);
      const unknown = intent.names.find((name) => !members.has(name));
      if (strict && unknown !== undefined) {
        throw clientError("ERR_CLIENT_NOT_A_MEMBER", "not a member", { detail: { name: unknown } });
      }
      return ofNames(intent, (name) => members.has(name));
    }
    case "rename":
      return titleOf(state.context.extensions) === intent.title ? undefined : intent;
    case "update": {
      const done = goal.update === "leaf" ? state.leafSince !== goal.leafSince : state.context.epoch !== goal.epoch;
      return done ? undefined : intent;
    }
  }
}

function ofNames<T extends Extract<Intent, { names: unknown }>>(
  intent: T,
  left: (name: string) => boolean,
): T | undefined {
  const names = intent.names.filter(left);
  return names.length === 0 ? undefined : { ...intent, names };
}

/** Leaf indices by name. */
export function namesIn(state: GroupState): ReadonlyMap<string, number> {
  return new Map([...state.tree.members()].map(([index, { credential }]) => [nameOf(credential), Number(index)]));
}

/** The proposals that carry out `intent`. `keyPackages` has one for each name to be added. */
export function proposalsFor(
  intent: Intent,
  state: GroupState,
  keyPackages: ReadonlyMap<string, KeyPackage>,
): readonly InlineProposal[] {
  switch (intent.operation) {
    case "add":
      return intent.names.map((name) => {
        const keyPackage = keyPackages.get(name);
        if (keyPackage === undefined) throw new RangeError("a name to be added has no key package");
        return { proposalType: ProposalType.add, keyPackage };
      });
    case "remove": {
      const members = namesIn(state);
      return intent.names.flatMap((name) => {
        const removed = members.get(name);
        return removed === undefined ? [] : [{ proposalType: ProposalType.remove, removed }];
      });
    }
    case "rename":
      return [
        {
          proposalType: ProposalType.groupContextExtensions,
          extensions: withTitle(state.context.extensions, intent.title),
        },
      ];
    case "update":
      return [];
  }
}

/** The extensions with this title, all others as they are. */
export function withTitle(extensions: readonly Extension[], title: string): readonly Extension[] {
  const others = extensions.filter(({ extensionType }) => extensionType !== TITLE_EXTENSION);
  return title === "" ? others : [...others, { extensionType: TITLE_EXTENSION, extensionData: utf8(title) }];
}
