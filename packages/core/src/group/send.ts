/** Application messages and proposals by this member (RFC 9420 §12.1, §15). */
import { assertBytes } from "@coppice/kit";
import { type Bytes, toHex } from "../codec/bytes.ts";
import { type Given, copyOf, encode } from "../codec/codec.ts";
import { Writer } from "../codec/writer.ts";
import { makeProposalRef } from "../crypto/labels.ts";
import type { Signer } from "../crypto/signature.ts";
import { CoppiceError } from "../errors.ts";
import {
  type Content,
  type FramedContent,
  type FramedWireFormat,
  type AuthenticatedContent,
  authenticatedContent,
  signFramedContent,
} from "../framing/framed-content.ts";
import { type Proposal, type UpdateProposal, proposal as wireProposal, ProposalType } from "../framing/proposal.ts";
import {
  type GroupState,
  type KnowingState,
  type PublicGroupState,
  checkSigner,
  requireActive,
} from "../state/group-state.ts";
import type { Limits } from "../limits.ts";
import type { Padding } from "../framing/padding.ts";
import { type ProtectedMessage, checkMessageSize, ownAuthenticatedData, protectContent } from "../framing/protect.ts";
import { checkOwnProposal } from "../proposal/apply.ts";
import { checkProposal, checkWireFormat } from "../proposal/validate-list.ts";
import type { Rules } from "../rules.ts";
import { nextGeneration } from "../schedule/secret-tree.ts";
import { signLeafNode } from "../tree/leaf-node.ts";
import { type LeafChanges, nextLeaf } from "../commit/own-leaf.ts";

interface SendOptions {
  readonly rules: Rules;
  /** Holds the key of this member's leaf. */
  readonly signer: Signer;
  /** Sent in clear, authenticated. Default empty. */
  readonly authenticatedData?: Uint8Array;
}

/** How an application message is signed, padded and sent. */
export interface SendApplicationOptions extends SendOptions {
  /** For this message alone. Default `rules.padding`. */
  readonly padding?: Padding;
}

/**
 * Encrypts application data. `ERR_MLS_STATE` while proposals wait to be committed (R-12.4-3, R-15.2-2). `ERR_MLS_LIMIT` for a
 * message that is too long, and, with the requirement R-15.2-1, once this member has sent `limits.messagesPerEpoch` of them in
 * the epoch: then it has to commit. `ERR_MLS_NOT_LOADED` for a state without what `recordsToSend` names. Store the state before the message leaves: it lacks the key that was used.
 *
 * @example
 * ```ts run
 * import { createApplicationMessage, erase, utf8 } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const sent = await createApplicationMessage(alice.state, utf8("hello"), { rules, signer: alice.signer });
 * // Store sent.state, then send sent.message, then:
 * erase(...sent.consumed);
 * ```
 */
export async function createApplicationMessage<S extends KnowingState>(
  state: S,
  applicationData: Uint8Array,
  options: SendApplicationOptions,
): Promise<ProtectedMessage<S>> {
  assertBytes(applicationData, "applicationData");
  requireActive(state);
  if (state.proposals.size > 0) {
    throw new CoppiceError("ERR_MLS_STATE", "Proposals of this epoch are to be committed first", {
      requirement: "R-12.4-3",
      detail: { proposals: state.proposals.size },
    });
  }
  const { rules } = options;
  const { padding: policy, limits } = rules;
  checkUsage(state, limits);
  const padding = paddingFor(applicationData.length, options.padding ?? policy, limits);
  // A copy, which is wiped: what the caller does to the data meanwhile changes nothing.
  const data = new Writer();
  data.bytes(applicationData);
  try {
    const content = frame(state, { contentType: "application", applicationData: data.written() }, options);
    const wireFormat = "mls_private_message";
    const signature = await signFramedContent(options.signer, { wireFormat, content, context: state.context });
    return await protectContent(state, signed(content, wireFormat, signature), rules, padding);
  } finally {
    data.release();
  }
}

/** Zero bytes for a plaintext, by the policy; bounded before they are allocated. */
function paddingFor(length: number, padding: Padding, { messageBytes }: Limits): number {
  const padded = padding(length);
  if (!Number.isSafeInteger(padded) || padded < length) {
    throw new RangeError("A padding policy returns a number of bytes, not less than the data has");
  }
  checkMessageSize(padded, messageBytes);
  return padded - length;
}

/** `ERR_MLS_LIMIT` when this member has sent all that it may in this epoch. A Commit starts anew (R-15.2-1). */
function checkUsage({ secretTree, leafIndex }: KnowingState, { messagesPerEpoch }: Limits): void {
  if (nextGeneration(secretTree, leafIndex, "application") < messagesPerEpoch) return;
  throw new CoppiceError(
    "ERR_MLS_LIMIT",
    `${String(messagesPerEpoch)} messages were sent in this epoch: commit first`,
    {
      requirement: "R-15.2-1",
      detail: { messagesPerEpoch },
    },
  );
}

function frame(state: KnowingState, content: Content, options: SendOptions): FramedContent {
  checkSigner(state, options.signer);
  return {
    groupId: state.context.groupId,
    epoch: state.context.epoch,
    sender: { senderType: "member", leafIndex: state.leafIndex },
    authenticatedData: ownAuthenticatedData(options),
    content,
  };
}

const signed = (content: FramedContent, wireFormat: FramedWireFormat, signature: Bytes): AuthenticatedContent => ({
  wireFormat,
  content,
  auth: { signature, confirmationTag: undefined },
});

/** How a proposal is signed and sent. */
export interface ProposeOptions extends SendOptions {
  /** Default `mls_private_message` (R-6-2). */
  readonly wireFormat?: FramedWireFormat;
}

