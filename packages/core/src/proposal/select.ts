/** Choosing proposals for a Commit that is being made (RFC 9420 §12.2): no received proposal can wedge a group. */
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { isCoppiceError } from "../errors.ts";
import type { CoppiceError } from "../errors.ts";
import type { ProposalOrRef } from "../framing/proposal.ts";
import { ProposalType } from "../framing/proposal.ts";
import type { CachedProposal, GroupState } from "../group-state.ts";
import type { SentProposal } from "../rules.ts";
import { validateProposalList } from "./validate-list.ts";

/** A cached proposal that does not fit in the list. */
export interface RefusedProposal {
  readonly proposal: CachedProposal;
  readonly reason: CoppiceError;
}

export interface SelectedProposals {
  /** Referenced ones first, then new ones. */
  readonly proposals: readonly SentProposal[];
  readonly references: readonly ProposalOrRef[];
  readonly refused: readonly RefusedProposal[];
}

/** Removes before Updates, newer Updates before older ones (R-12.2-5), a ReInit last (R-12.2-11). */
function preference({ proposal }: SentProposal): number {
  if (proposal.proposalType === ProposalType.remove) return 0;
  if (proposal.proposalType === ProposalType.reinit) return 2;
  return 1;
}

/** Adds cached proposals to `own` as long as the list stays valid; `own` has precedence. */
export function selectProposals(
  suite: CipherSuite,
  state: GroupState,
  own: readonly SentProposal[],
  includeCached: boolean,
): SelectedProposals {
  const taken: CachedProposal[] = [];
  const refused: RefusedProposal[] = [];
  const candidates = includeCached ? [...state.proposals.values()].reverse() : [];
  for (const proposal of candidates.sort((a, b) => preference(a) - preference(b))) {
    try {
      validateProposalList(suite, state.tree, { proposals: [...taken, proposal, ...own], committer: state.leafIndex });
      taken.push(proposal);
    } catch (reason) {
      if (!isCoppiceError(reason)) throw reason;
      refused.push({ proposal, reason });
    }
  }
  // In the order of arrival, which is the order that PSKs and Adds take effect in.
  const chosen = [...state.proposals.values()].filter((proposal) => taken.includes(proposal));
  return {
    proposals: [...chosen, ...own],
    references: chosen.map(({ ref }) => ({ type: "reference", reference: ref })),
    refused,
  };
}
