/**
 * A group state as named records (`record-names.ts`), so that a store writes what changed and nothing else: a message one ratchet,
 * a Commit O(log N) nodes.
 */

import { type Bytes, equalBytes } from "../codec/bytes.ts";
import { type Codec, encode } from "../codec/codec.ts";
import { type FormerMembers, type MessagingState, type PastEpoch, isComplete, secretTreesOf } from "./group-state.ts";
import { notLoaded } from "../result.ts";
import type { SecretNode, SecretTree } from "../schedule/secret-tree.ts";
import { changedNodes } from "../tree/changed-nodes.ts";
import { parentNode } from "../tree/parent-node.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import { isLeafSlot } from "../tree/subtree.ts";
import { type NodeIndex, children, isLeaf, nodeToLeaf, root } from "../tree/tree-math.ts";
import {
  type StateRecord,
  cachedProposal,
  exporterTree,
  formerRecord,
  leafRecord,
  pastRecord,
  secretNode,
  stateRecord,
  STATE_FORMAT_VERSION,
} from "./record-codecs.ts";
import { recordNames } from "./record-names.ts";

/** Records to set and names to delete, as a store takes them. */
export interface RecordChanges {
  readonly put: ReadonlyMap<string, Bytes>;
  readonly delete: readonly string[];
}

class Changes {
  readonly put: Map<string, Bytes> = new Map<string, Bytes>();
  readonly deleted: Set<string> = new Set<string>();

  set<T>(name: string, codec: Codec<T>, value: NoInfer<T> | undefined): void {
    if (value === undefined) {
      this.put.delete(name);
      this.deleted.add(name);
    } else {
      this.deleted.delete(name);
      this.put.set(name, encode(codec, value));
    }
  }
}

/**
 * What has to be written to turn the records of `before` into those of `after`; all of them without `before`. The two share
 * what did not change, so the work is that of the change. What was not loaded is neither written nor deleted: both may lack
 * records as long as they are of one epoch, else `ERR_MLS_NOT_LOADED`.
 *
 * @example
 * ```ts run
 * import { createApplicationMessage, diffGroupRecords, utf8 } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const sent = await createApplicationMessage(alice.state, utf8("hello"), { rules, signer: alice.signer });
 * const { put } = diffGroupRecords(alice.state, sent.state); // what to write before sent.message leaves
 * console.assert(put.size < 5);
 * ```
 */
export function diffGroupRecords(before: MessagingState | undefined, after: MessagingState): RecordChanges {
  const changes = new Changes();
  if (before === undefined || stateDiffers(before, after)) {
    changes.set(recordNames.state, stateRecord, toStateRecord(after));
  }
  if ((before === undefined || isComplete(before)) && isComplete(after)) {
    diffTrees(changes, before?.tree, after.tree);
    diffPastEpochs(changes, before?.pastEpochs ?? [], after.pastEpochs);
  } else if (before === undefined || !isSameEpoch(before, after)) {
    // Within an epoch they do not change.
    throw notLoaded({ epoch: after.context.epoch });
  }
  diffSecretTrees(changes, before, after);
  if (before?.exporterTree !== after.exporterTree) {
    changes.set(recordNames.exporterTree, exporterTree, after.exporterTree);
  }
  diffProposals(changes, before, after);
  return { put: changes.put, delete: [...changes.deleted] };
}

const isSameEpoch = ({ context: a }: MessagingState, { context: b }: MessagingState): boolean =>
  a === b || (a.epoch === b.epoch && equalBytes(a.groupId, b.groupId) && equalBytes(a.treeHash, b.treeHash));

/** Messages and proposals leave all of these as they are. */
function stateDiffers(before: MessagingState, after: MessagingState): boolean {
  return (
    before.status !== after.status ||
    before.context !== after.context ||
    before.secrets !== after.secrets ||
    before.privateKeys !== after.privateKeys ||
    before.pendingUpdates !== after.pendingUpdates ||
    before.pastEpochs.length !== after.pastEpochs.length
  );
}

