/** Proposal list validation (RFC 9420 §12.2), the same for making a Commit and for processing one. */
import { encode } from "../codec/codec.ts";
import { toHex } from "../codec/bytes.ts";
import { type CipherSuite, isCipherSuite } from "../crypto/cipher-suite.ts";
import { type ProposalTypeRules, removesSender, rulesOf } from "./custom-proposal.ts";
import { CoppiceError } from "../errors.ts";
import { MLS10 } from "../extensions/capabilities.ts";
import type { FramedWireFormat, Sender, SentProposal } from "../framing/framed-content.ts";
import { type Proposal, type ReInitProposal, ProposalType } from "../framing/proposal.ts";
import type { Limits } from "../limits.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import { type PreSharedKeyId, preSharedKeyId } from "../schedule/psk.ts";
import type { LeafIndex } from "../tree/tree-math.ts";

const listError = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_PROPOSAL_LIST", message, { requirement });

const proposalError = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_PROPOSAL", message, { requirement });

/** What senders outside the group may propose (R-12.1.8-3, R-12.1.8-4). */
const EXTERNAL: ReadonlySet<Proposal["proposalType"]> = new Set([
  ProposalType.add,
  ProposalType.remove,
  ProposalType.psk,
  ProposalType.reinit,
  ProposalType.groupContextExtensions,
]);

/** Refuses a proposal that this kind of sender may not make: `ERR_MLS_SENDER`. */
export function checkProposalSender(proposal: Proposal, sender: Sender, types: readonly ProposalTypeRules[]): void {
  const { proposalType } = proposal;
  const [allowed, requirement] = (
    {
      member: [proposalType !== ProposalType.externalInit, "R-12.1.6-1"],
      external: [
        proposalType === "custom" ? rulesOf(proposal, types).external : EXTERNAL.has(proposalType),
        "R-12.1.8-3",
      ],
      new_member_proposal: [proposalType === ProposalType.add, "R-12.1.8-4"],
      new_member_commit: [true, ""],
    } as const
  )[sender.senderType];
  if (!allowed) {
    throw new CoppiceError("ERR_MLS_SENDER", `A sender of type ${sender.senderType} may not propose this`, {
      requirement,
      detail: { proposalType: proposalType === "custom" ? proposal.customType : proposalType },
    });
  }
}

/** The part of `Rules` that proposals are checked by. */
export interface ProposalRules {
  /** Proposal types beyond those of RFC 9420, which all members have to know: see `defineProposalType`. Default none. */
  readonly proposalTypes: readonly ProposalTypeRules[];
  /**
   * What an extension of the protocol asks of the proposals of a Commit, made or received, beyond RFC 9420: throws to refuse them.
   * Default nothing.
   */
  readonly checkProposals?: (request: { proposals: readonly SentProposal[]; context: GroupContext }) => void;
  readonly limits: Limits;
}

/**
 * `ERR_MLS_VERSION` for a ReInit to a version or suite that this build does not have: it would close the group for good, since nobody
 * here could make the one that it announces (R-11.2-2). Not asked of received Commits, whose sender may know more.
 */
export function checkReinit({ version, cipherSuite }: ReInitProposal): void {
  if (version === MLS10 && isCipherSuite(cipherSuite)) return;
  throw new CoppiceError("ERR_MLS_VERSION", "A ReInit to a version or cipher suite that is not supported", {
    requirement: "R-11.2-2",
    detail: { version, cipherSuite },
  });
}

/** What proposals are checked against. */
interface CheckContext {
  /** Whose leaves are asked for, not what is in them. */
  readonly tree: { findLeaf(index: number): object | undefined };
  readonly rules: ProposalRules;
}

