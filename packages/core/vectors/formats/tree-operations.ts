import type { Bytes } from "../../src/codec/bytes.ts";
import { decode, encode } from "../../src/codec/codec.ts";
import { ratchetTree } from "../../src/framing/group-info.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { proposal as proposalCodec, ProposalType } from "../../src/framing/proposal.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import { toLeafIndex } from "../../src/tree/tree-math.ts";
import type { Format } from "../case.ts";
import { expectBytes } from "../case.ts";

export const readTree = (bytes: Bytes): RatchetTree =>
  RatchetTree.fromWire(decode(ratchetTree, bytes), DEFAULT_LIMITS.treeLeaves);

function apply(tree: RatchetTree, proposal: Proposal, sender: number): RatchetTree {
  switch (proposal.proposalType) {
    case ProposalType.add:
      return tree.addLeaves([proposal.keyPackage]).tree;
    case ProposalType.update:
      return tree.updateLeaf(toLeafIndex(sender, tree.leafCount), proposal.leafNode);
    case ProposalType.remove:
      return tree.removeLeaf(toLeafIndex(proposal.removed, tree.leafCount));
    default:
      throw new Error(`proposal type ${String(proposal.proposalType)} does not edit the tree`);
  }
}

export const treeOperations: Format = {
  name: "tree-operations",
  fields: ["tree_before", "tree_after"],
  verify: async (vector, suites) => {
    const { hash } = await suites(vector.number("cipher_suite"));
    const before = readTree(vector.hex("tree_before"));
    expectBytes("tree_hash_before", before.treeHash(hash), vector.hex("tree_hash_before"));
    const after = apply(before, decode(proposalCodec, vector.hex("proposal")), vector.number("proposal_sender"));
    expectBytes("tree_after", encode(ratchetTree, after.toWire()), vector.hex("tree_after"));
    expectBytes("tree_hash_after", after.treeHash(hash), vector.hex("tree_hash_after"));
    expectBytes("tree_before is unchanged", encode(ratchetTree, before.toWire()), vector.hex("tree_before"));
  },
};
