/** Proposals by those who are not members (RFC 9420 §12.1.8): external senders, and clients who ask to be added. */

import { type Given, copyOf } from "../codec/codec.ts";
import { type Bytes, equalBytes } from "../codec/bytes.ts";
import type { Signer } from "../crypto/signature.ts";
import type { ProposalTypeRules } from "../proposal/custom-proposal.ts";
import { CoppiceError } from "../errors.ts";
import { findExternalSenders } from "../extensions/extension.ts";
import { type FramedContent, type Sender, signFramedContent } from "../framing/framed-content.ts";
import { encodeMessage } from "../framing/mls-message.ts";
import { type Proposal, proposal as wireProposal, ProposalType } from "../framing/proposal.ts";
import { type KeyPackage, keyPackage as wireKeyPackage } from "../framing/key-package.ts";
import { ownAuthenticatedData } from "../framing/protect.ts";
import { checkProposalSender, checkReinit } from "../proposal/validate-list.ts";
import type { GroupContext } from "../schedule/group-context.ts";

/** Who proposes from outside. */
export interface OutsideProposalOptions {
  readonly signer: Signer;
  /** Sent in clear, authenticated. Default empty. */
  readonly authenticatedData?: Uint8Array;
}

/** Which external sender proposes. */
export interface ExternalProposalOptions extends OutsideProposalOptions {
  /** Its place in the group's `external_senders`. */
  readonly senderIndex: number;
  /** Types beyond those of RFC 9420, as the group's members define them. Default none. */
  readonly proposalTypes?: readonly ProposalTypeRules[];
}

/**
 * Proposes as one of the group's `external_senders`: an Add, Remove, PreSharedKey, ReInit, GroupContextExtensions or
 * a custom type that allows it, as an encoded `MLSMessage`. `context` is that of the current epoch, from a GroupInfo or an observer. `ERR_MLS_SENDER` if the
 * group does not list the signer's key at `senderIndex` (R-12.1.8-2) or for another type of proposal (R-12.1.8-3). `ERR_MLS_VERSION` for
 * a ReInit to a version or suite that is not supported.
 *
 * @example
 * ```ts run
 * import { createCommit, createExternalProposal, ExtensionType, makeExtension, processMessage } from "@coppice/core";
 * import { adoptCommit, externalSenders, ProposalType } from "@coppice/core";
 * import { alice, bob, makePerson, rules } from "./example-group.ts"; // docs/examples
 *
 * const moderator = await makePerson("moderator");
 * const listed = { signatureKey: moderator.signer.publicKey, credential: moderator.credential };
 * const listing = await createCommit(alice.state, {
 *   rules,
 *   signer: alice.signer,
 *   proposals: [
 *     {
 *       proposalType: ProposalType.groupContextExtensions,
 *       extensions: [makeExtension(ExtensionType.externalSenders, externalSenders, [listed])],
 *     },
 *   ],
 * });
 * const { state } = adoptCommit(listing.state, listing.staged, rules);
 *
 * const remove = { proposalType: ProposalType.remove, removed: bob.state.leafIndex } as const;
 * const options = { signer: moderator.signer, senderIndex: 0 };
 * const message = await createExternalProposal(state.context, remove, options);
 * const received = await processMessage(state, message, { rules });
 * console.assert(received.kind === "proposal" && received.sender.senderType === "external");
 * ```
 */
export async function createExternalProposal(
  context: GroupContext,
  given: Given<Proposal>,
  options: ExternalProposalOptions,
): Promise<Bytes> {
  const proposal = copyOf(wireProposal, given);
  const { senderIndex, signer } = options;
  const listed = findExternalSenders(context.extensions)[senderIndex];
  if (listed === undefined || !equalBytes(listed.signatureKey, signer.publicKey)) {
    throw new CoppiceError("ERR_MLS_SENDER", "The group does not list this key as an external sender", {
      requirement: "R-12.1.8-2",
      detail: { senderIndex },
    });
  }
  const sender = { senderType: "external", senderIndex } as const;
  checkProposalSender(proposal, sender, options.proposalTypes ?? []);
  if (proposal.proposalType === ProposalType.reinit) checkReinit(proposal);
  return propose(context, proposal, sender, options);
}

/**
 * Asks a group to add this client, as an encoded `MLSMessage` (R-12.1.8-4): `signer` holds the signature key of the key
 * package. Members drop it unless their `rules.allowOutsideProposal` lets it wait for a Commit. `ERR_MLS_KEY_PACKAGE` for a key
 * package of another suite or of another key.
 *
 * @example
 * ```ts run
 * import { createNewMemberProposal, processMessage } from "@coppice/core";
 * import { alice, makeKeyPackage, makePerson, rules as closed } from "./example-group.ts"; // docs/examples
 *
 * const carol = await makePerson("carol");
 * const { keyPackage } = await makeKeyPackage(carol);
 * const message = await createNewMemberProposal(alice.state.context, keyPackage, { signer: carol.signer });
 *
 * const rules = { ...closed, allowOutsideProposal: () => Promise.resolve() }; // anybody may ask: look who it is instead
 * const received = await processMessage(alice.state, message, { rules });
 * console.assert(received.kind === "proposal" && received.state.proposals.size === 1);
 * ```
 */
export async function createNewMemberProposal(
  context: GroupContext,
  given: Given<KeyPackage>,
  options: OutsideProposalOptions,
): Promise<Bytes> {
  const keyPackage = copyOf(wireKeyPackage, given);
  const fits =
    keyPackage.cipherSuite === context.cipherSuite &&
    equalBytes(keyPackage.leafNode.signatureKey, options.signer.publicKey);
  if (!fits) {
    throw new CoppiceError("ERR_MLS_KEY_PACKAGE", "The key package is of another cipher suite or signature key", {
      requirement: "R-12.1.8-4",
      detail: { cipherSuite: keyPackage.cipherSuite, expected: context.cipherSuite },
    });
  }
  const proposal = { proposalType: ProposalType.add, keyPackage } as const;
  return propose(context, proposal, { senderType: "new_member_proposal" }, options);
}

/** Always a public message (R-12.1.8-1), without a membership tag. */
async function propose(
  context: GroupContext,
  proposal: Proposal,
  sender: Sender,
  options: OutsideProposalOptions,
): Promise<Bytes> {
  const wireFormat = "mls_public_message";
  const { groupId, epoch } = context;
  const authenticatedData = ownAuthenticatedData(options);
  const content: FramedContent = {
    ...{ groupId, epoch, sender, authenticatedData },
    content: { contentType: "proposal", proposal },
  };
  const signature = await signFramedContent(options.signer, { wireFormat, content, context });
  const publicMessage = { content, auth: { signature, confirmationTag: undefined }, membershipTag: undefined };
  return encodeMessage({ wireFormat, publicMessage });
}
