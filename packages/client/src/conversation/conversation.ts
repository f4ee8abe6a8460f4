/** A conversation as the application sees it. */
import { erase, exportSecret, fromHex, utf8, type Bytes, type StagedCommit } from "@coppice/core";
import type { DeliveryService } from "@coppice/delivery";
import type { Account } from "../account/account.ts";
import type {
  CallOptions,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  HistoryItem,
  Unsubscribe,
} from "../api.ts";
import { Emitter } from "../emitter.ts";
import { clientError } from "../errors.ts";
import { checkNames, checkTitle } from "../names.ts";
import type { Intent, MessageItem } from "../records/conversation.ts";
import { SingleFlight, untilAborted, type Pace, type Scope } from "../waiting.ts";
import { Background } from "./background.ts";
import { requireUsable } from "./commit-pipeline.ts";
import type { Context } from "./context.ts";
import type { Draft } from "./draft.ts";
import { proposeToLeave } from "./epoch-change.ts";
import type { Held } from "./held.ts";
import { HandOver, readAfter, readHistory, readItems, type HistoryQuery } from "./history.ts";
import { Ledger } from "./ledger.ts";
import { queueMessage } from "./outbox.ts";
import { Snapshots } from "./snapshot.ts";

const MAX_MESSAGE_BYTES = 64 * 1024;

export interface ConversationOptions {
  readonly id: string;
  readonly account: Account;
  readonly delivery: DeliveryService;
  readonly clock: () => number;
  readonly pace: Pace;
  readonly scope: Scope;
  /** Told of failures in the background. */
  readonly report: (error: unknown) => void;
  /** Told of what listeners throw. */
  readonly listenerFailed: (error: unknown) => void;
  /** Told when the conversation is no longer on this device. */
  readonly onGone: () => void;
}

export class EngineConversation implements Conversation {
  readonly id: string;
  readonly background: Background;
  readonly #options: ConversationOptions;
  readonly #ledger: Ledger;
  readonly #context: Context;
  readonly #emitter: Emitter<ConversationEvents>;
  readonly #snapshots: Snapshots;
  readonly #handOver: HandOver;
  readonly #refreshing = new SingleFlight(() => this.#ledger.look(() => undefined));

