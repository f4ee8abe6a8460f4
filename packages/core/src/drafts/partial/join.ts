/** Joining by an AnnotatedWelcome (Partial MLS, "Joining via Annotated Welcome"): RFC 9420 §12.4.3.1 without the tree. */
import { untilAborted } from "@coppice/kit";
import { equalBytes } from "../../codec/bytes.ts";
import { encode } from "../../codec/codec.ts";
import { erasing } from "../../commit/epoch.ts";
import { CoppiceError } from "../../errors.ts";
import type { Extension } from "../../extensions/extension.ts";
import { verifyGroupInfoSignature } from "../../framing/group-info.ts";
import { checkProtocol, checkUsable, unusableGroupInfo } from "../../group/check-group-info.ts";
import { type JoinOptions, enterJoined, joinPath, openWelcome } from "../../group/join.ts";
import { leafNode } from "../../tree/leaf-node.ts";
import type { LeafIndex } from "../../tree/tree-math.ts";
import { checkSameSize, checkShape, proveSlice } from "./membership-proof.ts";
import { type PartialGroupState, ProvenLeaves, validateProven } from "./partial-state.ts";
import { type AnnotatedWelcome, annotatedWelcome, received } from "./wire-types.ts";

/**
 * What a joiner brings to an AnnotatedWelcome. A group that replaces another one or branches from it cannot be joined in this way: who
 * is to be in it cannot be compared without the tree.
 */
export type PartialJoinOptions = Pick<JoinOptions, "suite" | "rules" | "keyPackage" | "isKnownGroup" | "signal">;

/** A group that was joined as a partial member. */
export interface PartiallyJoinedGroup {
  readonly state: PartialGroupState;
  /** The member who let this client in: the signer of the GroupInfo. */
  readonly welcomedBy: LeafIndex;
  /** Of the GroupInfo: what the committer gave as `welcomeExtensions`, and others. */
  readonly welcomeExtensions: readonly Extension[];
}

/**
 * Joins a group as a partial member, by an AnnotatedWelcome, encoded or decoded. Of the members, the one who sent the Welcome is
 * validated, and nobody else. `ERR_MLS_TREE` for proofs that are not those of the GroupInfo's tree, `ERR_MLS_LIMIT`, `ERR_MLS_WELCOME`,
 * `ERR_MLS_GROUP_INFO` and the other codes of `joinGroup`. The init key is to be deleted once the state is stored (R-10-2).
 */
export async function joinPartially(
  welcome: Uint8Array | AnnotatedWelcome,
  options: PartialJoinOptions,
): Promise<PartiallyJoinedGroup> {
  const { limits } = options.rules;
  const decoded = received(annotatedWelcome, welcome, { field: "joinerMembershipProof", limits });
  return untilAborted(joinWith(decoded, options), options.signal);
}

async function joinWith(
  { welcome: { message: welcome, senderMembershipProof }, joinerMembershipProof }: AnnotatedWelcome,
  { suite, rules, keyPackage, isKnownGroup }: PartialJoinOptions,
): Promise<PartiallyJoinedGroup> {
  const sending = checkShape(suite, senderMembershipProof, rules.limits);
  const joining = checkShape(suite, joinerMembershipProof, rules.limits);
  checkSameSize(sending, joining);
  if (!equalBytes(encode(leafNode, joining.leaf), encode(leafNode, keyPackage.keyPackage.leafNode))) {
    throw new CoppiceError("ERR_MLS_WELCOME", "The joiner's membership proof is of another leaf", {
      requirement: "P-8-4",
    });
  }
  return erasing(async (spent) => {
    const opened = await openWelcome(welcome, { suite, rules, keyPackage }, spent);
    const { secrets, info } = opened;
    checkProtocol(suite, info);
    checkUsable(info, { rules, ...(isKnownGroup && { isKnownGroup }) });
    if (info.signer !== sending.leafIndex) {
      throw unusableGroupInfo("The sender's membership proof is not that of the signer", "P-8-2");
    }
    const { groupContext: context } = info;
    const sender = proveSlice(suite, sending, { treeHash: context.treeHash, requirement: "P-8-3" });
    const joiner = proveSlice(suite, joining, { treeHash: context.treeHash, requirement: "P-8-3" });
    await verifyGroupInfoSignature(suite, info, sender.leaf.signatureKey);
    await validateProven({ suite }, sender, { context, rules });

    const { leafIndex } = joiner;
    const path = joiner.filled.map(({ index }) => index);
    const privateKeys = await joinPath(joiner, { info, leafIndex, secrets, path, options: { suite, keyPackage } });
    const leaves = new Map([
      [leafIndex, joiner.leaf],
      [sender.leafIndex, sender.leaf],
    ]);
    const tree = new ProvenLeaves(joiner.leafCount, leaves);
    const entered = enterJoined(suite, opened, { tree, leafIndex, privateKeys, rules });
    const state = { ...entered, proof: joinerMembershipProof };
    return { state, welcomedBy: sender.leafIndex, welcomeExtensions: info.extensions };
  });
}
