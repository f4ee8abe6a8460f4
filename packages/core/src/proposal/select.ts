/** Choosing proposals for a Commit that is being made (RFC 9420 §12.2): no received proposal can wedge a group. */
import { toHex } from "../codec/bytes.ts";
import { CoppiceError, isCoppiceError } from "../errors.ts";
import { type ProposalOrRef, ProposalType } from "../framing/proposal.ts";
import type { CachedProposal, GroupState } from "../state/group-state.ts";
import { inFlight } from "../in-flight.ts";
import type { SentProposal } from "../framing/framed-content.ts";
import { type ApplyRules, type Verify, verifier } from "./apply.ts";
import { type ProposalTypeRules, removesSender } from "./custom-proposal.ts";
import { proposalList } from "./validate-list.ts";

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

/** SelfRemoves before Removes (X-6.3-6), these before Updates, newer Updates before older ones (R-12.2-5), a ReInit last (R-12.2-11). */
function preference({ proposal }: SentProposal, types: readonly ProposalTypeRules[]): number {
  if (removesSender(proposal, types)) return -1;
  if (proposal.proposalType === ProposalType.remove) return 0;
  if (proposal.proposalType === ProposalType.reinit) return 2;
  return 1;
}

interface SelectOptions<T> {
  readonly rules: ApplyRules;
  readonly includeCached: boolean | readonly Uint8Array[];
  /** Applies a list to copies; what it throws as a `CoppiceError` is a reason to leave cached proposals out. */
  readonly apply: (proposals: readonly SentProposal[], verify: Verify) => Promise<T>;
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

  const { suite, tree, context } = state;
  const verify = verifier(suite, { tree, context, rules, sending: true });
  const attempt: Attempt<T> = async (cached) => {
    // In the order of arrival, which is the order that PSKs and Adds take effect in.
    const among = new Set(cached);
    const chosen = [...state.proposals.values()].filter((proposal) => among.has(proposal));
    const proposals = [...chosen, ...own];
    const references = chosen.map(({ ref }): ProposalOrRef => ({ type: "reference", reference: ref }));
    return { proposals, references, refused, outcome: await apply(proposals, verify) };
  };
  try {
    return await attempt(listed);
  } catch (reason) {
    if (!isCoppiceError(reason) || listed.length === 0) throw reason;
  }
  return withoutBadOnes(listed, refused, { attempt, verify });
}

/** In the order of arrival. `ERR_MLS_PROPOSAL_REF` for a reference that is none of this epoch's. */
function candidatesOf({ proposals }: GroupState, chosen: boolean | readonly Uint8Array[]): CachedProposal[] {
  if (typeof chosen === "boolean") return chosen ? [...proposals.values()] : [];
  const refs = new Set(chosen.map(toHex));
  const missing = [...refs].filter((ref) => !proposals.has(ref));
  if (missing.length > 0) {
    throw new CoppiceError("ERR_MLS_PROPOSAL_REF", "Proposals were chosen that are not known", {
      requirement: "R-12.4-2",
      detail: { missing },
    });
  }
  return [...proposals.values()].filter(({ ref }) => refs.has(toHex(ref)));
}

/** Cached proposals that are a valid list together with `own`. */
function fitInList(
  state: GroupState,
  own: readonly SentProposal[],
  {
    rules,
    includeCached,
    refused,
  }: Pick<SelectOptions<never>, "rules" | "includeCached"> & { readonly refused: RefusedProposal[] },
): CachedProposal[] {
  const { suite, tree, leafIndex: committer } = state;
  const add = proposalList(suite, { tree, rules, committer });
  for (const sent of own) add(sent);
  const taken: CachedProposal[] = [];
  const { proposalTypes: types } = rules;
  const candidates = candidatesOf(state, includeCached).reverse();
  for (const proposal of candidates.sort((a, b) => preference(a, types) - preference(b, types))) {
    try {
      add(proposal);
      taken.push(proposal);
    } catch (reason) {
      if (!isCoppiceError(reason)) throw reason;
      refused.push({ proposal, reason });
    }
  }
  return taken;
}

/**
 * Leaves out what is bad by itself, then finds what cannot be applied with the others by halving the list, so that a few among many
 * cost few attempts.
 */
async function withoutBadOnes<T>(
  listed: readonly CachedProposal[],
  refused: RefusedProposal[],
  { attempt, verify }: { readonly attempt: Attempt<T>; readonly verify: Verify },
): Promise<SelectedProposals<T>> {
  let best = await attempt([]);
  const bad = new Set<CachedProposal>();
  await inFlight(listed, async (proposal) => {
    try {
      await verify(proposal);
    } catch (reason) {
      if (!isCoppiceError(reason)) throw reason;
      bad.add(proposal);
      refused.push({ proposal, reason });
    }
  });
  const kept: CachedProposal[] = [];
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
  await take(listed.filter((proposal) => !bad.has(proposal)));
  return best;
}
