/** Checks of a GroupInfo that is used to join (RFC 9420 §12.4.3), by Welcome or by external Commit. */
import { assertBytes } from "@coppice/kit";
import type { Bytes } from "../codec/bytes.ts";
import { decodeReceived } from "../codec/codec.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";
import { ExtensionType, findExtension } from "../extensions/extension.ts";
import { type GroupInfo, boundedRatchetTree, verifyGroupInfoSignature } from "../framing/group-info.ts";
import type { Progress } from "../in-flight.ts";
import type { Limits } from "../limits.ts";
import type { Rules } from "../rules.ts";
import { yesOrNo } from "../hooks.ts";
import { missingExtension, MLS10 } from "../extensions/capabilities.ts";
import { checkKeys } from "../tree/leaf-node-validation.ts";
import { RatchetTree } from "../tree/ratchet-tree.ts";
import { nodeCount } from "../tree/tree-math.ts";
import { validateTree } from "../tree/validate-tree.ts";

export const unusableGroupInfo = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_GROUP_INFO", message, { requirement });

/**
 * The tree that the GroupInfo carries, else the one given; undefined if there is neither. Of its contents, no more is checked than
 * that the keys have the suite's lengths: see `checkKeys`.
 */
export function readTree(
  suite: CipherSuite,
  info: GroupInfo,
  given: Uint8Array | undefined,
  limits: Limits,
): RatchetTree | undefined {
  checkProtocol(suite, info);
  const encoded = findExtension(info.extensions, ExtensionType.ratchetTree) ?? given;
  return encoded === undefined ? undefined : decodeTree(suite, encoded, { limits, epoch: info.groupContext.epoch });
}

/** `ERR_MLS_GROUP_INFO` for another version or cipher suite (R-12.4.3.1-8). */
export function checkProtocol(suite: CipherSuite, { groupContext: { version, cipherSuite } }: GroupInfo): void {
  if (version === MLS10 && cipherSuite === suite.id) return;
  throw unusableGroupInfo("The group has another version or cipher suite", "R-12.4.3.1-8");
}

/** An encoded `ratchet_tree`, with no more checked than that the keys have the suite's lengths. No leaf is older than `epoch`. */
export function decodeTree(
  suite: CipherSuite,
  encoded: Uint8Array,
  { limits, epoch }: { readonly limits: Limits; readonly epoch: bigint },
): RatchetTree {
  assertBytes(encoded, "ratchetTree");
  const nodes = decodeReceived(boundedRatchetTree(nodeCount(limits.treeLeaves)), encoded, limits.messageBytes);
  for (const node of nodes) {
    if (node?.nodeType === "leaf") checkKeys(suite, node.leafNode);
    else if (node !== undefined && node.parentNode.encryptionKey.length !== suite.hpke.Npk) {
      throw new CoppiceError("ERR_MLS_TREE", "A parent's key is not one of this suite", { requirement: "R-5.1.1-3" });
    }
  }
  return RatchetTree.fromWire(nodes, limits.treeLeaves, epoch);
}

/** `ERR_MLS_GROUP_INFO`, `ERR_MLS_SIGNATURE`, `ERR_MLS_TREE` and the codes of leaf validation. */
export async function checkGroupInfo(
  suite: CipherSuite,
  info: GroupInfo,
  options: Progress & { tree: RatchetTree; rules: Rules; isKnownGroup?: (groupId: Bytes) => boolean },
): Promise<void> {
  const { tree } = options;
  checkUsable(info, options);
  const signer = tree.findLeaf(info.signer);
  if (signer === undefined) throw unusableGroupInfo("The signer is not a member", "R-12.4.3-4");
  await verifyGroupInfoSignature(suite, info, signer.signatureKey);
  await validateTree(suite, tree, { ...options, context: info.groupContext });
}

/** `ERR_MLS_GROUP_INFO` for a group that this client is in already, or whose extensions it does not know. */
export function checkUsable(
  { groupContext: context }: GroupInfo,
  { rules, isKnownGroup }: { rules: Pick<Rules, "supportedExtensions">; isKnownGroup?: (groupId: Bytes) => boolean },
): void {
  if (isKnownGroup !== undefined && yesOrNo("isKnownGroup", () => isKnownGroup(context.groupId))) {
    throw unusableGroupInfo("This client is in a group of this id already", "R-12.4.3-3");
  }
  const foreign = missingExtension(context.extensions, rules.supportedExtensions);
  if (foreign !== undefined) {
    throw unusableGroupInfo(`Group extension ${String(foreign)} is not supported`, "R-13.4-5");
  }
}
