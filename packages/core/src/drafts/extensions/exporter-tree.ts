/** Exported secrets with forward secrecy (draft-ietf-mls-extensions-10 §4.4): one for each component and epoch, and once. */
import { type Bytes, EMPTY, utf8 } from "../../codec/bytes.ts";
import type { CipherSuite } from "../../crypto/cipher-suite.ts";
import { CoppiceError } from "../../errors.ts";
import { type ExporterTree, EXPORTER_LEAVES } from "../../schedule/exporter-tree.ts";
import { type MessagingState, requireActive } from "../../state/group-state.ts";
import { type LeafIndex, type NodeIndex, children, leafToNode, root } from "../../tree/tree-math.ts";

const LEFT = utf8("left");
const RIGHT = utf8("right");

/** A secret that was taken, and the state that lacks it. */
export interface SafeExport<S> {
  readonly state: S;
  /** `Nh` bytes. Secret. */
  readonly secret: Bytes;
  /** Erase once `state` is stored. */
  readonly consumed: readonly Bytes[];
}

/**
 * `SafeExportSecret(ComponentID)` of the current epoch: `Nh` bytes that nobody can derive again from the state that this returns.
 * Store that state, then erase `consumed`. `ERR_MLS_STATE` for the second time in an epoch (X-4.4-1), where `rules.exporterTree` was off
 * when the epoch was entered, and once the group is closed; `RangeError` for what is no ComponentID.
 *
 * @example
 * ```ts run
 * import { createCommit, adoptCommit, equalBytes, processMessage } from "@coppice/core";
 * import { safeExportSecret, withExtensions } from "@coppice/core/drafts/extensions";
 * import { alice, bob, rules as plain } from "./example-group.ts"; // docs/examples
 *
 * const rules = withExtensions(plain, { components: [] }); // keeps the tree from the next epoch on
 * const made = await createCommit(alice.state, { rules, signer: alice.signer });
 * const alices = adoptCommit(made.state, made.staged, rules).state;
 * const bobs = (await processMessage(bob.state, made.staged.commit, { rules })).state;
 *
 * const [hers, his] = [safeExportSecret(alices, 0x8001), safeExportSecret(bobs, 0x8001)];
 * console.assert(equalBytes(hers.secret, his.secret));
 * // Store hers.state, then erase(...hers.consumed).
 * ```
 */
export function safeExportSecret<S extends MessagingState>(state: S, componentId: number): SafeExport<S> {
  requireActive(state);
  if (!Number.isInteger(componentId) || componentId < 0 || componentId >= EXPORTER_LEAVES) {
    throw new RangeError("A ComponentID is a uint16");
  }
  if (state.exporterTree === undefined) {
    throw new CoppiceError("ERR_MLS_STATE", "This epoch has no exporter tree: rules.exporterTree was off", {
      requirement: "X-4.4-2",
    });
  }
  const { secret, exporterTree, consumed } = takeLeaf(state.suite, state.exporterTree, componentId as LeafIndex);
  return { state: { ...state, exporterTree }, secret, consumed };
}

function takeLeaf(
  { hash }: CipherSuite,
  tree: ExporterTree,
  componentId: LeafIndex,
): { secret: Bytes; exporterTree: ExporterTree; consumed: readonly Bytes[] } {
  const target = leafToNode(componentId);
  const next = new Map(tree);
  const consumed: Bytes[] = [];
  let at: NodeIndex = root(EXPORTER_LEAVES);
  let secret = next.get(at);
  for (let below = children(at); below !== undefined; below = children(at)) {
    const [left, right] = below;
    const [on, aside] = target < at ? below : ([right, left] as const);
    if (secret !== undefined) {
      const [toLeft = EMPTY, toRight = EMPTY] = hash.expandMany(secret, [
        { label: "tree", context: LEFT, length: hash.Nh },
        { label: "tree", context: RIGHT, length: hash.Nh },
      ]);
      consumed.push(secret);
      next.delete(at);
      next.set(aside, aside === left ? toLeft : toRight);
      next.set(on, on === left ? toLeft : toRight);
    }
    at = on;
    secret = next.get(at);
  }
  if (secret === undefined) {
    throw new CoppiceError("ERR_MLS_STATE", "The secret of this component was exported already in this epoch", {
      requirement: "X-4.4-1",
      detail: { componentId },
    });
  }
  next.delete(at);
  // The caller gets the secret itself: `consumed` is for what it does not hold.
  return { secret, exporterTree: next, consumed };
}
