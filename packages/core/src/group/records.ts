/**
 * A group state as named records, so that a store writes what changed and nothing else: a message one ratchet, a Commit
 * O(log N) nodes. Names start with `group/` and carry no identities.
 *
 * | record | contents |
 * |---|---|
 * | `group/state` | the current epoch but its trees |
 * | `group/tree/I` | node I of the current ratchet tree |
 * | `group/past/E` | past epoch E: context, sender data secret, and the nodes in which its tree differs from the next one's |
 * | `group/ratchet/E/I` | node I of the secret tree of epoch E |
 * | `group/proposal/N` | the N-th cached proposal |
 */
import type { Bytes } from "../codec/bytes.ts";
import { fromHex, toHex } from "../codec/bytes.ts";
import type { Codec } from "../codec/codec.ts";
import { decode, encode } from "../codec/codec.ts";
import { getCipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";
import type { CachedProposal, GroupState, PastEpoch } from "../group-state.ts";
import type { SecretNode, SecretTree } from "../secret-tree.ts";
import { RatchetTree } from "../tree/ratchet-tree.ts";
import type { Subtree } from "../tree/subtree.ts";
import { isLeafSlot, toWireNode } from "../tree/subtree.ts";
import type { LeafIndex, NodeIndex } from "../tree/tree-math.ts";
import { children, root } from "../tree/tree-math.ts";
import type { PastRecord, StateRecord, StoredNode } from "./record-codecs.ts";
import {
  cachedProposal,
  pastRecord,
  secretNode,
  stateRecord,
  storedNode,
  STATE_FORMAT_VERSION,
} from "./record-codecs.ts";

/** Records to set and names to delete, as a store takes them. */
export interface RecordChanges {
  readonly put: ReadonlyMap<string, Bytes>;
  readonly delete: readonly string[];
}

class Changes implements RecordChanges {
  readonly put: Map<string, Bytes> = new Map<string, Bytes>();
  readonly delete: string[] = [];

  set<T>(name: string, codec: Codec<T>, value: NoInfer<T> | undefined): void {
    if (value === undefined) this.delete.push(name);
    else this.put.set(name, encode(codec, value));
  }
}

const names = {
  state: "group/state",
  tree: (index: number): string => `group/tree/${String(index)}`,
  past: (epoch: bigint): string => `group/past/${String(epoch)}`,
  ratchet: (epoch: bigint, index: number): string => `group/ratchet/${String(epoch)}/${String(index)}`,
  proposal: (position: number): string => `group/proposal/${String(position)}`,
};

/**
 * What has to be written to turn the records of `before` into those of `after`; all of them without `before`. The two share
 * what did not change, so the work is that of the change.
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
export function diffGroupRecords(before: GroupState | undefined, after: GroupState): RecordChanges {
  const changes = new Changes();
  if (before === undefined || stateRecordDiffers(before, after))
    changes.set(names.state, stateRecord, toStateRecord(after));
  for (const [index, node] of treeChanges(before?.tree, after.tree)) changes.set(names.tree(index), storedNode, node);
  diffPastEpochs(changes, before, after);
  diffSecretTrees(changes, before, after);
  diffProposals(changes, before, after);
  return changes;
}

/** Messages and proposals leave all of these as they are. */
function stateRecordDiffers(before: GroupState, after: GroupState): boolean {
  return (
    before.status !== after.status ||
    before.context !== after.context ||
    before.secrets !== after.secrets ||
    before.privateKeys !== after.privateKeys ||
    before.pendingUpdates !== after.pendingUpdates ||
    before.pastEpochs.length !== after.pastEpochs.length
  );
}

/** Nodes of `after` that differ from those of `before`, blank ones as undefined. Shared subtrees are not visited. */
function treeChanges(before: RatchetTree | undefined, after: RatchetTree): [NodeIndex, StoredNode | undefined][] {
  const found: [NodeIndex, StoredNode | undefined][] = [];
  const compare = (index: NodeIndex, old: Subtree | undefined, now: Subtree | undefined): void => {
    if (old === now || (old?.summary.blank !== false && now?.summary.blank !== false)) return;
    const [was, is] = [old?.index === index ? old : undefined, now?.index === index ? now : undefined];
    if (contentOf(was) !== contentOf(is)) found.push([index, is && toStoredNode(is)]);
    const below = children(index);
    if (below === undefined) return;
    compare(below[0], childOf(old, index, "left"), childOf(now, index, "left"));
    compare(below[1], childOf(old, index, "right"), childOf(now, index, "right"));
  };
  compare(root(Math.max(before?.leafCount ?? 1, after.leafCount)), before?.root, after.root);
  return found;
}

function toStoredNode(slot: Subtree): StoredNode | undefined {
  const node = toWireNode(slot);
  return node && isLeafSlot(slot) ? { ...node, since: slot.since } : node;
}

const contentOf = (slot: Subtree | undefined): object | undefined =>
  slot && (isLeafSlot(slot) ? slot.leafNode : slot.parentNode);

/** The child at a side of `index`. A tree that ends below `index` is its left child, since trees grow to the right. */
function childOf(slot: Subtree | undefined, index: NodeIndex, side: "left" | "right"): Subtree | undefined {
  if (slot === undefined || slot.index !== index) return side === "left" ? slot : undefined;
  return isLeafSlot(slot) ? undefined : slot[side];
}

/** Past epochs by number, each with the tree of the epoch that followed it. */
function pastEpochsOf(state: GroupState): Map<bigint, { readonly past: PastEpoch; readonly nextTree: RatchetTree }> {
  return new Map(
    state.pastEpochs.map((past, i) => {
      const nextTree = state.pastEpochs[i - 1]?.tree ?? state.tree;
      return [past.context.epoch, { past, nextTree }];
    }),
  );
}

function diffPastEpochs(changes: Changes, before: GroupState | undefined, after: GroupState): void {
  const [old, now] = [before ? pastEpochsOf(before) : new Map<bigint, never>(), pastEpochsOf(after)];
  for (const epoch of old.keys()) if (!now.has(epoch)) changes.delete.push(names.past(epoch));
  for (const [epoch, { past, nextTree }] of now) {
    if (old.has(epoch)) continue;
    const nodes = treeChanges(nextTree, past.tree).map(([index, node]) => ({ index, node }));
    const { context, senderDataSecret, tree } = past;
    changes.set(names.past(epoch), pastRecord, { context, senderDataSecret, leafCount: tree.leafCount, nodes });
  }
}

function secretTreesOf(state: GroupState): Map<bigint, SecretTree> {
  return new Map([
    [state.context.epoch, state.secretTree],
    ...state.pastEpochs.map(({ context, secretTree }) => [context.epoch, secretTree] as const),
  ]);
}

function diffSecretTrees(changes: Changes, before: GroupState | undefined, after: GroupState): void {
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
  const compare = (index: NodeIndex, old: SecretNode | undefined, now: SecretNode | undefined): void => {
    if (old === now) return;
    const stored = now?.kind === "expanded" ? undefined : now;
    const wasStored = old !== undefined && old.kind !== "expanded";
    if (stored !== undefined || wasStored) changes.set(names.ratchet(epoch, index), secretNode, stored);
    const below = children(index);
    if (below === undefined) return;
    const [oldChildren, nowChildren] = [
      old?.kind === "expanded" ? old : undefined,
      now?.kind === "expanded" ? now : undefined,
    ];
    compare(below[0], oldChildren?.left, nowChildren?.left);
    compare(below[1], oldChildren?.right, nowChildren?.right);
  };
  compare(root((before ?? after)?.leafCount ?? 1), before?.root, after?.root);
}

function diffProposals(changes: Changes, before: GroupState | undefined, after: GroupState): void {
  const old = [...(before?.proposals.values() ?? [])];
  const now = [...after.proposals.values()];
  for (let i = 0; i < Math.max(old.length, now.length); i++) {
    if (old[i] !== now[i]) changes.set(names.proposal(i), cachedProposal, now[i]);
  }
}

function toStateRecord(state: GroupState): StateRecord {
  return {
    formatVersion: STATE_FORMAT_VERSION,
    cipherSuite: state.suite.id,
    status: state.status,
    reinit: state.reinit,
    context: state.context,
    leafCount: state.tree.leafCount,
    leafIndex: state.leafIndex,
    leafSince: state.leafSince,
    interimTranscriptHash: state.interimTranscriptHash,
    confirmationTag: state.confirmationTag,
    secrets: state.secrets,
    privateKeys: [...state.privateKeys].map(([node, pair]) => ({ node, ...pair })),
    pendingUpdates: [...state.pendingUpdates].map(([hex, privateKey]) => ({ publicKey: fromHex(hex), privateKey })),
    pastEpochs: state.pastEpochs.map(({ context }) => context.epoch),
    resumptionPsks: [...state.resumptionPsks].map(([epoch, psk]) => ({ epoch, psk })),
  };
}

const corrupt = (message: string, cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_MLS_DECODE", `the stored group state is damaged: ${message}`, { cause });

/** Decoded records, by name. */
class Records {
  readonly #records: ReadonlyMap<string, Uint8Array>;

  constructor(records: ReadonlyMap<string, Uint8Array>) {
    this.#records = records;
  }

  find<T>(name: string, codec: Codec<T>): T | undefined {
    const bytes = this.#records.get(name);
    if (bytes === undefined) return undefined;
    try {
      return decode(codec, bytes, Number.POSITIVE_INFINITY);
    } catch (cause) {
      throw corrupt(`record ${name}`, cause);
    }
  }

  get<T>(name: string, codec: Codec<T>): T {
    const value = this.find(name, codec);
    if (value === undefined) throw corrupt(`record ${name} is missing`);
    return value;
  }
}

/**
 * The state whose records these are. `ERR_MLS_DECODE` for damaged ones, `ERR_MLS_VERSION` for those of a newer version of
 * Coppice or an unknown suite. What was stored is not verified again.
 *
 * @example
 * ```ts run
 * import { diffGroupRecords, restoreGroup } from "@coppice/core";
 * import { alice } from "./example-group.ts"; // docs/examples
 *
 * const stored = diffGroupRecords(undefined, alice.state).put;
 * const state = await restoreGroup(stored);
 * console.assert(state.context.epoch === alice.state.context.epoch);
 * ```
 */
export async function restoreGroup(
  stored: ReadonlyMap<string, Uint8Array>,
  options?: Parameters<typeof getCipherSuite>[1],
): Promise<GroupState> {
  const records = new Records(stored);
  const record = records.get(names.state, stateRecord);
  const suite = await getCipherSuite(record.cipherSuite, options);
  const tree = RatchetTree.fromNodes(record.leafCount, (index) => records.find(names.tree(index), storedNode));
  const { epoch } = record.context;
  return {
    suite,
    status: record.status,
    reinit: record.reinit && { proposalType: 5, ...record.reinit },
    context: record.context,
    tree,
    leafIndex: record.leafIndex as LeafIndex,
    privateKeys: new Map(record.privateKeys.map(({ node, ...pair }) => [node as NodeIndex, pair])),
    interimTranscriptHash: record.interimTranscriptHash,
    confirmationTag: record.confirmationTag,
    secrets: record.secrets,
    secretTree: restoreSecretTree(records, epoch, record.leafCount),
    proposals: new Map(restoreProposals(records).map((cached) => [toHex(cached.ref), cached])),
    pendingUpdates: new Map(record.pendingUpdates.map(({ publicKey, privateKey }) => [toHex(publicKey), privateKey])),
    pastEpochs: restorePastEpochs(records, record.pastEpochs, tree),
    resumptionPsks: new Map(record.resumptionPsks.map(({ epoch: of, psk }) => [of, psk])),
    leafSince: record.leafSince,
  };
}

function restoreSecretTree(records: Records, epoch: bigint, leafCount: number): SecretTree {
  const build = (index: NodeIndex): SecretNode => {
    const node = records.find(names.ratchet(epoch, index), secretNode);
    if (node !== undefined) return node;
    const below = children(index);
    if (below === undefined) throw corrupt(`ratchet ${String(index)} is missing`);
    return { kind: "expanded", left: build(below[0]), right: build(below[1]) };
  };
  return { leafCount, root: build(root(leafCount)) };
}

function restoreProposals(records: Records): CachedProposal[] {
  const proposals: CachedProposal[] = [];
  for (;;) {
    const cached = records.find(names.proposal(proposals.length), cachedProposal);
    if (cached === undefined) return proposals;
    proposals.push(cached);
  }
}

/** Newest first: each tree is the next epoch's with some nodes replaced. */
function restorePastEpochs(records: Records, epochs: readonly bigint[], current: RatchetTree): PastEpoch[] {
  let next = current;
  return epochs.map((epoch) => {
    const record: PastRecord = records.get(names.past(epoch), pastRecord);
    const tree = next.withNodes(record.leafCount, new Map(record.nodes.map(({ index, node }) => [index, node])));
    next = tree;
    const { context, senderDataSecret } = record;
    return { context, tree, senderDataSecret, secretTree: restoreSecretTree(records, epoch, record.leafCount) };
  });
}
