/** Batches as they cross the boundary. */
import type { ConversationSnapshot, Member } from "@coppice/client";
import { BATCH_EVENTS, MAX_LIST, MAX_TEXT, type StateChange, type WireEvent } from "../protocol.ts";
import { parseItem, parseMessage } from "./history-item.ts";
import { count, flag, list, oneOf, optional, record, text } from "./primitives.ts";
import { parseSnapshot } from "./snapshot.ts";

export interface ParsedBatch {
  readonly state: Omit<StateChange, "snapshots"> & { readonly snapshots: readonly ConversationSnapshot[] };
  readonly events: readonly WireEvent[];
}

/** `known` has the members of a conversation's snapshot before. `TypeError` for anything that is not a batch. */
export function parseBatch(value: unknown, known: (id: string) => readonly Member[] | undefined): ParsedBatch {
  const batch = record(value);
  const state = record(batch["state"]);
  return {
    state: {
      online: flag(state["online"]),
      conversations: optional(state["conversations"], (ids) => list(ids, MAX_LIST, short)),
      snapshots: list(state["snapshots"], MAX_LIST, (snapshot) =>
        parseSnapshot(snapshot, known(short(record(snapshot)["id"]))),
      ),
    },
    events: list(batch["events"], BATCH_EVENTS, parseEvent),
  };
}

function parseEvent(value: unknown): WireEvent {
  const event = record(value);
  const content = record(event["value"]);
  const type = oneOf(event["type"], ["conversation", "problem", "message", "item", "discarded"]);
  switch (type) {
    case "conversation":
      return { type, value: { id: short(content["id"]), invitedBy: optional(content["invitedBy"], short) } };
    case "problem":
      return {
        type,
        value: {
          code: short(content["code"]),
          message: short(content["message"]),
          conversation: optional(content["conversation"], short),
        },
      };
    case "message":
      return { type, conversation: short(event["conversation"]), value: parseMessage(content) };
    case "item":
      return { type, conversation: short(event["conversation"]), value: parseItem(content) };
    case "discarded":
      return { type, conversation: short(event["conversation"]), value: { seq: count(content["seq"]) } };
  }
}

const short = (value: unknown): string => text(value, MAX_TEXT);
