/** A conversation of the engine: what all sessions share of it. */
import { exportSecret, fromHex, type Bytes } from "@coppice/core";
import { safetyNumber } from "@coppice/delivery/contract";
import { copyBytes, isCoppiceError, Listeners, type CoppiceError, type Overdue } from "@coppice/kit";
import type { CallOptions, ConversationSnapshot, HistoryItem, MembersPage, PruneQuery } from "../api.ts";
import { clientError } from "../errors.ts";
import { checkTitle, checkUsers } from "../names.ts";
import type { Intent, MessageItem } from "../records/conversation.ts";
import { requireMember, requireUsable } from "./commit-pipeline.ts";
import type { Context, Shared } from "./context.ts";
import { forget } from "./forget.ts";
import { History, type HistoryQuery } from "./history.ts";
import { readPeople, readUsers, type MembersOf, type MembersQuery } from "./members.ts";
import { checkPruneQuery, pruning } from "./prune.ts";
import { messageBytes } from "./message-bytes.ts";
import { lostMessage, queueMessage } from "./outbox.ts";
import { Snapshots, statusOf } from "./snapshot.ts";
import type { Foreign, Stored } from "./stored.ts";
import { Sync } from "./sync.ts";
import type { Transaction } from "./transaction.ts";
import { Turns } from "./turns.ts";

export interface ConversationOptions {
  readonly id: string;
  readonly shared: Shared;
  /** Told of failures in the background. */
  readonly report: (error: unknown) => void;
  /** Told when the conversation is no longer on this device. */
  readonly onGone: () => void;
  /** Told whenever the group was used and is in memory. */
  readonly onLoaded: () => void;
}

/** Found where it shows, and told there in words that say more. */
const TOLD = ["ERR_CLIENT_ROLLED_BACK", "ERR_DS_LOG_CHANGED", "ERR_STORE_CORRUPT"] as const;

/** What sessions are told. */
export interface SharedEvents {
  /** Items that were added or changed, oldest first, and numbers of those that were discarded. */
  items: { readonly items: readonly HistoryItem[]; readonly discarded: readonly number[]; readonly newest: number };
  change: ConversationSnapshot;
}

/** How far a session has acknowledged messages. */
export interface Mark {
  readonly acknowledged: number;
}

/**
 * Milliseconds until what was acknowledged is stored by itself, if nothing else is written meanwhile: by the leader first, so that
 * one context does it for all.
 */
const SETTLE = { leader: 50, follower: 500 };

export class EngineConversation {
  readonly id: string;
  readonly events: Listeners<SharedEvents> = new Listeners<SharedEvents>(["items", "change"]);
  readonly history: History;
  readonly sync: Sync;
  readonly #options: ConversationOptions;
  readonly #turns: Turns;
  readonly #context: Context;
  readonly #snapshots: Snapshots;
  readonly #marks = new Set<Mark>();
  #settling = false;

  constructor(options: ConversationOptions, stored: Stored) {
    const { id, shared, report, onLoaded } = options;
    const { store } = shared.account;
    this.id = id;
    this.#options = options;
    this.history = new History(store, id);
    this.#snapshots = new Snapshots(id, stored.summary, shared.recovery());
    this.#turns = new Turns(
      {
        ...{ id, store, history: this.history, people: shared.people, time: shared.time, isLeading: shared.isLeading },
        onLoaded,
        onWriting: (transaction) => {
          this.#noteHandedOver(transaction);
        },
        onWritten: ({ before, summary, items, discarded, problems }) => {
          this.#announce(items, discarded);
          // The wish to leave is to be proposed again.
          if (summary.leaving && summary.epoch !== before.summary.epoch) this.sync.kick();
          for (const problem of problems) report(problem);
        },
        onForeign: (_before, foreign) => {
          this.#followForeign(foreign);
        },
        onDamaged: (error) => {
          this.#damage(error);
        },
        onOverdue: (overdue) => {
          report(overdueError(overdue));
        },
      },
      stored,
    );
    this.#context = {
      ...{ ...shared, id, groupId: fromHex(id), turns: this.#turns, history: this.history },
      report: (error) => {
        if (!TOLD.some((code) => isCoppiceError(error, code))) report(error);
      },
    };
    this.sync = new Sync(this.#context);
  }

  get snapshot(): ConversationSnapshot {
    return this.#snapshots.current;
  }

