/** SelfRemove (draft-ietf-mls-extensions-10 §6.3): a member leaves, and whoever commits next carries it out, joiners too. */
import type { Bytes } from "../../codec/bytes.ts";
import { nothing } from "../../codec/codec.ts";
import { CoppiceError } from "../../errors.ts";
import type { ProtectedMessage } from "../../framing/protect.ts";
import { type CustomProposal, DraftProposalType } from "../../framing/proposal.ts";
import { type ProposeOptions, createProposal } from "../../group/send.ts";
import { type ProposalTypeRules, defineProposalType } from "../../proposal/custom-proposal.ts";
import type { GroupState, PublicGroupState } from "../../state/group-state.ts";

const type = defineProposalType({
  customType: DraftProposalType.selfRemove,
  body: nothing,
  external: false,
  pathRequired: true,
  order: "last",
});

/** SelfRemove, for `rules.proposalTypes`: see `withExtensions`. */
export const selfRemove: ProposalTypeRules = { ...type, removesSender: true };

const PROPOSAL: CustomProposal = type.propose({});

/** Whether all members list SelfRemove in their capabilities, so that one of them can use it. */
export const canSelfRemove = ({ tree }: Pick<PublicGroupState, "tree">): boolean =>
  tree.summary.supported?.proposals.includes(DraftProposalType.selfRemove) === true;

/**
 * Leaves the group: a public message, as all SelfRemoves are, that takes effect with the next Commit, of a member or of one who joins.
 * `ERR_MLS_PROPOSAL_LIST` (R-12.2-13) unless all members support it, `ERR_MLS_STATE` (X-6.3-8) for the second one in an epoch, and the
 * codes of `createProposal`.
 *
 * @example
 * ```ts run
 * import { canSelfRemove, createSelfRemove, withExtensions } from "@coppice/core/drafts/extensions";
 * import { bob, rules as plain } from "./example-group.ts"; // docs/examples
 *
 * const rules = withExtensions(plain, { components: [] });
 * if (canSelfRemove(bob.state)) await createSelfRemove(bob.state, { rules, signer: bob.signer });
 * // else a Remove of the own leaf, as RFC 9420 has it
 * ```
 */
export async function createSelfRemove(
  state: GroupState,
  options: Omit<ProposeOptions, "wireFormat">,
): Promise<ProtectedMessage<GroupState> & { readonly ref: Bytes }> {
  for (const { proposal, sender } of state.proposals.values()) {
    const isOwn = sender.senderType === "member" && sender.leafIndex === state.leafIndex;
    if (isOwn && proposal.proposalType === "custom" && proposal.customType === DraftProposalType.selfRemove) {
      throw new CoppiceError("ERR_MLS_STATE", "This member leaves already: one SelfRemove is enough for an epoch", {
        requirement: "X-6.3-8",
      });
    }
  }
  return createProposal(state, PROPOSAL, { ...options, wireFormat: "mls_public_message" });
}