/**
 * Sends a proposal for someone to commit, and caches it here. A Remove of the own leaf asks to leave (T-11). Refuses, with the codes of
 * `createCommit`, what no Commit could cover: an extension, a custom type or a key package that members do not support, a ReInit to a
 * suite that is not known.
 *
 * @example
 * ```ts run
 * import { createProposal, processMessage, ProposalType } from "@coppice/core";
 * import { alice, bob, rules } from "./example-group.ts"; // docs/examples
 *
 * const remove = { proposalType: ProposalType.remove, removed: bob.state.leafIndex } as const;
 * const leaving = await createProposal(bob.state, remove, { rules, signer: bob.signer });
 * const received = await processMessage(alice.state, leaving.message, { rules });
 * console.assert(received.kind === "proposal" && received.state.proposals.size === 1);
 * ```
 */
export async function createProposal(
  state: GroupState,
  proposal: Given<Exclude<Proposal, UpdateProposal>>,
  options: ProposeOptions,
): Promise<SentByMember> {
  return propose(state, copyOf(wireProposal, proposal), options);
}

/**
 * Proposes new keys for the own leaf; they take effect when a Commit covers the proposal (R-12.1.2-2).
 *
 * @example
 * ```ts run
 * import { createUpdateProposal } from "@coppice/core";
 * import { bob, rules } from "./example-group.ts"; // docs/examples
 *
 * const update = await createUpdateProposal(bob.state, { rules, signer: bob.signer });
 * console.assert(update.state.pendingUpdates.size === 1); // until somebody commits it
 * ```
 */
export async function createUpdateProposal(
  state: GroupState,
  options: ProposeOptions & { readonly leaf?: LeafChanges },
): Promise<SentByMember> {
  return withUpdate(state, options, (proposal) => propose(state, proposal, options));
}

/** Makes new keys for the own leaf, lets `send` propose them, and keeps the private one until a Commit covers the proposal. */
export async function withUpdate<S extends KnowingState>(
  state: S,
  options: ProposeOptions & { readonly leaf?: LeafChanges },
  send: (proposal: UpdateProposal) => Promise<SentByMember<S>>,
): Promise<SentByMember<S>> {
  requireActive(state);
  const { suite, context, leafIndex } = state;
  const { signer, content } = nextLeaf(state, options);
  const keys = await suite.hpke.generateKeyPair();
  const leafNode = await signLeafNode(
    {
      ...content,
      encryptionKey: keys.publicKey,
      signatureKey: signer.publicKey,
      source: { leafNodeSource: "update" },
    },
    signer,
    { groupId: context.groupId, leafIndex },
  );
  const sent = await send({ proposalType: ProposalType.update, leafNode });
  const pendingUpdates = new Map([...state.pendingUpdates, [toHex(keys.publicKey), keys.privateKey]]);
  return { ...sent, state: { ...sent.state, pendingUpdates } };
}

async function propose(state: GroupState, proposal: Proposal, options: ProposeOptions): Promise<SentByMember> {
  requireActive(state);
  const { suite, tree, context, leafIndex } = state;
  const sender = { senderType: "member", leafIndex } as const;
  checkProposal(suite, { proposal, sender }, { tree, rules: options.rules });
  await checkOwnProposal(suite, { proposal, sender }, { tree, context, rules: options.rules, sending: true });
  return sendProposal(state, proposal, options);
}

/** A proposal that this member sent, with its reference. */
export type SentByMember<S extends KnowingState = GroupState> = ProtectedMessage<S> & { readonly ref: Bytes };

/** Signs, protects and caches an own proposal that was checked. */
export async function sendProposal<S extends KnowingState>(
  state: S,
  proposal: Proposal,
  options: ProposeOptions,
): Promise<SentByMember<S>> {
  const { suite, leafIndex } = state;
  const sender = { senderType: "member", leafIndex } as const;
  const wireFormat = options.wireFormat ?? "mls_private_message";
  checkWireFormat({ proposal }, wireFormat, options.rules);
  const framed = frame(state, { contentType: "proposal", proposal }, options);
  const signature = await signFramedContent(options.signer, { wireFormat, content: framed, context: state.context });
  const content = signed(framed, wireFormat, signature);
  const ref = makeProposalRef(suite, encode(authenticatedContent, content));
  const sent = await protectContent(state, content, options.rules);
  return { ...sent, ref, state: cacheProposal(sent.state, { proposal, sender, ref }, options.rules) };
}

const sizes = new WeakMap<Proposal, number>();

/** Encoded, in bytes. */
function sizeOf(value: Proposal): number {
  const size = sizes.get(value) ?? encode(wireProposal, value).length;
  sizes.set(value, size);
  return size;
}

/** `ERR_MLS_LIMIT` when the epoch has too many proposals already, or too long ones; one that is cached is kept once (T-23). */
export function cacheProposal<S extends Pick<PublicGroupState, "proposals">>(
  state: S,
  sent: { readonly proposal: Proposal; readonly sender: FramedContent["sender"]; readonly ref: Bytes },
  { limits: { pendingProposals, pendingProposalBytes, proposalBytes } }: Pick<Rules, "limits">,
): S {
  const key = toHex(sent.ref);
  if (!state.proposals.has(key)) {
    const size = sizeOf(sent.proposal);
    let total = size;
    for (const cached of state.proposals.values()) total += sizeOf(cached.proposal);
    if (state.proposals.size >= pendingProposals || size > proposalBytes || total > pendingProposalBytes) {
      throw new CoppiceError("ERR_MLS_LIMIT", "Too many or too long proposals wait in this epoch", {
        detail: { pendingProposals, pendingProposalBytes, proposalBytes },
      });
    }
  }
  return { ...state, proposals: new Map([...state.proposals, [key, sent]]) };
}
