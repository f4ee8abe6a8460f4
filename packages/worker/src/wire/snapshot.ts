/** Conversation snapshots as they cross the boundary. */
import type { ConversationSnapshot, ConversationStatus, Member } from "@coppice/client";
import { MAX_LIST, MAX_TEXT, type WireSnapshot } from "../protocol.ts";
import { big, count, flag, list, oneOf, optional, record, text } from "./primitives.ts";

const STATUSES: readonly ConversationStatus[] = ["active", "removed", "closed", "broken"];
const OPERATIONS = ["add", "remove", "update", "rename", "leave"] as const;

/** A snapshot to post. Members that the other side has already (`known`) stay away: most changes do not touch them. */
export function packSnapshot(snapshot: ConversationSnapshot, known: readonly Member[] | undefined): WireSnapshot {
  const { members, ...rest } = snapshot;
  return known !== undefined && sameMembers(members, known) ? rest : { ...rest, members };
}

function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every((member, index) => {
      const other = b[index];
      return (
        other !== undefined &&
        member.name === other.name &&
        member.leafIndex === other.leafIndex &&
        member.isSelf === other.isSelf
      );
    })
  );
}

/** The immutable snapshot; `known` are the members of the one before. `TypeError` for anything else. */
export function parseSnapshot(value: unknown, known: readonly Member[] | undefined): ConversationSnapshot {
  const wire = record(value);
  const members = optional(wire["members"], (given) => Object.freeze(list(given, MAX_LIST, parseMember))) ?? known;
  if (members === undefined) throw new TypeError("members are expected");
  return Object.freeze({
    id: text(wire["id"], MAX_TEXT),
    title: text(wire["title"], MAX_TEXT),
    status: oneOf(wire["status"], STATUSES),
    problem: optional(wire["problem"], short),
    epoch: big(wire["epoch"]),
    members,
    invitedBy: optional(wire["invitedBy"], short),
    safetyNumber: text(wire["safetyNumber"], MAX_TEXT),
    pending: optional(wire["pending"], parsePending),
    lastItem: count(wire["lastItem"]),
  });
}

function parseMember(value: unknown): Member {
  const member = record(value);
  return Object.freeze({
    name: text(member["name"], MAX_TEXT),
    leafIndex: count(member["leafIndex"]),
    isSelf: flag(member["isSelf"]),
  });
}

function parsePending(value: unknown): ConversationSnapshot["pending"] {
  const pending = record(value);
  return Object.freeze({
    operation: oneOf(pending["operation"], OPERATIONS),
    attempt: count(pending["attempt"]),
  });
}

const short = (value: unknown): string => text(value, MAX_TEXT);