  constructor(options: ConversationOptions, held: Held) {
    const { id, account, delivery, clock, pace, scope, report } = options;
    this.id = id;
    this.#options = options;
    this.#emitter = new Emitter(options.listenerFailed);
    this.#snapshots = new Snapshots(id, held);
    this.#handOver = new HandOver(held.meta, {
      read: (after) => readAfter(account.store, id, after),
      hasListener: () => this.#emitter.has("message"),
      deliver: (message) => {
        this.#emitter.emit("message", message);
      },
    });
    this.#ledger = new Ledger(
      {
        id,
        account,
        clock,
        onWriting: (draft) => {
          this.#noteHandedOver(draft);
        },
        onWritten: (draft) => {
          this.#announce(draft.toHeld(), draft.items, draft.discarded);
        },
        onForeign: (before, now) => this.#followForeign(before, now),
      },
      held,
    );
    const lastStaged: { value: StagedCommit | undefined } = { value: undefined };
    const groupId = fromHex(id);
    this.#context = { id, groupId, account, delivery, ledger: this.#ledger, clock, pace, scope, lastStaged };
    this.background = new Background(this.#context, report);
    this.background.considerProposals(held);
  }

  get snapshot(): ConversationSnapshot {
    return this.#snapshots.current;
  }

  on<K extends keyof ConversationEvents>(event: K, listener: (value: ConversationEvents[K]) => void): Unsubscribe {
    const release = this.#emitter.on(event, listener);
    if (event === "message") this.#handOver.wake();
    return release;
  }

  history(query?: HistoryQuery, { signal }: CallOptions = {}): Promise<readonly HistoryItem[]> {
    return this.#call(() => untilAborted(readHistory(this.#ledger.store, this.id, query), signal), signal);
  }

  async add(names: readonly string[], options?: CallOptions): Promise<void> {
    const checked = checkNames(names);
    if (checked.length > 0) await this.#commit({ operation: "add", names: checked }, options);
  }

  async remove(names: readonly string[], options?: CallOptions): Promise<void> {
    const checked = checkNames(names);
    if (checked.includes(this.#options.account.name)) throw new RangeError("to remove yourself, leave");
    if (checked.length > 0) await this.#commit({ operation: "remove", names: checked }, options);
  }

  async rename(title: string, options?: CallOptions): Promise<void> {
    await this.#commit({ operation: "rename", title: checkTitle(title) }, options);
  }

  async update(options?: CallOptions): Promise<void> {
    await this.#commit({ operation: "update" }, options);
  }

  leave({ signal }: CallOptions = {}): Promise<void> {
    return this.#call(async () => {
      await this.#ledger.transact(async (draft) => {
        if (draft.meta.leaving) return;
        requireUsable(draft);
        if (this.snapshot.members.length === 1) {
          throw clientError("ERR_CLIENT_NOT_ACTIVE", "nobody is left to remove this client: forget the conversation");
        }
        draft.setMeta({ leaving: true });
        await proposeToLeave(draft, this.#context);
      }, signal);
      this.background.kick();
    }, signal);
  }

  async send(data: Uint8Array | string, { signal }: CallOptions = {}): Promise<HistoryItem> {
    const bytes = messageBytes(data);
    return this.#call(async () => {
      const item = await this.#ledger.transact((draft) => {
        requireUsable(draft);
        return queueMessage(draft, bytes, this.#context);
      }, signal);
      this.background.kick();
      return item;
    }, signal);
  }

  resend(seq: number, { signal }: CallOptions = {}): Promise<void> {
    return this.#call(async () => {
      await this.#ledger.transact(async (draft) => {
        requireUsable(draft);
        const { number, item } = await this.#failed(draft, seq);
        draft.setOutbox(number, undefined);
        draft.enqueue({ item: seq, sealed: undefined, failed: false });
        draft.changeItem({ ...item, state: "sending", problem: undefined });
      }, signal);
      this.background.kick();
    }, signal);
  }

  discard(seq: number, { signal }: CallOptions = {}): Promise<void> {
    return this.#call(
      () =>
        this.#ledger.transact(async (draft) => {
          const { number } = await this.#failed(draft, seq);
          draft.setOutbox(number, undefined);
          draft.discardItem(seq);
        }, signal),
      signal,
    );
  }

  async exportSecret(label: string, context: Uint8Array, length: number): Promise<Bytes> {
    const copy = new Uint8Array(context);
    return this.#call(() =>
      this.#ledger.look((held) => {
        requireUsable({ ...held, meta: { ...held.meta, leaving: false } });
        return exportSecret(held.state, { label, context: copy, length });
      }),
    );
  }

  forget({ signal }: CallOptions = {}): Promise<void> {
    return this.#call(async () => {
      await this.#ledger.forget(signal);
      this.#options.onGone();
    }, signal);
  }

  /** Reads what another context has written. */
  refresh(): Promise<void> {
    return this.#refreshing.run();
  }

  /** Stores up to where messages were handed over. */
  async settleHandOver(): Promise<void> {
    await this.#handOver.idle();
    await this.#ledger.transact((draft) => {
      this.#noteHandedOver(draft);
    });
  }

  release(): void {
    this.#emitter.clear();
  }

  #commit(intent: Intent, { signal }: CallOptions = {}): Promise<void> {
    return this.#call(async () => {
      await this.background.requireUsable(signal);
      await this.background.commit({ intent, signal });
    }, signal);
  }

  /** Settles at the latest when the client is closed. `work` itself ends when the caller gives up, where it still can. */
  async #call<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { scope } = this.#options;
    scope.throwIfEnded();
    signal?.throwIfAborted();
    return scope.run(work());
  }

  async #failed(draft: Draft, seq: number): Promise<{ readonly number: number; readonly item: MessageItem }> {
    const found = [...draft.outbox].find(([, entry]) => entry.item === seq && entry.failed);
    const item = found && (await readItems(this.#ledger.store, this.id, [seq])).get(seq);
    if (found === undefined || item?.kind !== "message") {
      throw clientError("ERR_CLIENT_UNKNOWN_ITEM", "there is no failed message of this number", { detail: { seq } });
    }
    return { number: found[0], item };
  }

  #noteHandedOver(draft: Draft): void {
    const { cursor } = this.#handOver;
    if (cursor > draft.meta.handedOver) draft.setMeta({ handedOver: cursor });
  }

  #announce(held: Held, items: readonly HistoryItem[], discarded: readonly number[]): void {
    if (this.#snapshots.update(held)) this.#emitter.emit("change", this.snapshot);
    const newest = new Map(items.map((item) => [item.seq, item]));
    for (const item of newest.values()) this.#emitter.emit("item", item);
    for (const seq of discarded) this.#emitter.emit("discarded", { seq });
    this.#handOver.wake(held.meta.lastItem);
    this.background.considerProposals(held);
  }

  /** What another context changed: new items, and those that were or are in the outbox. */
  async #followForeign(before: Held, now: Held | undefined): Promise<void> {
    if (now === undefined) {
      this.#options.onGone();
      return;
    }
    const seqs = new Set([...before.outbox.values(), ...now.outbox.values()].map(({ item }) => item));
    seqs.delete(0);
    for (let seq = before.meta.lastItem + 1; seq <= now.meta.lastItem; seq++) seqs.add(seq);
    const ordered = [...seqs].sort((a, b) => a - b);
    const items = await readItems(this.#ledger.store, this.id, ordered);
    const gone = ordered.filter((seq) => seq <= before.meta.lastItem && !items.has(seq));
    this.#announce(now, [...items.values()], gone);
  }
}

/** A copy of 1 byte to 64 KiB. */
function messageBytes(data: Uint8Array | string): Bytes {
  if (!(data instanceof Uint8Array) && typeof data !== "string") throw new TypeError("a message is bytes or a string");
  if (data.length > MAX_MESSAGE_BYTES) throw tooLarge();
  const bytes = typeof data === "string" ? utf8(data) : new Uint8Array(data);
  if (bytes.length === 0) throw clientError("ERR_CLIENT_EMPTY_MESSAGE", "a message has at least one byte");
  if (bytes.length > MAX_MESSAGE_BYTES) {
    erase(bytes);
    throw tooLarge();
  }
  return bytes;
}

const tooLarge = (): Error =>
  clientError("ERR_CLIENT_MESSAGE_TOO_LARGE", `a message has at most ${MAX_MESSAGE_BYTES} bytes`);
