/** What follows from a new epoch, whoever committed it. */
import {
  adoptCommit,
  createProposal,
  decodeStagedCommit,
  discardCommit,
  equalBytes,
  ProposalType,
  type ChangedMember,
  type CommitEffect,
  type GroupState,
  type StagedCommit,
} from "@coppice/core";
import { nameOf, titleOf } from "../account/authentication.ts";
import type { MessageItem, PendingRecord } from "../records/conversation.ts";
import type { Context } from "./context.ts";
import type { Draft, NewItem } from "./draft.ts";
import { readItems } from "./history.ts";

type Shared = Pick<Context, "account" | "lastStaged">;

/** Enters the epoch of the pending commit, which the Delivery Service accepted. */
export async function adoptPending(draft: Draft, shared: Shared, id: string, at: number): Promise<void> {
  const { pending, state: before } = draft;
  if (pending === undefined) throw new RangeError("there is no pending commit to adopt");
  const staged = await stagedOf(before, pending, shared);
  draft.step(adoptCommit(before, staged, draft.rules));
  draft.setPending(undefined);
  draft.addItem(
    changeItem(before, draft.state, {
      actor: shared.account.name,
      added: staged.added.map(({ keyPackage }) => nameOf(keyPackage.leafNode.credential)),
      removed: namesOf(staged.removed),
      at,
    }),
  );
  await enterNewEpoch(draft, shared, id);
}

/** The pending commit as core made it; decoded if another context, or this one before it was closed, has made it. */
export async function stagedOf(
  state: GroupState,
  pending: PendingRecord,
  { lastStaged }: Pick<Shared, "lastStaged">,
): Promise<StagedCommit> {
  const made = lastStaged.value;
  if (made !== undefined && equalBytes(made.commit, pending.commit)) return made;
  return decodeStagedCommit(state, pending.staged);
}

/** Drops the pending commit, if there is one, and erases what this object has of its secrets (R-14-2). */
export function dropPending(draft: Draft, { lastStaged }: Pick<Shared, "lastStaged">): void {
  const [{ pending, state }, made] = [draft, lastStaged.value];
  if (made !== undefined && pending !== undefined && equalBytes(made.commit, pending.commit)) {
    draft.step({ state, consumed: discardCommit(state, made) });
  }
  draft.setPending(undefined);
}

/** Records another member's commit, which `draft` has stepped over already. */
export async function recordCommit(
  draft: Draft,
  shared: Shared,
  { id, before, effect, at }: { id: string; before: GroupState; effect: CommitEffect; at: number },
): Promise<void> {
  const added = effect.added.map(({ keyPackage }) => nameOf(keyPackage.leafNode.credential));
  const actor = nameOf(effect.committer.leafNode.credential);
  const joined = effect.external ? [actor] : [];
  const removed = namesOf(effect.removed).filter((name) => !joined.includes(name));
  draft.addItem(changeItem(before, draft.state, { actor, added: [...added, ...joined], removed, at }));
  await enterNewEpoch(draft, shared, id);
}

const namesOf = (members: readonly ChangedMember[]): readonly string[] =>
  members.map(({ leafNode }) => nameOf(leafNode.credential));

function changeItem(
  before: GroupState,
  after: GroupState,
  change: { actor: string; added: readonly string[]; removed: readonly string[]; at: number },
): NewItem {
  const title = titleOf(after.context.extensions);
  return {
    kind: "change",
    ...change,
    epoch: before.context.epoch + 1n,
    renamedTo: title === titleOf(before.context.extensions) ? undefined : title,
    joined: false,
  };
}

/** Whatever waited for the old epoch has lost its meaning: own proposals and a pending commit. */
async function enterNewEpoch(draft: Draft, shared: Shared, id: string): Promise<void> {
  dropPending(draft, shared);
  for (const [number, { item }] of draft.outbox) if (item === 0) draft.setOutbox(number, undefined);
  if (draft.state.status !== "active") {
    await failOutbox(draft, shared, id);
  } else if (draft.meta.leaving) {
    await proposeToLeave(draft, shared);
  }
}

/** Asks the others to remove this client, in the current epoch (a proposal does not outlive its epoch). */
export async function proposeToLeave(draft: Draft, { account }: Pick<Shared, "account">): Promise<void> {
  const { state } = draft;
  const proposal = { proposalType: ProposalType.remove, removed: Number(state.leafIndex) } as const;
  const sent = await createProposal(state, proposal, { rules: draft.rules, signer: account.signer });
  draft.step(sent);
  draft.enqueue({ item: 0, sealed: { epoch: state.context.epoch, message: sent.message }, failed: false });
}

/** Nothing can be sent to a group that this client is not in. */
async function failOutbox(draft: Draft, { account }: Shared, id: string): Promise<void> {
  const waiting = [...draft.outbox].filter(([, { failed }]) => !failed);
  const items = await readItems(
    account.store,
    id,
    waiting.map(([, { item }]) => item),
  );
  for (const [number, entry] of waiting) {
    draft.setOutbox(number, { ...entry, sealed: undefined, failed: true });
    const item = draft.items.findLast(({ seq }) => seq === entry.item) ?? items.get(entry.item);
    if (item?.kind === "message") draft.changeItem(failedItem(item, "ERR_CLIENT_NOT_ACTIVE"));
  }
}

export const failedItem = (item: MessageItem, problem: string): MessageItem => ({ ...item, state: "failed", problem });