/** Refuses a proposal that is invalid by itself (§12.1). Key packages and leaves are judged by `apply`. */
export function checkProposal(
  suite: CipherSuite,
  { proposal, sender }: SentProposal,
  { tree, rules }: CheckContext,
): void {
  checkProposalSender(proposal, sender, rules.proposalTypes);
  switch (proposal.proposalType) {
    case ProposalType.update:
      if (sender.senderType !== "member") {
        throw new CoppiceError("ERR_MLS_SENDER", "Only members send Updates", { requirement: "R-12.1.2-1" });
      }
      return;
    case ProposalType.remove:
      if (tree.findLeaf(proposal.removed) === undefined) {
        throw proposalError(`Leaf ${String(proposal.removed)} is not a member`, "R-12.1.3-1");
      }
      return;
    case ProposalType.psk:
      checkPskId(suite, proposal.psk, rules.limits);
      if (proposal.psk.pskType === "resumption" && proposal.psk.usage !== "application") {
        const requirement = proposal.psk.usage === "reinit" ? "R-12.1.4-1" : "R-12.1.4-2";
        throw proposalError(`A PSK of usage ${proposal.psk.usage} is not allowed here`, requirement);
      }
      return;
    case ProposalType.reinit:
      if (proposal.version < 1) throw proposalError("ReInit to a lower version", "R-12.1.5-1");
      return;
    case ProposalType.custom:
      rulesOf(proposal, rules.proposalTypes).check(proposal.data);
      return;
    default:
  }
}

function checkPskId({ hash }: CipherSuite, psk: PreSharedKeyId, { pskIdBytes }: Limits): void {
  if ((psk.pskType === "resumption" ? psk.pskGroupId : psk.pskId).length > pskIdBytes) {
    throw new CoppiceError("ERR_MLS_LIMIT", "The id of a PSK is too long", { detail: { pskIdBytes } });
  }
  if (psk.pskNonce.length !== hash.Nh) throw proposalError("The PSK nonce is not Nh bytes", "R-12.1.4-3");
}

/** Refuses PSKs that a Welcome names as those of a Commit are refused, whose they are (R-12.4.1-11). */
export function checkPskIds(suite: CipherSuite, ids: readonly PreSharedKeyId[], limits: Limits): void {
  checkProposalCount(ids.length, limits);
  const seen = new Set<string>();
  for (const id of ids) {
    checkPskId(suite, id, limits);
    addPskId(seen, id);
  }
}

function addPskId(seen: Set<string>, id: PreSharedKeyId): void {
  const key = toHex(encode(preSharedKeyId, id));
  if (seen.has(key)) throw listError("Two PreSharedKeys with one id", "R-12.2-8");
  seen.add(key);
}

/** `ERR_MLS_LIMIT` for more proposals than a Commit may cover. To be asked first: each of them costs work. */
export function checkProposalCount(proposals: number, { proposalsPerCommit }: Limits): void {
  if (proposals <= proposalsPerCommit) return;
  throw new CoppiceError("ERR_MLS_LIMIT", `A Commit covers at most ${String(proposalsPerCommit)} proposals`, {
    detail: { proposals, proposalsPerCommit },
  });
}

interface ListContext extends CheckContext {
  readonly committer: LeafIndex;
}

/** Refuses a list that no regular Commit by `committer` may have (R-12.2-1 to R-12.2-12). */
export function validateProposalList(
  suite: CipherSuite,
  proposals: readonly SentProposal[],
  context: ListContext,
): void {
  const add = proposalList(suite, context);
  for (const sent of proposals) add(sent);
}

/** An empty list of that kind. Adds a proposal to it, or refuses the proposal and leaves the list as it is. */
export function proposalList(suite: CipherSuite, { committer, ...context }: ListContext): (sent: SentProposal) => void {
  let length = 0;
  let closed = false;
  const touched = new Set<number>();
  const once = (seen: Set<number | string>, value: number | string, message: string, requirement: string): void => {
    if (seen.has(value)) throw listError(message, requirement);
    seen.add(value);
  };
  const psks = new Set<string>();
  const added = new Set<string>();
  const contextChanges = new Set<number>();
  const company = (): CoppiceError => listError("A ReInit with company", "R-12.2-10");
  return (sent) => {
    const { proposal, sender } = sent;
    checkProposalCount(length + 1, context.rules.limits);
    if (closed) throw company();
    if (proposal.proposalType === ProposalType.externalInit) {
      throw listError("An ExternalInit in a regular Commit", "R-12.2-12");
    }
    checkProposal(suite, sent, context);
    switch (proposal.proposalType) {
      case ProposalType.add:
        once(added, toHex(proposal.keyPackage.leafNode.signatureKey), "two Adds of one client", "R-12.2-6");
        break;
      case ProposalType.update: {
        const leaf = sender.senderType === "member" ? sender.leafIndex : committer;
        if (leaf === committer) throw listError("An Update by the committer", "R-12.2-2");
        once(touched, leaf, "two Updates or Removes of one leaf", "R-12.2-4");
        break;
      }
      case ProposalType.remove:
        if (proposal.removed === committer) throw listError("A Remove of the committer", "R-12.2-3");
        once(touched, proposal.removed, "two Updates or Removes of one leaf", "R-12.2-4");
        break;
      case ProposalType.psk:
        addPskId(psks, proposal.psk);
        break;
      case ProposalType.reinit:
        if (length > 0) throw company();
        closed = true;
        break;
      case ProposalType.groupContextExtensions:
        once(contextChanges, proposal.proposalType, "two GroupContextExtensions", "R-12.2-9");
        break;
      case ProposalType.custom: // What fits together is for its type to say, when it is applied (R-12.3-4).
        if (!removesSender(proposal, context.rules.proposalTypes)) break;
        if (leaver(sent) === committer) throw listError("A SelfRemove of the committer", "X-6.3-4");
        once(touched, leaver(sent), "two Updates or Removes of one leaf", "R-12.2-4");
        break;
    }
    length++;
  };
}

