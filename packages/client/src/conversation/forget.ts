/** Deleting a conversation: what was consumed stays consumed, and no version comes back. */
import { isCoppiceError } from "@coppice/kit";
import type { PartitionSnapshot, Store } from "@coppice/storage";
import { forgottenRecord } from "../records/account.ts";
import { SUMMARY, summaryRecord, type Summary } from "../records/conversation.ts";
import type { Context } from "./context.ts";
import { partitionOf } from "./history.ts";
import { only } from "./stored.ts";

/** The last membership: what a Welcome is compared with. */
type Membership = Pick<Summary, "epoch" | "welcome">;

/**
 * Deletes the partition, and remembers in the account the last epoch and Welcome: a Welcome by the last-resort key package would let
 * this device into an epoch again whose keys it has used. Another context may have joined again since `known`: what is stored
 * counts, as it is at the version that is deleted.
 */
export async function forget({ account, id }: Context, known: Summary, signal: AbortSignal | undefined): Promise<void> {
  const { store } = account;
  const partition = partitionOf(id);
  const name = account.forgottenName(id);
  await account.update([only(name)], async ({ records }) => {
    signal?.throwIfAborted();
    const remembered = records.get(name);
    const before = remembered === undefined ? undefined : forgottenRecord.decode(remembered);
    const snapshot = await readSound(store, partition);
    const { epoch, welcome } = last(summaryIn(snapshot), before, known);
    return {
      put: new Map([[name, forgottenRecord.encode({ epoch, welcome })]]),
      others: [{ partition, expectedVersion: snapshot.version, clear: true }],
    };
  });
}

/** Where nothing sound is stored, another context has forgotten it, or what was known last is the best that there is. */
function last(stored: Membership | undefined, before: Membership | undefined, known: Membership): Membership {
  const now = stored ?? known;
  if (before === undefined || before.epoch < now.epoch) return now;
  return before.epoch === now.epoch && stored !== undefined ? stored : before;
}

/** Undefined if it is damaged or gone. */
function summaryIn({ records }: PartitionSnapshot): Summary | undefined {
  const summary = records.get(SUMMARY);
  return summary && summaryRecord.decode(summary);
}

async function readSound(store: Store, partition: string): Promise<PartitionSnapshot> {
  const ranges = [only(SUMMARY)];
  try {
    return await store.read(partition, ranges);
  } catch (error) {
    if (!isCoppiceError(error, "ERR_STORE_CORRUPT")) throw error;
    await store.discard(partition);
    return await store.read(partition, ranges);
  }
}
