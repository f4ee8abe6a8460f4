/** A conversation of which not even the summary can be read: it is listed, and can be joined again or forgotten. */
import type { Summary } from "../records/conversation.ts";
import type { Stored } from "./stored.ts";

export function damagedConversation(): Stored {
  const summary: Summary = {
    title: "",
    status: "damaged",
    problem: "ERR_STORE_CORRUPT",
    epoch: 0n,
    titleKey: undefined,
    memberCount: 0,
    invitedBy: undefined,
    position: undefined,
    own: [],
    lastItem: 0,
    handedOver: 0,
    nextOutbox: 0,
    queued: 0,
    pending: undefined,
    committed: [],
    leaving: false,
    proposed: false,
    joinedEpoch: 0n,
    welcome: undefined,
    ended: [],
    resent: [],
    used: { epoch: 0n, handshake: 0, application: 0 },
    recovery: 0,
  };
  return { version: 0, summary, work: undefined, group: undefined };
}