  /** Whether there is something to do with the Delivery Service besides following the log. */
  get hasWork(): boolean {
    const { queued, pending, position, leaving } = this.#turns.known.summary;
    if (queued > 0 || pending !== undefined || position === undefined || this.#status === "recovering") return true;
    return leaving && this.#status === "active";
  }

  /** Messages up to this item were acknowledged in some session. */
  get handedOver(): number {
    const acknowledged = [...this.#marks].map((mark) => mark.acknowledged);
    return Math.max(this.#turns.known.summary.handedOver, ...acknowledged);
  }

  /** A session has acknowledged more: that is stored with the next write, or soon by itself. */
  acknowledged(): void {
    if (this.#settling || this.handedOver <= this.#turns.known.summary.handedOver) return;
    this.#settling = true;
    void this.#settleSoon().catch(() => undefined);
  }

  /** Stores that a session has the messages up to `seq`, which it acknowledges when this tells that there is such an item. */
  async acknowledge(seq: number, acknowledged: () => void, { signal }: CallOptions): Promise<void> {
    this.#checkNotDamaged();
    if (!Number.isSafeInteger(seq) || seq < 0)
      throw new RangeError("Messages are acknowledged up to a sequence number");
    await this.#turns.transact((transaction) => {
      if (seq > transaction.summary.lastItem) throw unknownItem("There is no item of this number yet", seq);
      acknowledged();
      this.#noteHandedOver(transaction);
    }, signal);
  }

  /** Takes a session's mark into account; returns what ends that. */
  attach(mark: Mark): () => void {
    this.#marks.add(mark);
    return () => {
      this.#marks.delete(mark);
    };
  }

  async members(query: MembersQuery, { signal }: CallOptions): Promise<MembersPage> {
    return readPeople(this.#membersOf, query, signal && { signal });
  }

  async safetyNumber({ signal }: CallOptions): Promise<string> {
    const users = await readUsers(this.#membersOf, signal && { signal });
    return safetyNumber(await this.#context.people.roots(users, signal));
  }

  async page(query: HistoryQuery, { signal }: CallOptions): Promise<readonly HistoryItem[]> {
    return this.history.page(query, signal && { signal });
  }

  async add(users: string | readonly string[], options: CallOptions): Promise<void> {
    const checked = checkUsers(users);
    if (checked.length > 0) await this.#commit({ operation: "add", users: checked }, options);
  }

  async remove(users: string | readonly string[], options: CallOptions): Promise<void> {
    const checked = checkUsers(users);
    if (checked.includes(this.#context.account.user)) throw new RangeError("To remove yourself, leave");
    if (checked.length > 0) await this.#commit({ operation: "remove", users: checked }, options);
  }

  async rename(title: string, options: CallOptions): Promise<void> {
    await this.#commit({ operation: "rename", title: checkTitle(title) }, options);
  }

  async update(options: CallOptions): Promise<void> {
    await this.#commit({ operation: "update" }, options);
  }

  async leave({ signal }: CallOptions): Promise<void> {
    this.#checkNotDamaged();
    await this.#turns.transact((transaction) => {
      if (transaction.summary.leaving) return;
      requireUsable(transaction, this.#context);
      if (transaction.summary.memberCount === 1) {
        throw clientError("ERR_CLIENT_NOT_ACTIVE", "Nobody is left to remove this client: forget the conversation");
      }
      transaction.setSummary({ leaving: true });
    }, signal);
    this.sync.kick();
  }

  async send(data: Uint8Array | string, { signal }: CallOptions): Promise<HistoryItem> {
    const bytes = messageBytes(data);
    this.#checkNotDamaged();
    const item = await this.#turns.transact((transaction) => {
      requireUsable(transaction, this.#context);
      return queueMessage(transaction, bytes, { context: this.#context, now: this.sync.canPostNow });
    }, signal);
    this.sync.kick();
    return item;
  }

  async resend(seq: number, { signal }: CallOptions): Promise<void> {
    this.#checkNotDamaged();
    await this.#turns.transact(async (transaction) => {
      requireUsable(transaction, this.#context);
      const item = await failedItem(transaction, seq);
      if (item.data.length === 0) throw lostMessage(seq);
      transaction.changeItem({ ...item, state: "sending", problem: undefined });
      // Nobody knows whether it has arrived after all.
      transaction.enqueue({ item: seq, sealed: undefined, resent: true });
    }, signal);
    this.sync.kick();
  }

  async discard(seq: number, { signal }: CallOptions): Promise<void> {
    this.#checkNotDamaged();
    await this.#turns.transact(async (transaction) => {
      await failedItem(transaction, seq);
      transaction.discardItem(seq);
    }, signal);
  }

  async prune(query: PruneQuery, { signal }: CallOptions): Promise<number> {
    checkPruneQuery(query);
    this.#checkNotDamaged();
    const { lastItem } = this.#turns.known.summary;
    const { last, goes } = pruning(query, { lastItem, handedOver: this.handedOver });
    let pruned = 0;
    for (let after = 0; after < last;) {
      const page = await this.history.after(after);
      const old = page.filter(goes);
      if (old.length > 0) {
        await this.#turns.transact((transaction) => {
          for (const { seq } of old) transaction.discardItem(seq);
        }, signal);
      }
      pruned += old.length;
      after = page.at(-1)?.seq ?? last;
    }
    return pruned;
  }

  async exportSecret(label: string, context: Uint8Array, length: number): Promise<Bytes> {
    const copy = copyBytes(context, "The exporter's context");
    this.#checkNotDamaged();
    return this.#turns.transact(async (transaction) => {
      requireMember(transaction, this.#context);
      const state = await transaction.messaging(() => []);
      return exportSecret(state, { label, context: copy, length });
    });
  }

  async epochAuthenticator({ signal }: CallOptions): Promise<Bytes> {
    this.#checkNotDamaged();
    return this.#turns.transact(async (transaction) => {
      requireMember(transaction, this.#context);
      const { secrets } = await transaction.messaging(() => []);
      return new Uint8Array(secrets.epochAuthenticator);
    }, signal);
  }

