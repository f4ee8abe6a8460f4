/**
 * A message that was sealed again may arrive twice, in either order: it is shown once. Which ones were says the sender, inside the
 * ciphertext; all others cost no look.
 */
import type { MessageKey } from "../records/conversation.ts";
import type { Envelope } from "./envelope.ts";
import type { History } from "./history.ts";
import type { Transaction } from "./transaction.ts";

/** Items among which the first sealing is looked for: a message is sealed again only when the log to its end has not shown it. */
const RECENT = 512;

/** Messages that are remembered to have been sealed again. */
const MAX_RESENT = 32;

/** Whether the history has this message already. One that was sealed again is remembered, for its first sealing may follow. */
export async function isRepetition(
  transaction: Transaction,
  { sender, id, resent }: MessageKey & Pick<Envelope, "resent">,
  history: History,
): Promise<boolean> {
  const isThis = (other: MessageKey): boolean => other.id === id && other.sender === sender;
  const before = transaction.summary.resent;
  if (before.some(isThis)) return true;
  if (!resent) return false;
  transaction.setSummary({ resent: [...before, { sender, id }].slice(-MAX_RESENT) });
  const recent = [...transaction.items, ...(await history.page({ limit: RECENT }))];
  return recent.some((item) => item.kind === "message" && isThis(item));
}
