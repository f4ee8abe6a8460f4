/** Calls about Welcomes that wait. */
import { codec } from "@coppice/core";
import type { InboxEntry } from "../contract.ts";
import { WIRE_LIMITS, type Call } from "./call.ts";
import { empty, integer, list } from "./codec.ts";
import { groupId, message, position } from "./fields.ts";
const { struct } = codec;

export const readInbox: Call<void, readonly InboxEntry[]> = {
  name: "readInbox",
  path: "v2/inbox/read",
  request: empty,
  answer: list(
    struct<InboxEntry>({ id: integer({ min: 1 }), groupId, welcome: message, position }),
    WIRE_LIMITS.inboxPage,
  ),
};

export const acknowledgeInbox: Call<{ readonly id: number }, void> = {
  name: "acknowledgeInbox",
  path: "v2/inbox/acknowledge",
  request: struct({ id: integer() }),
  answer: empty,
};