function diffTrees(changes: Changes, before: RatchetTree | undefined, after: RatchetTree): void {
  for (const [index, slot] of changedNodes(before, after)) {
    if (isLeaf(index)) {
      const leaf = slot !== undefined && isLeafSlot(slot) ? slot : undefined;
      const record = leaf?.leafNode && { leafNode: leaf.leafNode, since: leaf.since };
      changes.set(recordNames.leaf(nodeToLeaf(index)), leafRecord, record);
    } else {
      const parent = slot === undefined || isLeafSlot(slot) ? undefined : slot.parentNode;
      changes.set(recordNames.parent(index), parentNode, parent);
    }
  }
}

const byEpoch = (past: readonly PastEpoch[]): ReadonlyMap<bigint, PastEpoch> =>
  new Map(past.map((epoch) => [epoch.context.epoch, epoch]));

const NOBODY: FormerMembers["members"] = new Map();

function diffPastEpochs(changes: Changes, before: readonly PastEpoch[], after: readonly PastEpoch[]): void {
  const [old, now] = [byEpoch(before), byEpoch(after)];
  for (const epoch of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(epoch), now.get(epoch)];
    if (was?.context !== is?.context || was?.senderDataSecret !== is?.senderDataSecret) {
      const record = is && { ...is, leafCount: is.secretTree.leafCount };
      changes.set(recordNames.past(epoch), pastRecord, record);
    }
    const [gone, kept] = [was?.former.members ?? NOBODY, is?.former.members ?? NOBODY];
    if (gone === kept) continue;
    for (const leaf of gone.keys()) {
      if (!kept.has(leaf)) changes.set(recordNames.former(epoch, leaf), formerRecord, undefined);
    }
    for (const [leaf, member] of kept) {
      if (gone.has(leaf) && gone.get(leaf) === member) continue;
      changes.set(recordNames.former(epoch, leaf), formerRecord, { member });
    }
  }
}

function diffSecretTrees(changes: Changes, before: MessagingState | undefined, after: MessagingState): void {
  const [old, now] = [before ? secretTreesOf(before) : new Map<bigint, SecretTree>(), secretTreesOf(after)];
  for (const epoch of new Set([...old.keys(), ...now.keys()])) {
    diffSecretTree(changes, epoch, old.get(epoch), now.get(epoch));
  }
}

function diffSecretTree(
  changes: Changes,
  epoch: bigint,
  before: SecretTree | undefined,
  after: SecretTree | undefined,
): void {
  if (before !== undefined && after !== undefined && before.leafCount !== after.leafCount) {
    // Of two groups, or of two branches of one.
    diffSecretTree(changes, epoch, before, undefined);
    diffSecretTree(changes, epoch, undefined, after);
    return;
  }
  const compare = (index: NodeIndex, old: SecretNode | undefined, now: SecretNode | undefined): void => {
    if (old === now || now?.kind === "absent") return;
    if (now === undefined && old?.kind === "absent") throw notLoaded({ epoch });
    const stored = now?.kind === "expanded" ? undefined : now;
    const wasStored = old !== undefined && old.kind !== "expanded";
    if (stored !== undefined || wasStored) changes.set(recordNames.ratchet(epoch, index), secretNode, stored);
    const below = children(index);
    if (below === undefined) return;
    const [oldChildren, nowChildren] = [childrenOf(old), childrenOf(now)];
    compare(below[0], oldChildren?.left, nowChildren?.left);
    compare(below[1], oldChildren?.right, nowChildren?.right);
  };
  compare(root((before ?? after)?.leafCount ?? 1), before?.root, after?.root);
}

const childrenOf = (node: SecretNode | undefined): Extract<SecretNode, { kind: "expanded" }> | undefined =>
  node?.kind === "expanded" ? node : undefined;

function diffProposals(changes: Changes, before: MessagingState | undefined, after: MessagingState): void {
  const old = [...(before?.proposals.values() ?? [])];
  const now = [...after.proposals.values()];
  for (let i = 0; i < Math.max(old.length, now.length); i++) {
    if (old[i] !== now[i]) changes.set(recordNames.proposal(i), cachedProposal, now[i]);
  }
}

const toStateRecord = (state: MessagingState): StateRecord => ({
  formatVersion: STATE_FORMAT_VERSION,
  cipherSuite: state.suite.id,
  leafCount: state.tree.leafCount,
  memberCount: state.tree.memberCount,
  pastEpochs: state.pastEpochs.map(({ context }) => context.epoch),
  fields: state,
});
