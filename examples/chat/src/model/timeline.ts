/** Arranges history items into the rows of the message list. */
import type { HistoryItem } from "coppice";
import { sameDay } from "../wording.ts";

export type MessageItem = Extract<HistoryItem, { kind: "message" }>;

/** A row of the message list. `key` is stable while rows are added before and after. */
export type TimelineRow =
  | { readonly kind: "day"; readonly key: string; readonly at: number }
  /** Everything below is new to the person. */
  | { readonly kind: "unread"; readonly key: string }
  | {
      readonly kind: "message";
      readonly key: string;
      readonly item: MessageItem;
      /** First of several messages that one person sent within a few minutes. */
      readonly startsGroup: boolean;
      readonly endsGroup: boolean;
    }
  | { readonly kind: "notice"; readonly key: string; readonly item: Exclude<HistoryItem, MessageItem> };

/** Messages further apart than this do not form a group, milliseconds. */
const groupGap = 5 * 60_000;

/** Rows for items in order. `unreadFrom` is the first item the person has not seen, if a line is to be drawn there. */
export function arrange(items: readonly HistoryItem[], unreadFrom: number | undefined): readonly TimelineRow[] {
  const rows: TimelineRow[] = [];
  let lineDrawn = unreadFrom === undefined;
  items.forEach((item, index) => {
    const previous = items[index - 1];
    const next = items[index + 1];
    if (previous === undefined || !sameDay(previous.at, item.at)) {
      rows.push({ kind: "day", key: `day-${item.seq}`, at: item.at });
    }
    const drawLine = !lineDrawn && unreadFrom !== undefined && item.seq >= unreadFrom;
    if (drawLine) {
      lineDrawn = true;
      rows.push({ kind: "unread", key: "unread" });
    }
    const key = item.seq.toString();
    if (item.kind === "message") {
      const startsGroup = drawLine || !belongTogether(previous, item);
      const endsGroup = !belongTogether(item, next) || (!lineDrawn && next?.seq === unreadFrom);
      rows.push({ kind: "message", key, item, startsGroup, endsGroup });
    } else {
      rows.push({ kind: "notice", key, item });
    }
  });
  return rows;
}

function belongTogether(earlier: HistoryItem | undefined, later: HistoryItem | undefined): boolean {
  return (
    earlier?.kind === "message" &&
    later?.kind === "message" &&
    earlier.sender === later.sender &&
    Math.abs(later.at - earlier.at) < groupGap &&
    sameDay(earlier.at, later.at)
  );
}
