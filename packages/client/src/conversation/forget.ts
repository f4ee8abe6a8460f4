/** Deleting a conversation: what was consumed stays consumed, and no version comes back. */
import { isCoppiceError } from "@coppice/kit";
import type { Store } from "@coppice/storage";
import { forgottenRecord } from "../records/account.ts";
import type { Summary } from "../records/conversation.ts";
import type { Context } from "./context.ts";
import { partitionOf } from "./history.ts";

/**
 * Deletes the partition, and remembers in the account the last epoch and Welcome: a Welcome by the last-resort key package would let
 * this device into an epoch again whose keys it has used.
 */
export async function forget(
  { account, id }: Context,
  { epoch, welcome }: Summary,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { store } = account;
  const partition = partitionOf(id);
  const name = account.forgottenName(id);
  await account.update([{ prefix: name, before: `${name}\0` }], async ({ records }) => {
    signal?.throwIfAborted();
    const stored = records.get(name);
    const before = stored === undefined ? undefined : forgottenRecord.decode(stored);
    const later = before !== undefined && before.epoch > epoch ? before : { epoch, welcome };
    return {
      put: new Map([[name, forgottenRecord.encode(later)]]),
      others: [{ partition, expectedVersion: await versionOf(store, partition), clear: true }],
    };
  });
}

async function versionOf(store: Store, partition: string): Promise<number> {
  try {
    return (await store.read(partition, [])).version;
  } catch (error) {
    if (!isCoppiceError(error, "ERR_STORE_CORRUPT")) throw error;
    await store.discard(partition);
    return (await store.read(partition, [])).version;
  }
}
