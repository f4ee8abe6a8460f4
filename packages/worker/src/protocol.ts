/**
 * What page and worker say to each other: plain data only, checked on arrival. Frozen: whoever changes a shape or a
 * meaning in this file raises `PROTOCOL_VERSION`, so that a page and a worker of different builds notice at once.
 *
 * Both directions share one port, so replies and events arrive in the order they were sent: the state that a call led
 * to is on the page before the call resolves.
 */
import type { ClientEvents, ConversationEvents, ConversationSnapshot, HistoryItem, Member } from "@coppice/client";
import type { StoreKey } from "@coppice/storage";

/** Version of everything in this file. */
export const PROTOCOL_VERSION: number = 1;

/** UTF-16 code units of any text. */
export const MAX_TEXT: number = 1 << 20;
/** Items of any list. */
export const MAX_LIST: number = 1 << 20;
/** Bytes of any value; what the engine allows is far below. */
export const MAX_BYTES: number = 1 << 24;
/** Most events of one batch, and bytes from which on it is full: what the main thread handles at once. */
export const BATCH_EVENTS: number = 64;
export const BATCH_BYTES: number = 256 * 1024;

/** The page's first message. */
export interface Greeting {
  readonly version: number;
  /** Random name of this connection; `pageLock` and `workerLock` are made of it. */
  readonly connection: string;
  /** Whether the page holds its lock: the worker can then notice the page's end. */
  readonly locked: boolean;
}

/** The worker's first reply. */
export interface GreetingReply {
  readonly version: number;
  /** Whether the worker holds its lock: the page can then notice the worker's end. */
  readonly locked: boolean;
}

/** How to open the engine; the same for a worker and for `openHere`. */
export interface OpenRequest {
  readonly name: string;
  /** Absolute URL of the Delivery Service. */
  readonly server: string;
  /** Name of the database; undefined for the default. */
  readonly database: string | undefined;
  readonly key: StoreKey | undefined;
}

/** A snapshot without `members` has those of the one before. */
export type WireSnapshot = Omit<ConversationSnapshot, "members"> & { readonly members?: readonly Member[] };

/** What changed since the last batch. Snapshots are the newest ones: those in between are skipped. */
export interface StateChange {
  readonly online: boolean;
  /** Ids of all conversations in their order, if conversations came or went. */
  readonly conversations: readonly string[] | undefined;
  readonly snapshots: readonly WireSnapshot[];
}

/** Events that the worker subscribes to only while the page listens. */
export const ITEM_EVENTS = ["message", "item", "discarded"] as const;
export type ItemEvent = (typeof ITEM_EVENTS)[number];

/** An event; `change` and `connection` follow from the state. */
export type WireEvent =
  | { readonly type: "conversation"; readonly value: ClientEvents["conversation"] }
  | { readonly type: "problem"; readonly value: ClientEvents["problem"] }
  | {
      [K in ItemEvent]: { readonly type: K; readonly conversation: string; readonly value: ConversationEvents[K] };
    }[ItemEvent];

/** The state comes first, then the events in their order. */
export interface Batch {
  readonly state: StateChange;
  readonly events: readonly WireEvent[];
}

/** What the worker offers. `call` numbers a call so that `abort` can name it. */
export interface WorkerFacade {
  greet(greeting: Greeting): Promise<GreetingReply>;
  /** Resolves with the signed-in name after the first batch. */
  open(call: number, request: OpenRequest): Promise<string>;
  /** Resolves with the conversation's id. */
  createGroup(call: number, title: string | undefined): Promise<string>;
  sync(call: number): Promise<void>;
  history(
    call: number,
    conversation: string,
    query: { readonly before: number | undefined; readonly limit: number | undefined },
  ): Promise<readonly HistoryItem[]>;
  add(call: number, conversation: string, names: readonly string[]): Promise<void>;
  remove(call: number, conversation: string, names: readonly string[]): Promise<void>;
  leave(call: number, conversation: string): Promise<void>;
  rename(call: number, conversation: string, title: string): Promise<void>;
  update(call: number, conversation: string): Promise<void>;
  send(call: number, conversation: string, data: Uint8Array | string): Promise<HistoryItem>;
  resend(call: number, conversation: string, seq: number): Promise<void>;
  discard(call: number, conversation: string, seq: number): Promise<void>;
  exportSecret(
    call: number,
    conversation: string,
    label: string,
    context: Uint8Array,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer>>;
  forget(call: number, conversation: string): Promise<void>;
  abort(call: number): Promise<void>;
  listen(conversation: string, event: ItemEvent): Promise<void>;
  unlisten(conversation: string, event: ItemEvent): Promise<void>;
  close(): Promise<void>;
}

/** What the page offers. The next batch is sent when this one was handled. */
export interface PageFacade {
  deliver(batch: Batch): Promise<void>;
}

/** Names of the worker's methods: nothing else can be called through the port. */
export const WORKER_METHODS: Readonly<Record<keyof WorkerFacade, true>> = {
  greet: true,
  open: true,
  createGroup: true,
  sync: true,
  history: true,
  add: true,
  remove: true,
  leave: true,
  rename: true,
  update: true,
  send: true,
  resend: true,
  discard: true,
  exportSecret: true,
  forget: true,
  abort: true,
  listen: true,
  unlisten: true,
  close: true,
};

/** Names of the page's methods. */
export const PAGE_METHODS: Readonly<Record<keyof PageFacade, true>> = { deliver: true };

/** A facade as its caller sees it: what comes back is not trusted. */
export type Remote<Facade> = {
  readonly [K in keyof Facade]: Facade[K] extends (...args: infer Arguments) => unknown
    ? (...args: Arguments) => Promise<unknown>
    : never;
};

/** A facade as its implementation sees it: what is handed in is not trusted. */
export type Hostile<Facade> = {
  readonly [K in keyof Facade]: Facade[K] extends (...args: infer Arguments) => infer Result
    ? (...args: { [I in keyof Arguments]: unknown }) => Result
    : never;
};

/** Lock that the page holds while it lives. */
export const pageLock = (connection: string): string => `coppice-page:${connection}`;
/** Lock that the worker holds while it lives. */
export const workerLock = (connection: string): string => `coppice-worker:${connection}`;
