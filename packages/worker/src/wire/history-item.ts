/** History items as they cross the boundary. */
import type { DeliveryState, HistoryItem } from "@coppice/client";
import { MAX_BYTES, MAX_LIST, MAX_TEXT } from "../protocol.ts";
import { packBytes } from "./pack.ts";
import { big, bytes, count, finite, flag, list, oneOf, optional, record, text } from "./primitives.ts";

const DELIVERY_STATES: readonly DeliveryState[] = ["sending", "sent", "failed"];

/** A copy of `item` that can be posted; large buffers are added to `transfer`. */
export function packItem(item: HistoryItem, transfer: Transferable[]): HistoryItem {
  return item.kind === "message" ? { ...item, data: packBytes(item.data, transfer) } : { ...item };
}

/** `TypeError` for anything that is not a history item. */
export function parseItem(value: unknown): HistoryItem {
  const item = record(value);
  const kind = oneOf(item["kind"], ["message", "change", "undecryptable"]);
  const common = { seq: count(item["seq"]), at: finite(item["at"]), epoch: big(item["epoch"]) };
  switch (kind) {
    case "message":
      return {
        ...common,
        kind,
        sender: name(item["sender"]),
        isSelf: flag(item["isSelf"]),
        data: bytes(item["data"], MAX_BYTES),
        state: oneOf(item["state"], DELIVERY_STATES),
        problem: optional(item["problem"], name),
      };
    case "change":
      return {
        ...common,
        kind,
        actor: name(item["actor"]),
        added: names(item["added"]),
        removed: names(item["removed"]),
        renamedTo: optional(item["renamedTo"], name),
        joined: flag(item["joined"]),
      };
    case "undecryptable":
      return { ...common, kind, problem: name(item["problem"]) };
  }
}

/** `TypeError` for anything that is not another member's message. */
export function parseMessage(value: unknown): Extract<HistoryItem, { kind: "message" }> {
  const item = parseItem(value);
  if (item.kind !== "message") throw new TypeError("a message is expected");
  return item;
}

const name = (value: unknown): string => text(value, MAX_TEXT);
const names = (value: unknown): readonly string[] => list(value, MAX_LIST, name);
