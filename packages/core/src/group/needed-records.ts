/** Which records a message needs of a state that was restored from few: see `restoreMessaging`. */
import type { MlsMessage } from "../framing/mls-message.ts";
import type { PrivateMessage } from "../framing/private-message.ts";
import { claimedSenders } from "../framing/unprotect.ts";
import { type MessagingState, isComplete, secretTreesOf } from "../state/group-state.ts";
import { attempt, succeeded } from "../result.ts";
import type { Rules } from "../rules.ts";
import { absentNodes } from "../schedule/secret-tree.ts";
import { recordNames } from "../state/record-names.ts";
import { LoadedLeaves } from "../tree/loaded-leaves.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { leadingApplications } from "./open-many.ts";
import { type EpochView, openingKeys } from "./open-private.ts";

/**
 * Names of records that `createApplicationMessage` needs and that were not loaded: the own leaf, and the way to the own ratchets, of
 * which one record is there. None for a complete state. See `restoreMessaging`.
 *
 * @example
 * ```ts run
 * import { diffGroupRecords, GROUP_RECORDS, recordsToSend, restoreMessaging, withRecords } from "@coppice/core";
 * import { alice } from "./example-group.ts"; // docs/examples
 *
 * const stored = diffGroupRecords(undefined, alice.state).put;
 * const few = await restoreMessaging(new Map([...stored].filter(([name]) => name.startsWith(GROUP_RECORDS.messaging))));
 * console.assert(recordsToSend(few).length === 3);
 * console.assert(recordsToSend(await withRecords(few, recordsToSend(few), stored)).length === 0);
 * ```
 */
export function recordsToSend(state: MessagingState): readonly string[] {
  return [...namesFor(state, state.context.epoch, state.leafIndex)];
}

/**
 * Names of records that `openMany` needs for these messages and that were not loaded. For each sender: the leaf, log N nodes on the
 * way to its ratchets, of which one is there, and for a late message one more for each epoch since. None for a complete state.
 * Opens the sender data of the messages: those that do not open need nothing. See `withRecords`.
 *
 * @example
 * ```ts run
 * import { createApplicationMessage, diffGroupRecords, GROUP_RECORDS, recordsToOpen, utf8 } from "@coppice/core";
 * import { restoreMessaging } from "@coppice/core";
 * import { alice, bob, rules } from "./example-group.ts"; // docs/examples
 *
 * const { message } = await createApplicationMessage(alice.state, utf8("hello"), { rules, signer: alice.signer });
 * const stored = diffGroupRecords(undefined, bob.state).put;
 * const few = await restoreMessaging(new Map([...stored].filter(([name]) => name.startsWith(GROUP_RECORDS.messaging))));
 * console.assert((await recordsToOpen(few, [message], { rules })).length === 3);
 * console.assert((await recordsToOpen(bob.state, [message], { rules })).length === 0);
 * ```
 */
export async function recordsToOpen(
  state: MessagingState,
  messages: readonly (Uint8Array | MlsMessage)[],
  { rules }: { readonly rules: Pick<Rules, "limits"> },
): Promise<readonly string[]> {
  if (isComplete(state)) return [];
  const epochs = new Map<bigint, { readonly view: EpochView; readonly messages: PrivateMessage[] }>();
  for (const message of leadingApplications(messages, rules).filter(succeeded)) {
    const view = attempt(() => openingKeys(state, message, rules));
    if (!succeeded(view)) continue;
    const ofEpoch = epochs.get(message.epoch) ?? { view, messages: [] };
    ofEpoch.messages.push(message);
    epochs.set(message.epoch, ofEpoch);
  }
  const names = new Set<string>();
  for (const [epoch, { view, messages: sealed }] of epochs) {
    for (const leaf of await claimedSenders(state.suite, sealed, view)) {
      for (const name of namesFor(state, epoch, leaf)) names.add(name);
    }
  }
  return [...names];
}

/** What says who is at a leaf in an epoch, and what its ratchets are derived from; without what was loaded. */
function* namesFor(state: MessagingState, epoch: bigint, leaf: LeafIndex): Generator<string> {
  for (const { context, former } of state.pastEpochs) {
    if (context.epoch >= epoch && former.loaded?.has(leaf) === false) yield recordNames.former(context.epoch, leaf);
  }
  if (state.tree instanceof LoadedLeaves && !state.tree.isLoaded(leaf)) yield recordNames.leaf(leaf);
  const secretTree = secretTreesOf(state).get(epoch);
  if (secretTree === undefined) return;
  for (const node of absentNodes(secretTree, leaf)) yield recordNames.ratchet(epoch, node);
}
