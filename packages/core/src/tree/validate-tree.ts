/** Checks of a whole tree, as for a joiner (RFC 9420 §12.4.3.1). */

import { type Bytes, equalBytes } from "../codec/bytes.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";
import { type Progress, inFlight } from "../in-flight.ts";
import type { Extension } from "../extensions/extension.ts";
import type { LeafNode } from "./leaf-node.ts";
import { type LeafNodeRules, validateLeafNode, validateMembers } from "./leaf-node-validation.ts";
import { verifyParentHashes } from "./parent-hash.ts";
import type { RatchetTree } from "./ratchet-tree.ts";
import { type Subtree, isLeafSlot } from "./subtree.ts";
import { type LeafIndex, type NodeIndex, isBelow } from "./tree-math.ts";

const invalid = (message: string, requirement: string, node?: NodeIndex): CoppiceError =>
  new CoppiceError("ERR_MLS_TREE", message, { requirement, detail: node === undefined ? {} : { node } });

/** What a group's context says of its tree. */
interface TreeContext {
  readonly groupId: Bytes;
  readonly treeHash: Bytes;
  readonly extensions: readonly Extension[];
}

/** `ERR_MLS_TREE` and the codes of leaf validation. Cheap checks come first. */
export async function validateTree(
  suite: CipherSuite,
  tree: RatchetTree,
  options: Progress & { context: TreeContext; rules: LeafNodeRules },
): Promise<void> {
  const { context, rules } = options;
  verifyTreeHash(suite, tree, context.treeHash);
  verifyUnmergedLeaves(tree);
  validateMembers(tree, context, rules);
  await validateParentKeys(suite, tree);
  verifyParentHashes(suite.hash, tree);
  const check = ([leafIndex, leaf]: readonly [LeafIndex, LeafNode]): Promise<void> =>
    validateLeafNode(suite, rules, {
      leaf,
      source: undefined,
      place: { groupId: context.groupId, leafIndex },
      moment: "group_info",
      context,
    });
  await inFlight([...tree.members()], check, options);
}

/** A parent key that nobody can seal to would keep members from committing. */
async function validateParentKeys(suite: CipherSuite, tree: RatchetTree): Promise<void> {
  for (const slot of tree.slots()) {
    if (isLeafSlot(slot) || slot.parentNode === undefined) continue;
    try {
      await suite.hpke.validatePublicKey(slot.parentNode.encryptionKey);
    } catch (cause) {
      throw new CoppiceError("ERR_MLS_TREE", "The public key of a parent is not one of this suite", {
        requirement: "R-5.1.1-3",
        detail: { node: slot.index },
        cause,
      });
    }
  }
}

function verifyTreeHash(suite: CipherSuite, tree: RatchetTree, expected: Bytes): void {
  if (!equalBytes(tree.treeHash(suite.hash), expected)) {
    throw invalid("The tree is not the one of the group context", "R-12.4.3.3-5");
  }
}

/** Each unmerged leaf is a member below its parent, and every parent in between lists it too (R-12.4.3.1-10, -11). */
export function verifyUnmergedLeaves(tree: RatchetTree): void {
  const visit = (at: Subtree, listedAbove: readonly number[]): void => {
    if (isLeafSlot(at)) {
      if (listedAbove.length > 0 && at.leafNode === undefined) {
        throw invalid("An unmerged leaf is blank", "R-12.4.3.1-10", at.index);
      }
      return;
    }
    const unmerged = at.parentNode?.unmergedLeaves ?? [];
    if (unmerged.some((leaf) => !isBelow((2 * leaf) as NodeIndex, at.index))) {
      throw invalid("An unmerged leaf is not below its parent", "R-12.4.3.1-10", at.index);
    }
    if (at.parentNode !== undefined) {
      const listed = new Set(unmerged);
      if (listedAbove.some((leaf) => !listed.has(leaf))) {
        throw invalid("A leaf is unmerged above a parent that does not list it", "R-12.4.3.1-11", at.index);
      }
    }
    const below = at.parentNode === undefined ? listedAbove : unmerged;
    visit(
      at.left,
      below.filter((leaf) => 2 * leaf < at.index),
    );
    visit(
      at.right,
      below.filter((leaf) => 2 * leaf > at.index),
    );
  };
  visit(tree.root, []);
}
