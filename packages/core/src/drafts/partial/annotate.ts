/**
 * Annotating messages for partial members: by whoever has the ratchet tree, a member or a Delivery Service that follows the group's public
 * handshakes. Nothing here takes a secret.
 */
import { type Bytes, equalBytes } from "../../codec/bytes.ts";
import { encode } from "../../codec/codec.ts";
import type { CipherSuite } from "../../crypto/cipher-suite.ts";
import { makeKeyPackageRef } from "../../crypto/labels.ts";
import { keyPackage as wireKeyPackage } from "../../framing/key-package.ts";
import { type MlsMessage, decodeMessage, isDecoded, welcomeOf } from "../../framing/mls-message.ts";
import type { Welcome } from "../../framing/welcome.ts";
import { decodeGroupMessage } from "../../group/receive.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";
import type { AddedMember } from "../../proposal/apply.ts";
import type { RatchetTree } from "../../tree/ratchet-tree.ts";
import { type LeafIndex, isBelow, leafToNode, toLeafIndex } from "../../tree/tree-math.ts";
import { recipients } from "../../tree/treekem.ts";
import { type MembershipProof, proveMembership } from "./membership-proof.ts";
import type { PartialGroupState } from "./partial-state.ts";
import { annotatedCommit, annotatedWelcome, senderAuthenticatedMessage, toSend } from "./wire-types.ts";

/** A group in one epoch, as a member or an observer has it: `GroupState` and `PublicGroupState` are. */
export interface KnownGroup {
  readonly suite: CipherSuite;
  readonly tree: RatchetTree;
}

/** The proof that a member is in a group: `RangeError` for a leaf that is blank or outside the tree. */
export const membershipProofOf = ({ suite, tree }: KnownGroup, leaf: number): MembershipProof =>
  proveMembership(suite, tree, leaf);

/**
 * A SenderAuthenticatedMessage: an encoded `MLSMessage` with the proof of its sender, in the epoch in which it was sent. Of a private
 * message only members know the sender. `RangeError` for a public message of another sender, and for a leaf that is blank.
 */
export function annotateMessage(group: KnownGroup, message: Uint8Array | MlsMessage, sender: number): Bytes {
  return withProof(message, membershipProofOf(group, sender));
}

/** The same for a message that a partial member has sent in the epoch that its state is in. */
export const annotateOwnMessage = ({ proof }: Pick<PartialGroupState, "proof">, message: Uint8Array): Bytes =>
  withProof(message, proof);

function withProof(given: Uint8Array | MlsMessage, senderMembershipProof: MembershipProof): Bytes {
  const message = decodeGroupMessage(given, { limits: DEFAULT_LIMITS });
  if (message.wireFormat === "mls_public_message") {
    const { sender } = message.publicMessage.content;
    if (sender.senderType !== "member" || sender.leafIndex !== senderMembershipProof.leafIndex) {
      throw new RangeError("The message was not sent by the member of that leaf");
    }
  }
  return toSend(senderAuthenticatedMessage(message.wireFormat), { message, senderMembershipProof });
}

/**
 * An AnnotatedWelcome for one of the members whom a Commit added. `group` is in the epoch that the Commit began, `sender` the committer. Of
 * the Welcome, encoded or decoded, only the joiner's part is sent. For it to be short, make the Commit with `treeInWelcome: false`.
 * `RangeError` if the Welcome is not for this joiner.
 */
export function annotateWelcome(
  group: KnownGroup,
  welcome: Uint8Array | Welcome,
  { sender, joiner }: { readonly sender: number; readonly joiner: AddedMember },
): Bytes {
  const message = welcomeOf(welcome, DEFAULT_LIMITS);
  const ref = makeKeyPackageRef(group.suite, encode(wireKeyPackage, joiner.keyPackage));
  const secrets = message.secrets.filter(({ newMember }) => equalBytes(newMember, ref));
  if (secrets.length === 0) throw new RangeError("The Welcome is not for this joiner");
  return toSend(annotatedWelcome, {
    welcome: { message: { ...message, secrets }, senderMembershipProof: membershipProofOf(group, sender) },
    joinerMembershipProof: membershipProofOf(group, joiner.leafIndex),
  });
}

/** A Commit and the two epochs that it stands between. */
export interface CommitToAnnotate {
  /** The Commit, an encoded `MLSMessage` or decoded. */
  readonly commit: Uint8Array | MlsMessage;
  readonly before: KnownGroup;
  readonly after: KnownGroup;
  /** The committer's leaf, in `after` if it joined by the Commit. */
  readonly committer: number;
  /** Whom the Commit added. */
  readonly added: readonly Pick<AddedMember, "leafIndex">[];
}

/**
 * An AnnotatedCommit for one member, who is in the group before and after. Members whom a Commit removes get it as a
 * SenderAuthenticatedMessage, those whom it adds a Welcome: `RangeError` for both.
 */
export function annotateCommit({ commit, before, after, committer, added }: CommitToAnnotate, receiver: number): Bytes {
  const message = isDecoded<MlsMessage>(commit, "wireFormat", "commit") ? commit : decodeMessage(commit);
  if (before.tree.findLeaf(receiver) === undefined || added.some((member) => member.leafIndex === receiver)) {
    throw new RangeError(`Leaf ${String(receiver)} is not a member before and after the Commit`);
  }
  const external =
    message.wireFormat === "mls_public_message" && message.publicMessage.content.sender.senderType !== "member";
  return toSend(annotatedCommit, {
    commit: message,
    senderMembershipProof: external ? undefined : membershipProofOf(before, committer),
    treeHashAfter: after.tree.treeHash(after.suite.hash),
    resolutionIndex:
      external || hasPath(before, after, committer)
        ? resolutionIndex(after.tree, { committer, receiver, added })
        : undefined,
    senderMembershipProofAfter: membershipProofOf(after, committer),
    receiverMembershipProofAfter: membershipProofOf(after, receiver),
  });
}

/** A path brings the committer another encryption key, and nothing else does (R-12.2-2, R-12.4.2-9). */
function hasPath(before: KnownGroup, after: KnownGroup, committer: number): boolean {
  const [was, is] = [before.tree.findLeaf(committer), after.tree.findLeaf(committer)];
  return was === undefined || is === undefined || !equalBytes(was.encryptionKey, is.encryptionKey);
}

/** The place of the receiver's ciphertext. What is off the committer's path is in `tree` as it was when the path was encrypted. */
function resolutionIndex(
  tree: RatchetTree,
  { committer, receiver, added }: Pick<CommitToAnnotate, "committer" | "added"> & { readonly receiver: number },
): number {
  const leaf = leafToNode(receiver as LeafIndex);
  const meeting = tree
    .filteredDirectPath(toLeafIndex(committer, tree.leafCount))
    .find(({ copathChild }) => isBelow(leaf, copathChild));
  if (meeting === undefined) throw new RangeError("The committer does not annotate for itself");
  const newLeaves = new Set(added.map(({ leafIndex }) => leafIndex));
  const nodes = recipients(tree, meeting.copathChild, newLeaves);
  // A leaf that is unmerged at its ancestor stands in the resolution beside it.
  const own = nodes.indexOf(leaf);
  const index = own < 0 ? nodes.findIndex((node) => isBelow(leaf, node)) : own;
  if (index < 0) throw new RangeError(`Leaf ${String(receiver)} is blank`);
  return index;
}