  async rejoin({ signal }: CallOptions): Promise<void> {
    if (this.#status === "removed" || this.#status === "closed") {
      const detail = { status: this.#status };
      throw clientError("ERR_CLIENT_NOT_ACTIVE", "Only who is a member can join again", { detail });
    }
    if (this.#status !== "active") await this.sync.rejoin(signal);
  }

  async forget({ signal }: CallOptions): Promise<void> {
    await forget(this.#context, this.#turns.known.summary, signal);
    this.#end();
  }

  /** Lets the group go from memory. */
  unload(): void {
    this.#turns.unload();
  }

  /** Another context has written. */
  announce(version: number): void {
    this.#turns.announce(version);
  }

  /** Reads what another part of this context has written. */
  async refresh(): Promise<void> {
    await this.#turns.refresh();
  }

  /** The account was found rolled back, here or in another context. */
  recoveryChanged(): void {
    if (this.#updateSnapshot()) this.sync.kick();
  }

  /** Stores up to where messages were acknowledged. */
  async settleHandOver(): Promise<void> {
    if (this.handedOver <= this.#turns.known.summary.handedOver || this.#status === "damaged") return;
    await this.#turns.transact((transaction) => {
      this.#noteHandedOver(transaction);
    });
  }

  get #membersOf(): MembersOf {
    const { account, id } = this.#context;
    return { store: account.store, id, self: account.user };
  }

  get #status(): ConversationSnapshot["status"] {
    return statusOf(this.#turns.known.summary, this.#options.shared.recovery()).status;
  }

  async #commit(intent: Intent, { signal }: CallOptions): Promise<void> {
    this.#checkNotDamaged();
    await this.sync.commit({ intent, signal });
  }

  /** Turns of a damaged conversation fail in ways that say less. */
  #checkNotDamaged(): void {
    const { summary } = this.#turns.known;
    if (summary.status === "damaged") requireUsable({ summary }, this.#context);
  }

  async #settleSoon(): Promise<void> {
    const { time, scope, isLeading } = this.#options.shared;
    try {
      await scope.sleep(time, isLeading() ? SETTLE.leader : SETTLE.follower);
    } finally {
      this.#settling = false;
    }
    await this.settleHandOver();
  }

  #noteHandedOver(transaction: Transaction): void {
    const { handedOver } = this;
    if (handedOver > transaction.summary.handedOver) transaction.setSummary({ handedOver });
  }

  /** What this or another context has written. */
  #announce(items: readonly HistoryItem[], discarded: readonly number[]): void {
    this.#updateSnapshot();
    const newest = [...new Map(items.map((item) => [item.seq, item])).values()];
    if (newest.length > 0 || discarded.length > 0) {
      newest.sort((a, b) => a.seq - b.seq);
      this.events.notify("items", { items: newest, discarded, newest: this.#turns.known.summary.lastItem });
    }
    this.sync.considerProposals();
  }

  #followForeign(foreign: Foreign | undefined): void {
    if (foreign === undefined) {
      this.#end();
      return;
    }
    this.#announce(foreign.items, foreign.discarded);
    if (this.hasWork) this.sync.kick();
  }

  #updateSnapshot(): boolean {
    const changed = this.#snapshots.update(this.#turns.known.summary, this.#options.shared.recovery());
    if (changed) this.events.notify("change", this.snapshot);
    return changed;
  }

  /** Damage is confined to this conversation: it stops, and can be joined again or forgotten. */
  #damage(error: CoppiceError): void {
    if (this.#turns.known.summary.status === "damaged") return;
    this.#turns.markDamaged(error.code);
    this.#updateSnapshot();
    this.#options.report(error);
  }

  #end(): void {
    this.#turns.end();
    this.#options.onGone();
  }
}

async function failedItem(transaction: Transaction, seq: number): Promise<MessageItem> {
  const item = Number.isSafeInteger(seq) && seq > 0 ? await transaction.item(seq) : undefined;
  if (item?.kind === "message" && item.state === "failed") return item;
  throw unknownItem("There is no failed message of this number", seq);
}

const unknownItem = (message: string, seq: number): CoppiceError =>
  clientError("ERR_CLIENT_UNKNOWN_ITEM", message, { detail: { seq } });

/** Whether work was going on when its conversation was deleted. */
export const isForgotten = (error: unknown): boolean => isCoppiceError(error, "ERR_CLIENT_UNKNOWN_CONVERSATION");

export function overdueError({ lock, waited, holder }: Overdue): CoppiceError {
  const milliseconds = Math.round(waited);
  return clientError(
    "ERR_CLIENT_WAITING",
    `Another context (${holder}) held a lock for ${milliseconds} ms without a sign of life and was passed by`,
    { detail: { lock, holder, milliseconds } },
  );
}
