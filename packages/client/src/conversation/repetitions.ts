/**
 * A message that was sealed again may arrive twice, in either order: it is shown once. Which ones were says the sender, inside the
 * ciphertext; all others cost no look.
 */
import type { MessageKey } from "../records/conversation.ts";
import type { History } from "./history.ts";
import type { NewItem } from "./transaction.ts";

/** Items among which the first sealing is looked for: a message is sealed again only when the log to its end has not shown it. */
const RECENT = 512;

/** Messages that are remembered to have been sealed again. */
const MAX_RESENT = 32;

export const isAmong = (keys: readonly MessageKey[], { sender, id }: MessageKey): boolean =>
  keys.some((other) => other.id === id && other.sender === sender);

/** One that was sealed again is remembered, for its first sealing may follow. */
export const withKey = (resent: readonly MessageKey[], { sender, id }: MessageKey): readonly MessageKey[] =>
  [...resent, { sender, id }].slice(-MAX_RESENT);

/** Whether a message is shown already: among items that are not stored yet, or in the history. */
export async function wasShown(key: MessageKey, items: readonly NewItem[], history: History): Promise<boolean> {
  const recent = [...items, ...(await history.page({ limit: RECENT }))];
  return recent.some((item) => item.kind === "message" && isAmong([item], key));
}
