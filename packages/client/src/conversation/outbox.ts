/** Messages on their way: encrypted and stored in one write, then sent byte for byte until confirmed. */
import { createApplicationMessage, CoppiceError, type Bytes } from "@coppice/core";
import { codeOf } from "../errors.ts";
import type { MessageItem, OutboxEntry } from "../records/conversation.ts";
import { isTransient } from "../retrying.ts";
import type { Context } from "./context.ts";
import type { Draft } from "./draft.ts";
import { failedItem } from "./epoch-change.ts";
import { echoOf, statusOf, type Held } from "./held.ts";
import { readItems } from "./history.ts";

type Shared = Pick<Context, "id" | "account">;

/** Adds a message to history and outbox. It is encrypted at once unless proposals have to be committed first (R-12.4-3). */
export async function queueMessage(
  draft: Draft,
  data: Bytes,
  shared: Shared & Pick<Context, "clock">,
): Promise<MessageItem> {
  const item: MessageItem = {
    seq: 0,
    kind: "message",
    sender: shared.account.name,
    isSelf: true,
    data,
    at: shared.clock(),
    epoch: draft.state.context.epoch,
    state: "sending",
    problem: undefined,
  };
  const added = draft.addItem(item);
  const sealed = canSeal(draft) ? await seal(draft, data, shared) : undefined;
  draft.enqueue({ item: added.seq, sealed, failed: false });
  return { ...item, seq: added.seq };
}

const canSeal = ({ state }: Pick<Held, "state">): boolean => state.proposals.size === 0;

async function seal(draft: Draft, data: Bytes, { account }: Shared): Promise<NonNullable<OutboxEntry["sealed"]>> {
  const { epoch } = draft.state.context;
  const { rules } = draft;
  const sent = await createApplicationMessage(draft.state, data, { rules, signer: account.signer });
  draft.step(sent);
  return { epoch, message: sent.message };
}

/** The first entry that is to be sent; entries that were given up do not hold up the others. */
export function firstWaiting(held: Pick<Held, "outbox">): readonly [number, OutboxEntry] | undefined {
  for (const entry of held.outbox) if (!entry[1].failed) return entry;
  return undefined;
}

/** Whether proposals must be committed before the outbox can go on. */
export function needsCommit(held: Held): boolean {
  const [, first] = firstWaiting(held) ?? [];
  return first !== undefined && first.sealed === undefined && held.state.proposals.size > 0 && !held.meta.leaving;
}

/**
 * Makes the first entry ready to be sent: encrypts what is not yet, and encrypts again, under the current epoch, what is so
 * old that members may have deleted its keys. The log must have been read: an entry that is in it is no longer here.
 */
export async function prepareFirst(draft: Draft, shared: Shared): Promise<readonly [number, OutboxEntry] | undefined> {
  const first = firstWaiting(draft);
  if (first === undefined || statusOf(draft) !== "active") return undefined;
  const [number, entry] = first;
  const { epoch } = draft.state.context;
  const oldest = epoch - BigInt(draft.rules.limits.pastEpochs);
  if (entry.item === 0 || (entry.sealed !== undefined && entry.sealed.epoch >= oldest)) return first;
  if (!canSeal(draft)) return undefined;
  const item = (await readItems(shared.account.store, shared.id, [entry.item])).get(entry.item);
  if (item?.kind !== "message") throw new CoppiceError("ERR_STORE_CORRUPT", "an outbox entry has no message");
  const sealed = { ...entry, sealed: await seal(draft, item.data, shared) };
  draft.setOutbox(number, sealed);
  draft.changeItem({ ...item, epoch });
  return [number, sealed];
}

/** Removes an entry that the Delivery Service has. */
export async function markSent(draft: Draft, number: number, shared: Shared): Promise<void> {
  const entry = draft.outbox.get(number);
  draft.setOutbox(number, undefined);
  if (entry !== undefined)
    await changeState(draft, entry, shared, (item) => ({ ...item, state: "sent", problem: undefined }));
}

/** Gives an entry up. Its ciphertext goes: `resend` encrypts again. */
export async function markFailed(draft: Draft, number: number, problem: string, shared: Shared): Promise<void> {
  const entry = draft.outbox.get(number);
  if (entry === undefined) return;
  draft.setOutbox(number, entry.item === 0 ? undefined : { ...entry, sealed: undefined, failed: true });
  await changeState(draft, entry, shared, (item) => failedItem(item, problem));
}

async function changeState(
  draft: Draft,
  entry: OutboxEntry,
  { account, id }: Shared,
  change: (item: MessageItem) => MessageItem,
): Promise<void> {
  if (entry.item === 0) return;
  const drafted = draft.items.findLast(({ seq }) => seq === entry.item);
  const item = drafted ?? (await readItems(account.store, id, [entry.item])).get(entry.item);
  if (item?.kind === "message") draft.changeItem(change(item));
}

/** What became of the first entry. */
export type PostResult = "empty" | "sent" | "blocked";

/**
 * Sends the first entry and stores the answer. Rejects if it is to be tried again later. `blocked`: proposals have to be
 * committed before it can be encrypted.
 */
export async function postFirst(context: Context): Promise<PostResult> {
  const { ledger, delivery, groupId, scope } = context;
  const first = await ledger.transact((draft) => prepareFirst(draft, context));
  if (first === undefined) return (await ledger.look(needsCommit)) ? "blocked" : "empty";
  const [number, { sealed }] = first;
  if (sealed === undefined) throw new RangeError("an entry to be sent is encrypted");

  let seq: number;
  try {
    ({ seq } = await delivery.sendMessage({ groupId, ...sealed }));
  } catch (error) {
    if (scope.ended || isTransient(error)) throw error;
    await ledger.transact((draft) => markFailed(draft, number, codeOf(error, "ERR_DS_BAD_REQUEST"), context));
    return "sent";
  }
  await ledger.transact(async (draft) => {
    // It may have been seen in the log meanwhile.
    if (draft.outbox.get(number)?.sealed === undefined) return;
    await markSent(draft, number, context);
    if (seq === draft.meta.cursor + 1) draft.setMeta({ cursor: seq });
    else if (seq > draft.meta.cursor) draft.expectEcho(echoOf(draft.state, sealed.message));
  });
  return "sent";
}
