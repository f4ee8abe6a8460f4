/** Messaging Layer Security (RFC 9420) as a pure state machine: values in, values out. */
export { CoppiceError, isCoppiceError } from "./errors.ts";
export type { CoppiceErrorOptions, ErrorCode, ErrorDetail, MlsErrorCode } from "./errors.ts";
export { concat, equalBytes, equalConstantTime, erase, fromHex, toHex, utf8 } from "./codec/bytes.ts";
export type { Bytes } from "./codec/bytes.ts";
export * as codec from "./codec/codec.ts";
export type { Codec, Given } from "./codec/codec.ts";
export type { Reader } from "./codec/reader.ts";
export type { Writer } from "./codec/writer.ts";
export { DEFAULT_LIMITS } from "./limits.ts";
export type { Limits } from "./limits.ts";
export { noPadding, padme, padToBlocks } from "./framing/padding.ts";
export type { Padding } from "./framing/padding.ts";
export type { Progress } from "./in-flight.ts";
export { getCipherSuite, SUPPORTED_CIPHER_SUITES } from "./crypto/cipher-suite.ts";
export type { CipherSuite } from "./crypto/cipher-suite.ts";
export { describeCurve25519, useCurve25519 } from "./crypto/curve-options.ts";
export type { Curve25519Choice, Curve25519Options, VerifyingCosts } from "./crypto/curve-options.ts";
export { loadKernel } from "./crypto/kernel.ts";
export type { LocalSigner, SignatureKeyPair, SignatureScheme, Signer } from "./crypto/signature.ts";
export { randomBytes } from "@coppice/kit";
export type { AuthenticationService, Identity, ValidationMoment } from "./identity/authentication.ts";
export { basicCredential, credential, CredentialType, sameCredential } from "./identity/credential.ts";
export type { BasicCredential, Credential, X509Credential } from "./identity/credential.ts";
export {
  externalSender,
  externalSenders,
  ExtensionType,
  findExtension,
  makeExtension,
  requiredCapabilities,
} from "./extensions/extension.ts";
export type { Extension, ExternalSender, RequiredCapabilities } from "./extensions/extension.ts";
export { assembleOwnKeyPackage, createKeyPackage, keyPackage, verifyKeyPackage } from "./framing/key-package.ts";
export type { CreateKeyPackageOptions, KeyPackage, OwnKeyPackage } from "./framing/key-package.ts";
export { decodeMessage, decodeMessageOf, encodeMessage } from "./framing/mls-message.ts";
export type { MessageLimits, MlsMessage, WireFormat } from "./framing/mls-message.ts";
export type { Sender, SentProposal } from "./framing/framed-content.ts";
export { ProposalType } from "./framing/proposal.ts";
export type { CustomProposal, Proposal } from "./framing/proposal.ts";
export type { Welcome } from "./framing/welcome.ts";
export type { GroupInfo } from "./framing/group-info.ts";
export { defaultCapabilities } from "./extensions/capabilities.ts";
export type { Capabilities } from "./extensions/capabilities.ts";
export { validateLeafNode } from "./tree/leaf-node-validation.ts";
export type { LeafNodeRules } from "./tree/leaf-node-validation.ts";
export type { LeafNode, Lifetime } from "./tree/leaf-node.ts";
export type { LeafIndex } from "./tree/tree-math.ts";
export type { RatchetTree } from "./tree/ratchet-tree.ts";
export type { PreSharedKeyId } from "./schedule/psk.ts";
export type { GroupContext } from "./schedule/group-context.ts";
export { defineProposalType } from "./proposal/custom-proposal.ts";
export type {
  CustomProposalType,
  ProposalTypeDefinition,
  ProposalTypeRules,
  SentCustomProposal,
} from "./proposal/custom-proposal.ts";
export { DEFAULT_MAX_LIFETIME_SECONDS, makeRules } from "./rules.ts";
export type { Rules } from "./rules.ts";
export { isComplete } from "./state/group-state.ts";
export type {
  CachedProposal,
  FormerMembers,
  GroupState,
  GroupStatus,
  MessagingState,
  PastEpoch,
  PublicGroupState,
  Transition,
} from "./state/group-state.ts";
export { checkBestSuite, negotiateGroup } from "./group/negotiate.ts";
export type { NegotiatedGroup } from "./group/negotiate.ts";
export { createGroup } from "./group/create.ts";
export type { CreateGroupOptions } from "./group/create.ts";
export { branchGroup, reinitGroup } from "./group/successor.ts";
export type { BranchOptions, ReinitOptions, Successor, SuccessorOptions } from "./group/successor.ts";
export { findWelcomed, joinGroup } from "./group/join.ts";
export type { JoinedGroup, JoinOptions } from "./group/join.ts";
export { adoptCommit, createCommit, discardCommit } from "./commit/create.ts";
export type { CreateCommitOptions, StagedCommit } from "./commit/create.ts";
export type { LeafChanges } from "./commit/own-leaf.ts";
export type { CommitEffect } from "./commit/validate.ts";
export type { ProcessedCommit } from "./commit/process.ts";
export type { AddedMember, ChangedMember } from "./proposal/apply.ts";
export type { RefusedProposal } from "./proposal/select.ts";
export { createApplicationMessage, createProposal, createUpdateProposal } from "./group/send.ts";
export type { ProposeOptions, SendApplicationOptions } from "./group/send.ts";
export { createExternalProposal, createNewMemberProposal } from "./group/propose-from-outside.ts";
export type { ExternalProposalOptions, OutsideProposalOptions } from "./group/propose-from-outside.ts";
export { openMany } from "./group/open-many.ts";
export type { OpenedMany, OpenedMessage, RefusedMessage } from "./group/open-many.ts";
export type { OpenedApplication } from "./group/open-private.ts";
export { processMessage } from "./group/receive.ts";
export type { ReceivedApplication, ReceivedCommit, ReceivedMessage, ReceivedProposal } from "./group/receive.ts";
export { dropPastEpochs } from "./group/past-epochs.ts";
export { findIdleMembers } from "./group/idle-members.ts";
export type { IdleMember } from "./group/idle-members.ts";
export { createGroupInfo, exportRatchetTree, exportSecret } from "./group/export.ts";
export type { GroupInfoOptions } from "./group/export.ts";
export { recordsToOpen, recordsToSend } from "./group/needed-records.ts";
export { diffGroupRecords } from "./state/diff-records.ts";
export type { RecordChanges } from "./state/diff-records.ts";
export { patchGroup, restoreGroup, restoreMessaging, withRecords } from "./state/restore-records.ts";
export type { KnownRecords } from "./state/given-records.ts";
export { usedKeys } from "./state/used-keys.ts";
export type { UsedKeys } from "./state/used-keys.ts";
export { memberRecord, readMembers } from "./state/read-members.ts";
export type { StoredMember } from "./state/read-members.ts";
export { GROUP_RECORDS } from "./state/record-names.ts";
export {
  decodeGroupState,
  decodeOwnKeyPackage,
  decodeStagedCommit,
  encodeGroupState,
  encodeOwnKeyPackage,
  encodeStagedCommit,
} from "./group/serialise.ts";
export { createExternalCommit } from "./group/external-join.ts";
export type { ExternalJoin, ExternalJoinOptions } from "./group/external-join.ts";
export { observeGroup, observeMessage } from "./group/public-group.ts";
export type { ObservedCommit, ObservedProposal, ObserveOptions } from "./group/public-group.ts";
