/**
 * Partial MLS (draft-ietf-mls-partial, as it stood in November 2026): members who follow a group without its ratchet tree. A draft: what is here changes when it
 * does.
 */
export { admitMember, ProvenLeaves } from "./partial-state.ts";
export type { PartialGroupState } from "./partial-state.ts";
export type { MembershipProof } from "./membership-proof.ts";
export type {
  AnnotatedCommit,
  AnnotatedWelcome,
  FramedMessage,
  SenderAuthenticated,
  SenderAuthenticatedMessage,
} from "./wire-types.ts";
export { joinPartially } from "./join.ts";
export type { PartiallyJoinedGroup, PartialJoinOptions } from "./join.ts";
export { processAnnotatedCommit } from "./process-commit.ts";
export type { PartialCommit, PartialCommitEffect } from "./process-commit.ts";
export { processOutsideProposal, processSenderAuthenticated } from "./receive.ts";
export type { PartiallyReceived } from "./receive.ts";
export { createPartialProposal, createPartialUpdateProposal } from "./propose.ts";
export { downgradeToPartial, upgradeToFull } from "./upgrade.ts";
export { annotateCommit, annotateMessage, annotateOwnMessage, annotateWelcome, membershipProofOf } from "./annotate.ts";
export type { CommitToAnnotate, KnownGroup } from "./annotate.ts";
