/** How a turn changes a conversation: pure functions from what was stored to what is to be stored. */
import type { Commit, Conversation, ItemState, Job, LogEntry, OutboxEntry, Sealed, Welcome } from "./state.ts";

/** Epochs before the current one of which the Delivery Service takes messages; fewer than in truth, which takes fewer steps to leave. */
export const EPOCH_WINDOW = 1;

export const isSameMessage = (a: Sealed | undefined, b: Sealed): boolean =>
  a !== undefined && a.epoch === b.epoch && a.generation === b.generation && a.id === b.id && a.resent === b.resent;

export const isSameCommit = (a: Commit | undefined, b: Commit): boolean =>
  a !== undefined && a.epoch === b.epoch && a.generation === b.generation && a.call === b.call;

export interface JobContext {
  readonly log: readonly LogEntry[];
  /** Whether a message that is sealed now can leave now. */
  readonly canPostNow: boolean;
}

/** What is to be stored; the same object if nothing is. */
export function changed(conversation: Conversation, job: Job, { log, canPostNow }: JobContext): Conversation {
  switch (job.kind) {
    case "queue":
      return queued(conversation, job.id, canPostNow);
    case "make":
      return made(conversation, job.call);
    case "process":
      return processed(conversation, log.slice(0, job.upTo));
    case "prepare":
      return prepared(conversation);
    case "confirm":
      return settled(conversation, job.batch, "sent");
    case "refuse":
      return settled(conversation, job.batch, "failed");
    case "unseal":
      return unsealed(conversation);
    case "adopt":
      return adopted(conversation, job.commit, log);
    case "drop":
      return isSameCommit(conversation.pending, job.commit) ? { ...conversation, pending: undefined } : conversation;
  }
}

/** `queueMessage`: sealed at once if nothing that is not sealed stands before it. */
function queued(conversation: Conversation, id: string, canPostNow: boolean): Conversation {
  if (conversation.status !== "active") return conversation;
  const entry: OutboxEntry = { id, sealed: undefined, resent: false };
  const { outbox } = conversation;
  const isNow = canPostNow && outbox.every(({ sealed }) => sealed !== undefined);
  const [after, added] = isNow ? seal(conversation, entry) : [conversation, entry];
  return { ...after, outbox: [...outbox, added], items: [...conversation.items, [id, "sending"]] };
}

function seal(conversation: Conversation, entry: OutboxEntry): readonly [Conversation, OutboxEntry] {
  const { epoch, generation } = conversation;
  const resent = entry.resent || entry.sealed !== undefined;
  const sealed: Sealed = { epoch, generation, id: entry.id, resent };
  return [
    { ...conversation, generation: generation + 1 },
    { ...entry, sealed, resent },
  ];
}

const isReady = ({ epoch }: Conversation, { sealed }: OutboxEntry): boolean =>
  sealed !== undefined && sealed.epoch >= epoch - EPOCH_WINDOW;

/** `readyBatch`: what can be posted without a turn; undefined if a turn is needed. */
export function readyBatch(conversation: Conversation): readonly Sealed[] | undefined {
  const { outbox } = conversation;
  if (!outbox.every((entry) => isReady(conversation, entry))) return undefined;
  return outbox.flatMap(({ sealed }) => sealed ?? []);
}

/** `prepareBatch` */
function prepared(conversation: Conversation): Conversation {
  let after = conversation;
  const outbox = conversation.outbox.map((entry) => {
    if (isReady(after, entry)) return entry;
    const [next, sealed] = seal(after, entry);
    after = next;
    return sealed;
  });
  return after === conversation ? conversation : { ...after, outbox };
}

/** `confirmBatch`, `refuseBatch`: of entries that are still as they were. */
function settled(conversation: Conversation, batch: readonly Sealed[], state: ItemState): Conversation {
  return batch.reduce((before, message) => {
    const entry = before.outbox.find(({ sealed }) => isSameMessage(sealed, message));
    return entry === undefined ? before : withoutEntry(before, entry, state);
  }, conversation);
}

function withoutEntry(conversation: Conversation, entry: OutboxEntry, state: ItemState): Conversation {
  return {
    ...conversation,
    outbox: conversation.outbox.filter((other) => other !== entry),
    items: conversation.items.map(([id, before]) => [id, id === entry.id ? state : before]),
  };
}

/** `unsealOld` */
function unsealed(conversation: Conversation): Conversation {
  const isOld = ({ sealed }: OutboxEntry): boolean => sealed !== undefined && sealed.epoch < conversation.epoch;
  if (!conversation.outbox.some(isOld)) return conversation;
  const outbox = conversation.outbox.map((entry) =>
    isOld(entry) ? { ...entry, sealed: undefined, resent: true } : entry,
  );
  return { ...conversation, outbox };
}

/** `make` of the commit pipeline: one Commit is pending at a time. */
function made(conversation: Conversation, call: string): Conversation {
  const { status, pending, epoch, handshake } = conversation;
  if (status !== "active" || pending !== undefined) return conversation;
  return { ...conversation, pending: { epoch, generation: handshake, call }, handshake: handshake + 1 };
}

/** `settle`: the Commit comes right after what was read; else the log is read. */
function adopted(conversation: Conversation, commit: Commit, log: readonly LogEntry[]): Conversation {
  if (!isSameCommit(conversation.pending, commit)) return conversation;
  const next = log[conversation.position];
  if (next?.kind !== "commit" || !isSameCommit(next.commit, commit)) return conversation;
  return { ...inNextEpoch(conversation), position: conversation.position + 1 };
}

const inNextEpoch = (conversation: Conversation): Conversation => ({
  ...conversation,
  epoch: conversation.epoch + 1,
  generation: 0,
  handshake: 0,
  pending: undefined,
});

/** `processEntries` */
function processed(conversation: Conversation, log: readonly LogEntry[]): Conversation {
  let after = conversation;
  for (const entry of log.slice(conversation.position)) {
    if (after.status !== "active") break;
    after = { ...afterEntry(after, entry), position: after.position + 1 };
  }
  return after;
}

function afterEntry(conversation: Conversation, entry: LogEntry): Conversation {
  switch (entry.kind) {
    case "message": {
      const own = conversation.outbox.find(({ sealed }) => isSameMessage(sealed, entry.sealed));
      if (own !== undefined) return withoutEntry(conversation, own, "sent");
      const { epoch, generation } = entry.sealed;
      // A key that this state has not used yet: the sign that another, later one has. Used ones are repetitions.
      const isUnknown = epoch === conversation.epoch && generation >= conversation.generation;
      return isUnknown ? { ...conversation, status: "rolled back" } : conversation;
    }
    case "commit":
      return entry.commit === undefined || isSameCommit(conversation.pending, entry.commit)
        ? inNextEpoch(conversation)
        : { ...conversation, status: "rolled back" };
    case "removal": {
      const { outbox } = conversation;
      const failed = outbox.reduce((before, waiting) => withoutEntry(before, waiting, "failed"), conversation);
      return { ...failed, status: "removed", pending: undefined };
    }
  }
}

/** `membershipWrite`: the history stays; what waits is sealed again, as it may have been sent before. */
export function membership({ number, epoch, position }: Welcome, former: Conversation | undefined): Conversation {
  return {
    ...{ status: "active", welcome: number, epoch, generation: 0, handshake: 0, position, pending: undefined },
    outbox: (former?.outbox ?? []).map(({ id }) => ({ id, sealed: undefined, resent: true })),
    items: former?.items ?? [],
  };
}
