/** A conversation whose state lives in the worker. */
import type {
  CallOptions,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  HistoryItem,
  Unsubscribe,
} from "@coppice/client";
import { CoppiceError } from "@coppice/core/errors";
import { transfer } from "comlink";
import {
  ITEM_EVENTS,
  type ItemEvent,
  MAX_BYTES,
  MAX_LIST,
  MAX_TEXT,
  type Remote,
  type WorkerFacade,
} from "../protocol.ts";
import { parseItem } from "../wire/history-item.ts";
import { packBytes } from "../wire/pack.ts";
import { bytes, list } from "../wire/primitives.ts";
import { type Link, parseReply } from "./link.ts";
import { Listeners } from "./listeners.ts";

/** Messages that may wait for a listener; the worker sends at most a batch that was on its way. */
const MAX_UNHEARD = 1024;

export class RemoteConversation implements Conversation {
  readonly id: string;
  readonly #link: Link;
  readonly #listeners = new Listeners<ConversationEvents>({
    message: new Set(),
    item: new Set(),
    discarded: new Set(),
    change: new Set(),
  });
  /** Messages that came when the last listener had gone: the engine will not report them again. */
  readonly #unheard: ConversationEvents["message"][] = [];
  #snapshot: ConversationSnapshot;

  constructor(link: Link, snapshot: ConversationSnapshot) {
    this.id = snapshot.id;
    this.#link = link;
    this.#snapshot = snapshot;
  }

  get snapshot(): ConversationSnapshot {
    return this.#snapshot;
  }

  /** The worker's newest picture. */
  replaceSnapshot(snapshot: ConversationSnapshot): void {
    this.#snapshot = snapshot;
  }

  notify<K extends Exclude<keyof ConversationEvents, "message">>(event: K, value: ConversationEvents[K]): void {
    this.#listeners.notify(event, value);
  }

  receive(message: ConversationEvents["message"]): void {
    if (this.#unheard.length < MAX_UNHEARD) this.#unheard.push(message);
    this.#hear();
  }

  #hear(): void {
    while (this.#listeners.count("message") > 0) {
      const message = this.#unheard.shift();
      if (message === undefined) return;
      this.#listeners.notify("message", message);
    }
  }

  on<K extends keyof ConversationEvents>(event: K, listener: (value: ConversationEvents[K]) => void): Unsubscribe {
    const remove = this.#listeners.add(event, listener);
    const remote = ITEM_EVENTS.find((name) => name === event);
    if (remote === undefined) return remove;
    if (this.#listeners.count(event) === 1) {
      this.#link.post((worker) => worker.listen(this.id, remote));
      // A listener that was just added is not called before this has returned.
      if (event === "message") {
        queueMicrotask(() => {
          this.#hear();
        });
      }
    }
    return this.#releaseOnce(remote, remove);
  }

  /** The worker stops reporting an event when its last listener goes. */
  #releaseOnce(event: ItemEvent, remove: Unsubscribe): Unsubscribe {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      remove();
      if (this.#listeners.count(event) === 0) this.#link.post((worker) => worker.unlisten(this.id, event));
    };
  }

  async history(
    query: { readonly before?: number; readonly limit?: number } = {},
    { signal }: CallOptions = {},
  ): Promise<readonly HistoryItem[]> {
    const { before, limit } = query;
    const items = await this.#link.call(signal, (worker, call) => worker.history(call, this.id, { before, limit }));
    return parseReply(items, (value) => list(value, MAX_LIST, parseItem));
  }

  add(names: readonly string[], options?: CallOptions): Promise<void> {
    return this.#do(options, (worker, call) => worker.add(call, this.id, [...names]));
  }

  remove(names: readonly string[], options?: CallOptions): Promise<void> {
    return this.#do(options, (worker, call) => worker.remove(call, this.id, [...names]));
  }

  leave(options?: CallOptions): Promise<void> {
    return this.#do(options, (worker, call) => worker.leave(call, this.id));
  }

  rename(title: string, options?: CallOptions): Promise<void> {
    return this.#do(options, (worker, call) => worker.rename(call, this.id, title));
  }

  update(options?: CallOptions): Promise<void> {
    return this.#do(options, (worker, call) => worker.update(call, this.id));
  }

  async send(data: Uint8Array | string, { signal }: CallOptions = {}): Promise<HistoryItem> {
    const buffers: Transferable[] = [];
    const content = packContent(data, buffers);
    const item = await this.#link.call(signal, (worker, call) =>
      worker.send(call, this.id, typeof content === "string" ? content : transfer(content, buffers)),
    );
    return parseReply(item, parseItem);
  }

  resend(seq: number, options?: CallOptions): Promise<void> {
    return this.#do(options, (worker, call) => worker.resend(call, this.id, seq));
  }

  discard(seq: number, options?: CallOptions): Promise<void> {
    return this.#do(options, (worker, call) => worker.discard(call, this.id, seq));
  }

  async exportSecret(label: string, context: Uint8Array, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const buffers: Transferable[] = [];
    const packed = packBytes(context, buffers);
    const secret = await this.#link.call(undefined, (worker, call) =>
      worker.exportSecret(call, this.id, label, transfer(packed, buffers), length),
    );
    return parseReply(secret, (value) => bytes(value, MAX_BYTES));
  }

  forget(options?: CallOptions): Promise<void> {
    return this.#do(options, (worker, call) => worker.forget(call, this.id));
  }

  async #do(
    options: CallOptions | undefined,
    start: (worker: Remote<WorkerFacade>, call: number) => Promise<unknown>,
  ): Promise<void> {
    await this.#link.call(options?.signal, start);
  }
}

/** What cannot be a message is refused before it is copied. */
function packContent(data: Uint8Array | string, buffers: Transferable[]): Uint8Array | string {
  if (typeof data !== "string" && !(data instanceof Uint8Array)) throw new TypeError("a message is bytes or a string");
  if (data.length > (typeof data === "string" ? MAX_TEXT : MAX_BYTES)) {
    throw new CoppiceError("ERR_CLIENT_MESSAGE_TOO_LARGE", "The message is too large");
  }
  return typeof data === "string" ? data : packBytes(data, buffers);
}
