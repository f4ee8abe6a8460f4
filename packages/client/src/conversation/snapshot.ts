/** Pictures of a conversation for the application: the same object until something in it changes. */
import type { ConversationSnapshot, ConversationStatus } from "../api.ts";
import type { Summary } from "../records/conversation.ts";

/** What a conversation's status is, given how often the account was found rolled back. */
export function statusOf(
  summary: Pick<Summary, "status" | "recovery" | "problem">,
  recovery: number,
): { readonly status: ConversationStatus; readonly problem: string | undefined } {
  if (summary.status === "active" && summary.recovery < recovery) {
    return { status: "recovering", problem: "ERR_CLIENT_ROLLED_BACK" };
  }
  return { status: summary.status, problem: summary.problem };
}

export class Snapshots {
  #current: ConversationSnapshot;

  constructor(id: string, summary: Summary, recovery: number) {
    this.#current = build(id, summary, recovery);
  }

  get current(): ConversationSnapshot {
    return this.#current;
  }

  /** Whether there is a new snapshot. */
  update(summary: Summary, recovery: number): boolean {
    const next = build(this.#current.id, summary, recovery);
    if (isSame(this.#current, next)) return false;
    this.#current = next;
    return true;
  }
}

function build(id: string, summary: Summary, recovery: number): ConversationSnapshot {
  const { title, epoch, memberCount, invitedBy, lastItem } = summary;
  return Object.freeze({
    ...{ id, title, epoch, memberCount, invitedBy, lastItem },
    ...statusOf(summary, recovery),
    pending: pendingOf(summary),
  });
}

function pendingOf({ pending, leaving, status }: Summary): ConversationSnapshot["pending"] {
  if (pending !== undefined) return Object.freeze({ ...pending });
  if (leaving && status === "active") return Object.freeze({ operation: "leave", attempt: 1 });
  return undefined;
}

function isSame(a: ConversationSnapshot, b: ConversationSnapshot): boolean {
  return (
    a.title === b.title &&
    a.status === b.status &&
    a.problem === b.problem &&
    a.epoch === b.epoch &&
    a.memberCount === b.memberCount &&
    a.invitedBy === b.invitedBy &&
    a.lastItem === b.lastItem &&
    a.pending?.operation === b.pending?.operation &&
    a.pending?.attempt === b.pending?.attempt
  );
}
