/** Checks of a GroupInfo that is used to join (RFC 9420 §12.4.3), by Welcome or by external Commit. */
import type { Bytes } from "../codec/bytes.ts";
import { decode } from "../codec/codec.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";
import { ExtensionType, findExtension } from "../extension.ts";
import type { GroupInfo } from "../framing/group-info.ts";
import { boundedRatchetTree, verifyGroupInfoSignature } from "../framing/group-info.ts";
import type { Progress } from "../in-flight.ts";
import type { Limits } from "../limits.ts";
import type { Rules } from "../rules.ts";
import { MLS10, supportsExtension } from "../tree/capabilities.ts";
import { RatchetTree } from "../tree/ratchet-tree.ts";
import { nodeCount } from "../tree/tree-math.ts";
import { validateTree } from "../tree/validate-tree.ts";

export const unusableGroupInfo = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_GROUP_INFO", message, { requirement });

/** The tree that the GroupInfo carries, else the one given; undefined if there is neither. Its contents are not checked yet. */
export function readTree(info: GroupInfo, given: Bytes | undefined, limits: Limits): RatchetTree | undefined {
  const encoded = findExtension(info.extensions, ExtensionType.ratchetTree) ?? given;
  if (encoded === undefined) return undefined;
  const nodes = decode(boundedRatchetTree(nodeCount(limits.treeLeaves)), encoded);
  return RatchetTree.fromWire(nodes, limits.treeLeaves, info.groupContext.epoch);
}

/** `ERR_MLS_GROUP_INFO`, `ERR_MLS_SIGNATURE`, `ERR_MLS_TREE` and the codes of leaf validation. */
export async function checkGroupInfo(
  suite: CipherSuite,
  info: GroupInfo,
  options: Progress & { tree: RatchetTree; rules: Rules; isKnownGroup?: (groupId: Bytes) => boolean },
): Promise<void> {
  const { tree, rules, isKnownGroup } = options;
  const { groupContext: context } = info;
  if (context.version !== MLS10 || context.cipherSuite !== suite.id) {
    throw unusableGroupInfo("the group has another version or cipher suite", "R-12.4.3.1-8");
  }
  if (isKnownGroup?.(context.groupId) === true) {
    throw unusableGroupInfo("this client is in a group of this id already", "R-12.4.3-3");
  }
  const foreign = context.extensions.find(
    ({ extensionType }) => !supportsExtension(rules.supportedExtensions, extensionType),
  );
  if (foreign !== undefined) {
    throw unusableGroupInfo(`group extension ${String(foreign.extensionType)} is not supported`, "R-13.4-5");
  }
  const signer = tree.findLeaf(info.signer);
  if (signer === undefined) throw unusableGroupInfo("the signer is not a member", "R-12.4.3-4");
  await verifyGroupInfoSignature(suite, info, signer.signatureKey);
  await validateTree(suite, tree, { ...options, context });
}
