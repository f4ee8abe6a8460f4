/** A group state from its records (`record-names.ts`), and one state from another and what changed. */
import { getCipherSuite } from "../crypto/cipher-suite.ts";
import { type GroupState, type MessagingState, secretTreesOf } from "./group-state.ts";
import type { LeafNode } from "../tree/leaf-node.ts";
import { type Leaves, LoadedLeaves } from "../tree/loaded-leaves.ts";
import { parentNode } from "../tree/parent-node.ts";
import { type NodeSince, RatchetTree } from "../tree/ratchet-tree.ts";
import { type NodeIndex, isLeaf, nodeToLeaf } from "../tree/tree-math.ts";
import { type KnownRecords, corrupt, GivenRecords } from "./given-records.ts";
import { type Outline, NOT_LOADED, NOTHING_ELSE, rebuildEpochs } from "./rebuild-epochs.ts";
import { type StateRecord, exporterTree, leafRecord, stateRecord } from "./record-codecs.ts";
import { recordFolders, recordNames } from "./record-names.ts";

/** How the cipher suite of a state is made: see `getCipherSuite`. */
export type RestoreOptions = Parameters<typeof getCipherSuite>[1];

/**
 * The state whose records these are: all that begin with `GROUP_RECORDS.all`. `ERR_MLS_DECODE` for damaged ones, `ERR_MLS_VERSION`
 * for those of another version of Coppice or an unknown suite. What was stored is not verified again.
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
  options?: RestoreOptions,
): Promise<GroupState> {
  const given = new GivenRecords({ put: stored, delete: [] });
  const record = given.get(recordNames.state, stateRecord);
  const suite = await getCipherSuite(record.cipherSuite, options);
  const tree = RatchetTree.fromNodes(record.leafCount, (index) => givenNode(given, index));
  return {
    suite,
    ...record.fields,
    tree,
    ...givenExporter(given),
    ...rebuildEpochs(given, outlineOf(record), NOTHING_ELSE),
  };
}

/**
 * A state that sends and opens messages, from the few records that begin with `GROUP_RECORDS.messaging`, at a cost that does not
 * depend on the size of the group. What else it needs is named by `recordsToSend` and `recordsToOpen` and put in by
 * `withRecords`. Everything but messages takes the state that `restoreGroup` makes of all records. Rejects like `restoreGroup`.
 *
 * @example
 * ```ts run
 * import { createApplicationMessage, diffGroupRecords, GROUP_RECORDS, utf8 } from "@coppice/core";
 * import { recordsToSend, restoreMessaging, withRecords } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const stored = diffGroupRecords(undefined, alice.state).put;
 * const small = [...stored].filter(([name]) => name.startsWith(GROUP_RECORDS.messaging));
 * const few = await restoreMessaging(new Map(small));
 * const state = await withRecords(few, recordsToSend(few), stored);
 * const sent = await createApplicationMessage(state, utf8("hello"), { rules, signer: alice.signer });
 * // Store diffGroupRecords(state, sent.state), then send sent.message.
 * ```
 */
export async function restoreMessaging(
  stored: ReadonlyMap<string, Uint8Array>,
  options?: RestoreOptions,
): Promise<MessagingState> {
  const given = new GivenRecords({ put: stored, delete: [] });
  const record = given.get(recordNames.state, stateRecord);
  const suite = await getCipherSuite(record.cipherSuite, options);
  const tree = new LoadedLeaves(record.leafCount, record.memberCount, givenLeaves(given));
  return {
    suite,
    ...record.fields,
    tree,
    ...givenExporter(given),
    ...rebuildEpochs(given, outlineOf(record), NOT_LOADED),
  };
}

/**
 * The state that `changes` lead to: `patchGroup(a, diffGroupRecords(a, b))` equals `b`. The work is that of the change, and what did
 * not change is shared, so that a difference to the result is as small as it is. Of a state with few records those that changed
 * are loaded. `ERR_MLS_DECODE` for changes that are damaged or do not lead on from this state as far as that shows.
 *
 * @example
 * ```ts run
 * import { createApplicationMessage, diffGroupRecords, patchGroup, utf8 } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * // What one tab wrote, another one follows.
 * const sent = await createApplicationMessage(alice.state, utf8("hello"), { rules, signer: alice.signer });
 * const followed = await patchGroup(alice.state, diffGroupRecords(alice.state, sent.state));
 * console.assert(diffGroupRecords(undefined, followed).put.size === diffGroupRecords(undefined, sent.state).put.size);
 * ```
 */
