/** The application's policy for proposals (RFC 9420 §12.1.8, §12.2). */
import type { SentProposal, Sender } from "../framing/framed-content.ts";
import { ask } from "../hooks.ts";

/** The part of `Rules` that decides which proposals may be. */
export interface PolicyRules {
  /**
   * Throws to refuse a list of proposals, made or received, as a whole: `ERR_MLS_POLICY` (R-12.2-15). When a Commit is made,
   * received proposals are left out until it agrees.
   */
  readonly allowProposals: (request: { proposals: readonly SentProposal[]; committer: Sender }) => Promise<void>;
  /**
   * Throws to refuse a proposal by a sender who is not a member, before it waits for a Commit: `ERR_MLS_POLICY` (R-12.1.8-4). A
   * Commit that covers a refused proposal cannot be followed, so all members have to decide alike. Default: those may propose whom
   * the group lists in `external_senders`; clients that ask to be added may not, since whoever knows group id and epoch can ask.
   */
  readonly allowOutsideProposal: (request: SentProposal) => Promise<void>;
}

const POLICY = { code: "ERR_MLS_POLICY", message: "The application's policy refused the proposals" } as const;

/** Asks the application's policy; whatever it throws becomes `ERR_MLS_POLICY` (R-12.2-15). */
export async function checkPolicy(
  rules: PolicyRules,
  request: { readonly proposals: readonly SentProposal[]; readonly committer: Sender },
): Promise<void> {
  await ask(() => rules.allowProposals(request), { ...POLICY, requirement: "R-12.2-15" });
}

/** Asks it about a proposal that stands alone, unless a member sent it (R-12.1.8-4). */
export async function checkOutsidePolicy(rules: PolicyRules, sent: SentProposal): Promise<void> {
  if (sent.sender.senderType === "member") return;
  await ask(() => rules.allowOutsideProposal(sent), { ...POLICY, requirement: "R-12.1.8-4" });
}
