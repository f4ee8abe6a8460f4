/** Proposals by a partial member. It cannot commit them: full members do. */
import { type Given, copyOf } from "../../codec/codec.ts";
import type { LeafChanges } from "../../commit/own-leaf.ts";
import { CoppiceError } from "../../errors.ts";
import { type Proposal, type UpdateProposal, proposal as wireProposal } from "../../framing/proposal.ts";
import { type ProposeOptions, type SentByMember, sendProposal, withUpdate } from "../../group/send.ts";
import { checkProposal } from "../../proposal/validate-list.ts";
import { requireActive } from "../../state/group-state.ts";
import { checkSupport } from "../../tree/leaf-node-validation.ts";
import type { PartialGroupState } from "./partial-state.ts";
import { anyLeaf } from "./receive.ts";

/**
 * Sends a proposal for a full member to commit, and caches it here. It is judged as far as a partial member can: whether all members
 * support it, or who is at a leaf, the committer sees. `ERR_MLS_PROPOSAL_LIST` for a custom type (P-10-10), and the codes of
 * `createProposal`. Annotate the message for others with `annotateOwnMessage`.
 */
export async function createPartialProposal(
  state: PartialGroupState,
  proposal: Given<Exclude<Proposal, UpdateProposal>>,
  options: ProposeOptions,
): Promise<SentByMember<PartialGroupState>> {
  return propose(state, copyOf(wireProposal, proposal), options);
}

/** Proposes new keys for the own leaf; they take effect when a Commit covers the proposal (R-12.1.2-2). */
export async function createPartialUpdateProposal(
  state: PartialGroupState,
  options: ProposeOptions & { readonly leaf?: LeafChanges },
): Promise<SentByMember<PartialGroupState>> {
  return withUpdate(state, options, (update) => {
    checkSupport(update.leafNode, state.context);
    return propose(state, update, options);
  });
}

async function propose(
  state: PartialGroupState,
  proposal: Proposal,
  options: ProposeOptions,
): Promise<SentByMember<PartialGroupState>> {
  requireActive(state);
  const sender = { senderType: "member", leafIndex: state.leafIndex } as const;
  if (proposal.proposalType === "custom") {
    throw new CoppiceError("ERR_MLS_PROPOSAL_LIST", "A partial member cannot apply a custom proposal", {
      requirement: "P-10-10",
    });
  }
  checkProposal(state.suite, { proposal, sender }, { tree: anyLeaf(state), rules: options.rules });
  return sendProposal(state, proposal, options);
}
