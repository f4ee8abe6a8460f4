/** Choosing proposals for a Commit that is being made (RFC 9420 §12.2): no received proposal can wedge a group. */
import { isCoppiceError } from "../errors.ts";
import type { CoppiceError } from "../errors.ts";
import type { ProposalOrRef } from "../framing/proposal.ts";
import { ProposalType } from "../framing/proposal.ts";
import type { CachedProposal, GroupState } from "../group-state.ts";
import type { Rules, SentProposal } from "../rules.ts";
import { validateProposalList } from "./validate-list.ts";

/** A cached proposal that does not fit in the list, or is not valid in itself. */
export interface RefusedProposal {
  readonly proposal: CachedProposal;
  readonly reason: CoppiceError;
}

export interface SelectedProposals<T> {
  /** Referenced ones first, then new ones. */
  readonly proposals: readonly SentProposal[];
  readonly references: readonly ProposalOrRef[];
  readonly refused: readonly RefusedProposal[];
  /** What applying them gave. */
  readonly outcome: T;
}

/** Removes before Updates, newer Updates before older ones (R-12.2-5), a ReInit last (R-12.2-11). */
function preference({ proposal }: SentProposal): number {
  if (proposal.proposalType === ProposalType.remove) return 0;
  if (proposal.proposalType === ProposalType.reinit) return 2;
  return 1;
}

interface SelectOptions<T> {
  readonly rules: Rules;
  readonly includeCached: boolean;
  /** Applies a list to copies; what it throws as a `CoppiceError` is a reason to leave cached proposals out. */
  readonly apply: (proposals: readonly SentProposal[]) => Promise<T>;
}

type Attempt<T> = (cached: readonly CachedProposal[]) => Promise<SelectedProposals<T>>;

/** Adds cached proposals to `own` as long as the list stays valid; `own` has precedence, and throws if it is invalid. */
export async function selectProposals<T>(
  state: GroupState,
  own: readonly SentProposal[],
  { rules, includeCached, apply }: SelectOptions<T>,
): Promise<SelectedProposals<T>> {
  const refused: RefusedProposal[] = [];
  const listed = fitInList(state, own, { rules, includeCached, refused });

  const attempt: Attempt<T> = async (cached) => {
    // In the order of arrival, which is the order that PSKs and Adds take effect in.
    const chosen = [...state.proposals.values()].filter((proposal) => cached.includes(proposal));
    const proposals = [...chosen, ...own];
    const references = chosen.map(({ ref }): ProposalOrRef => ({ type: "reference", reference: ref }));
    return { proposals, references, refused, outcome: await apply(proposals) };
  };
  try {
    return await attempt(listed);
  } catch (reason) {
    if (!isCoppiceError(reason) || listed.length === 0) throw reason;
  }
  return withoutBadOnes(listed, refused, attempt);
}

/** Cached proposals that are a valid list together with `own`. */
function fitInList(
  state: GroupState,
  own: readonly SentProposal[],
  { rules, includeCached, refused }: { rules: Rules; includeCached: boolean; refused: RefusedProposal[] },
): CachedProposal[] {
  const { suite, tree, leafIndex: committer } = state;
  const judging = { tree, rules, committer };
  validateProposalList(suite, own, judging);
  const taken: CachedProposal[] = [];
  const candidates = includeCached ? [...state.proposals.values()].reverse() : [];
  for (const proposal of candidates.sort((a, b) => preference(a) - preference(b))) {
    try {
      validateProposalList(suite, [...taken, proposal, ...own], judging);
      taken.push(proposal);
    } catch (reason) {
      if (!isCoppiceError(reason)) throw reason;
      refused.push({ proposal, reason });
    }
  }
  return taken;
}

/** Finds proposals that cannot be applied by halving the list, so that a few bad ones among many cost few attempts. */
async function withoutBadOnes<T>(
  listed: readonly CachedProposal[],
  refused: RefusedProposal[],
  attempt: Attempt<T>,
): Promise<SelectedProposals<T>> {
  const kept: CachedProposal[] = [];
  let best = await attempt([]);
  const take = async (candidates: readonly CachedProposal[]): Promise<void> => {
    try {
      best = await attempt([...kept, ...candidates]);
      kept.push(...candidates);
      return;
    } catch (reason) {
      if (!isCoppiceError(reason)) throw reason;
      const [only] = candidates;
      if (only !== undefined && candidates.length === 1) {
        refused.push({ proposal: only, reason });
        return;
      }
    }
    const middle = candidates.length >>> 1;
    await take(candidates.slice(0, middle));
    await take(candidates.slice(middle));
  };
  await take(listed);
  return best;
}
