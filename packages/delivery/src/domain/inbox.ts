/** Welcomes that wait for the clients they were made for. */
import type { ClientId, InboxEntry } from "../contract.ts";
import type { Context } from "./context.ts";

/** Most Welcomes of one answer. */
export const INBOX_PAGE = 256;

export async function readInbox({ store, limits }: Context, client: ClientId): Promise<readonly InboxEntry[]> {
  return store.read((tx) => tx.inbox(client, INBOX_PAGE, limits.pageBytes));
}

export async function acknowledgeInbox(
  context: Context,
  client: ClientId,
  { id }: { readonly id: number },
): Promise<void> {
  await context.change((tx) => tx.acknowledge(client, id));
}