export async function patchGroup<S extends MessagingState>(
  state: S,
  changes: KnownRecords,
  options?: RestoreOptions,
): Promise<S> {
  const given = new GivenRecords(changes);
  if (given.isDeleted(recordNames.state)) throw corrupt(recordNames.state, "is missing");
  const record = given.find(recordNames.state, stateRecord);
  const isOtherSuite = record !== undefined && record.cipherSuite !== state.suite.id;
  const past = new Map(state.pastEpochs.map((epoch) => [epoch.context.epoch, epoch]));
  const secretTrees = secretTreesOf(state);
  const { proposals, ...epochs } = rebuildEpochs(given, record ? outlineOf(record) : outlineOfState(state), {
    past: (epoch) => past.get(epoch),
    secretTree: (epoch) => secretTrees.get(epoch),
    proposals: [...state.proposals.values()],
    // The changes that ended an epoch have all of its former members.
    former: NOTHING_ELSE.former,
  });
  return {
    ...state,
    ...(isOtherSuite && { suite: await getCipherSuite(record.cipherSuite, options) }),
    ...record?.fields,
    ...givenExporter(given),
    ...epochs,
    proposals: given.indices(recordFolders.proposals).length === 0 ? state.proposals : proposals,
    tree: patchTree(given, state.tree, record ?? state.tree),
  };
}

/**
 * The state with more of its records loaded: those of these names, as far as they are among `records`. Nothing but what is known of the
 * group changes. `ERR_MLS_DECODE` for damaged ones.
 *
 * @example
 * ```ts run
 * import { createApplicationMessage, diffGroupRecords, GROUP_RECORDS, openMany, utf8 } from "@coppice/core";
 * import { recordsToOpen, restoreMessaging, withRecords } from "@coppice/core";
 * import { alice, bob, rules } from "./example-group.ts"; // docs/examples
 *
 * const stored = diffGroupRecords(undefined, bob.state).put;
 * const { message } = await createApplicationMessage(alice.state, utf8("hello"), { rules, signer: alice.signer });
 *
 * const few = await restoreMessaging(new Map([...stored].filter(([name]) => name.startsWith(GROUP_RECORDS.messaging))));
 * const state = await withRecords(few, await recordsToOpen(few, [message], { rules }), stored);
 * const { outcomes } = await openMany(state, [message], { rules });
 * console.assert(outcomes[0]?.kind === "application");
 * ```
 */
export function withRecords<S extends MessagingState>(
  state: S,
  names: readonly string[],
  records: ReadonlyMap<string, Uint8Array>,
): Promise<S> {
  const put = new Map<string, Uint8Array>();
  const missing: string[] = [];
  for (const name of names) {
    const record = records.get(name);
    if (record === undefined) missing.push(name);
    else put.set(name, record);
  }
  return patchGroup(state, { put, delete: missing });
}

const outlineOf = ({ fields, leafCount, pastEpochs }: StateRecord): Outline => ({
  epoch: fields.context.epoch,
  leafCount,
  pastEpochs,
});

const outlineOfState = ({ context, tree, pastEpochs }: MessagingState): Outline => ({
  epoch: context.epoch,
  leafCount: tree.leafCount,
  pastEpochs: pastEpochs.map((past) => past.context.epoch),
});

/** Nothing where nothing is said of it. */
function givenExporter(given: GivenRecords): Pick<MessagingState, "exporterTree"> {
  const found = given.find(recordNames.exporterTree, exporterTree);
  return found !== undefined || given.isDeleted(recordNames.exporterTree) ? { exporterTree: found } : {};
}

/** Blank where no record is given. */
function givenNode(given: GivenRecords, index: NodeIndex): NodeSince | undefined {
  if (isLeaf(index)) {
    const leaf = given.find(recordNames.leaf(nodeToLeaf(index)), leafRecord);
    return leaf && { nodeType: "leaf", ...leaf };
  }
  const parent = given.find(recordNames.parent(index), parentNode);
  return parent && { nodeType: "parent", parentNode: parent };
}

const givenLeaves = (given: GivenRecords): ReadonlyMap<number, LeafNode | undefined> =>
  new Map(
    given.indices(recordFolders.leaves).map((leaf) => [leaf, given.find(recordNames.leaf(leaf), leafRecord)?.leafNode]),
  );

function patchTree(
  given: GivenRecords,
  tree: Leaves,
  { leafCount, memberCount }: Pick<Leaves, "leafCount" | "memberCount">,
): Leaves {
  if (tree instanceof LoadedLeaves) return tree.with(leafCount, memberCount, givenLeaves(given));
  if (!(tree instanceof RatchetTree)) throw new TypeError("A state has a ratchet tree or leaves that were loaded");
  const leaves = given.indices(recordFolders.leaves).map((leaf) => 2 * leaf);
  const parents = given.indices(recordFolders.parents).map((parent) => 2 * parent + 1);
  const nodes = [...leaves, ...parents].map((index) => [index, givenNode(given, index as NodeIndex)] as const);
  return tree.withNodes(leafCount, new Map(nodes));
}