/** `ERR_MLS_PROPOSAL` for a SelfRemove that those who join from outside could not read (X-6.3-2). */
export function checkWireFormat(
  { proposal }: Pick<SentProposal, "proposal">,
  wireFormat: FramedWireFormat,
  { proposalTypes }: ProposalRules,
): void {
  if (wireFormat === "mls_public_message" || !removesSender(proposal, proposalTypes)) return;
  throw proposalError("A SelfRemove is sent as a public message", "X-6.3-2");
}

/** The leaf that a SelfRemove removes: only members send one (X-6.3-3). */
export function leaver({ sender }: SentProposal): LeafIndex {
  if (sender.senderType === "member") return sender.leafIndex as LeafIndex;
  throw new CoppiceError("ERR_MLS_SENDER", "Only members send SelfRemoves", { requirement: "X-6.3-3" });
}

/** Refuses a list that no external Commit may have (R-12.2-16 to R-12.2-18). */
export function validateExternalProposalList(
  suite: CipherSuite,
  proposals: readonly SentProposal[],
  context: CheckContext,
): void {
  checkProposalCount(proposals.length, context.rules.limits);
  const count = (type: Proposal["proposalType"]): number =>
    proposals.filter(({ proposal }) => proposal.proposalType === type).length;
  if (count(ProposalType.externalInit) !== 1) throw listError("Not exactly one ExternalInit", "R-12.2-16");
  if (count(ProposalType.remove) > 1) throw listError("More than one Remove in an external Commit", "R-12.2-17");
  const psks = new Set<string>();
  const touched = new Set<number>();
  const { proposalTypes } = context.rules;
  for (const sent of proposals) {
    checkProposal(suite, sent, context);
    const { proposal } = sent;
    const leaves = removesSender(proposal, proposalTypes);
    if (leaves || proposal.proposalType === ProposalType.remove) {
      const leaf = proposal.proposalType === ProposalType.remove ? proposal.removed : leaver(sent);
      if (touched.has(leaf)) throw listError("two Removes of one leaf", "R-12.2-4");
      touched.add(leaf);
    }
    if (proposal.proposalType === ProposalType.psk) {
      addPskId(psks, proposal.psk);
    } else if (
      proposal.proposalType !== ProposalType.externalInit &&
      proposal.proposalType !== ProposalType.remove &&
      !leaves &&
      !(proposal.proposalType === "custom" && rulesOf(proposal, proposalTypes).externalCommit === true)
    ) {
      throw listError("A proposal that has no place in an external Commit", "R-12.2-18");
    }
  }
}

/** Whether a Commit of these proposals must have a path (R-12.4-6, R-12.4-7, A-1). */
export function pathRequired(
  proposals: readonly SentProposal[],
  { proposalTypes }: Pick<ProposalRules, "proposalTypes">,
): boolean {
  const required = ({ proposal }: SentProposal): boolean =>
    proposal.proposalType === "custom"
      ? rulesOf(proposal, proposalTypes).pathRequired
      : !WITHOUT_PATH.has(proposal.proposalType);
  return proposals.length === 0 || proposals.some(required);
}

const WITHOUT_PATH: ReadonlySet<Proposal["proposalType"]> = new Set([
  ProposalType.add,
  ProposalType.psk,
  ProposalType.reinit,
]);
