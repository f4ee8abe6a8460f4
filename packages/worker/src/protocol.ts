/**
 * What page and worker say to each other besides the calls of an application: the life of a session, and what the engine
 * tells. Plain data only, checked on arrival.
 *
 * The page asks, the worker answers: every reply has the newest state and then its result, so that the state that a call
 * led to is on the page before the call resolves. Events are the answer to `next`, of which one always waits.
 */
import type { CallOptions, ClientEvents, ConversationEvents, ConversationSnapshot } from "@coppice/client";
import type { BackupProgress } from "@coppice/client/backup";
import type { StoreKey } from "@coppice/storage";
import type { FileKey } from "@coppice/storage/sealed-file";
import { BATCH_EVENTS } from "./limits.ts";
import { type Codec, list, oneOf, optional, plain, record, struct, tagged } from "./wire/codec.ts";
import { decodeError, type WireError } from "./wire/error.ts";
import { bytes, constant, count, flag, text } from "./wire/primitives.ts";
import { connection, discarded, invitation, item, message, problem, snapshot } from "./wire/values.ts";

/** Raised when what is said keeps its shape and gets another meaning; shapes speak for themselves (`PROTOCOL`). */
export const PROTOCOL_MEANING: number = 2;

/** The page's first call; this one and its answer stay as they are for ever. */
export interface Greeting {
  /** Fingerprint of the page's calls, `PROTOCOL`. */
  readonly protocol: string;
  /** Random name of this connection; `pageLock` and `workerLock` are made of it. */
  readonly connection: string;
  /** Whether the page holds its lock: the worker can then notice the page's end. */
  readonly locked: boolean;
}

export interface GreetingReply {
  readonly protocol: string;
  /** Whether the worker holds its lock: the page can then notice the worker's end. */
  readonly locked: boolean;
}

/** Which account, as the application names it. */
export interface AccountRequest {
  readonly name: string;
  /** Absolute URL of the Delivery Service. */
  readonly server: string;
  /** Name of the database; undefined for the default. */
  readonly database: string | undefined;
}

/** How to open an account; the same for a worker and for `openHere`. */
export interface OpenRequest extends AccountRequest {
  readonly key: StoreKey | undefined;
}

/** How to change the key of an account. */
export interface KeyChange extends AccountRequest {
  readonly from: StoreKey;
  readonly to: StoreKey;
}

/** Which account to back up or restore, and what the file is sealed under. */
export interface BackupRequest extends OpenRequest {
  readonly backupKey: FileKey;
}

/** A piece of a file that is made; the last one has no bytes. */
export interface FilePiece extends BackupProgress {
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/** Who was opened. */
export interface Opened {
  readonly name: string;
  readonly device: string;
}

/** Events that the worker subscribes to only while the page listens. */
export const ITEM_EVENTS = ["message", "item", "discarded"] as const;
export type ItemEvent = (typeof ITEM_EVENTS)[number];

/** Events of the client; its `message` is made of the conversations'. */
type ClientEvent = Exclude<keyof ClientEvents, "message">;

/** An event; `change` follows from the state. */
export type WireEvent =
  | {
      [K in ClientEvent]: { readonly type: K; readonly value: ClientEvents[K] };
    }[ClientEvent]
  | {
      [K in ItemEvent]: { readonly type: K; readonly conversation: string; readonly value: ConversationEvents[K] };
    }[ItemEvent];

/** What changed since the last reply. Snapshots are the newest ones: those in between are skipped. */
export interface StateChange {
  readonly online: boolean;
  /** Ids of all conversations in their order, if conversations came or went. */
  readonly conversations: readonly string[] | undefined;
  readonly snapshots: readonly ConversationSnapshot[];
}

/** The session's own calls. */
export interface SessionApi {
  greet(greeting: Greeting): Promise<GreetingReply>;
  open(request: OpenRequest, options?: CallOptions): Promise<Opened>;
  /** Deletes an account's database without opening it. */
  wipe(request: AccountRequest): Promise<void>;
  /** Changes the key of an account's database, whether it is open or not. */
  changeKey(change: KeyChange): Promise<void>;
  /** Begins to make a backup; `backupNext` gives it piece by piece. */
  backup(request: BackupRequest): Promise<void>;
  backupNext(): Promise<FilePiece>;
  /** Begins to restore a backup; `restorePiece` takes it piece by piece, each as soon as the one before was taken. */
  restore(request: BackupRequest): Promise<void>;
  restorePiece(bytes: Uint8Array<ArrayBuffer>): Promise<BackupProgress>;
  restoreEnd(): Promise<void>;
  /** Resolves with the next batch of events, or with none when the state changed. */
  next(): Promise<readonly WireEvent[]>;
  /** Stops the call of this number. */
  abort(call: number): Promise<void>;
  listen(conversation: string, event: ItemEvent): Promise<void>;
  unlisten(conversation: string, event: ItemEvent): Promise<void>;
  /** The page has all messages of the conversation up to the item `seq`: they are acknowledged. */
  told(conversation: string, seq: number): Promise<void>;
  close(): Promise<void>;
}

/** A call as it travels. */
export interface Request {
  /** Number of the call, for `abort`. */
  readonly call: number;
  readonly target: "session" | "client" | "conversation";
  /** Which conversation, if it is one's method. */
  readonly conversation: string | undefined;
  readonly method: string;
  /** As the method's codecs packed them. */
  readonly args: readonly unknown[];
}

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  /** No error is thrown across: Comlink would not keep its code. */
  | { readonly ok: false; readonly error: WireError };

/** The state is what `stateChange` packed; undefined if nothing changed. */
export type Reply = Outcome & { readonly state: unknown };

const MAX_ARGUMENTS = 8;

export const greeting: Codec<Greeting> = struct<Greeting>({ protocol: text, connection: text, locked: flag });
export const greetingReply: Codec<GreetingReply> = struct<GreetingReply>({ protocol: text, locked: flag });

export const accountRequest: Codec<AccountRequest> = struct<AccountRequest>({
  name: text,
  server: text,
  database: optional(text),
});

type KeyOf<K extends StoreKey["kind"]> = Extract<StoreKey, { readonly kind: K }>;

const storeKey: Codec<StoreKey> = tagged<"kind", StoreKey>("kind", {
  device: struct<KeyOf<"device">>({ kind: constant("device") }),
  passphrase: struct<KeyOf<"passphrase">>({ kind: constant("passphrase"), passphrase: text }),
  application: struct<KeyOf<"application">>({
    kind: constant("application"),
    key: plain("key", (key) => {
      if (!(key instanceof CryptoKey)) throw new TypeError("a CryptoKey is expected");
      return key;
    }),
  }),
});

export const openRequest: Codec<OpenRequest> = struct<OpenRequest>({
  name: text,
  server: text,
  database: optional(text),
  key: optional(storeKey),
});

type FileKeyOf<K extends FileKey["kind"]> = Extract<FileKey, { readonly kind: K }>;

export const backupRequest: Codec<BackupRequest> = struct<BackupRequest>({
  ...{ name: text, server: text, database: optional(text), key: optional(storeKey) },
  backupKey: tagged<"kind", FileKey>("kind", {
    passphrase: struct<FileKeyOf<"passphrase">>({ kind: constant("passphrase"), passphrase: text }),
    recovery: struct<FileKeyOf<"recovery">>({ kind: constant("recovery"), key: text }),
  }),
});

export const progress: Codec<BackupProgress> = struct<BackupProgress>({ items: count, total: count });

export const filePiece: Codec<FilePiece> = struct<FilePiece>({ bytes: optional(bytes), items: count, total: count });

export const keyChange: Codec<KeyChange> = struct<KeyChange>({
  ...{ name: text, server: text, database: optional(text) },
  ...{ from: storeKey, to: storeKey },
});

export const opened: Codec<Opened> = struct<Opened>({ name: text, device: text });

export const itemEvent: Codec<ItemEvent> = oneOf(...ITEM_EVENTS);

type EventOf<K extends WireEvent["type"]> = Extract<WireEvent, { readonly type: K }>;

export const events: Codec<readonly WireEvent[]> = list(
  tagged<"type", WireEvent>("type", {
    conversation: struct<EventOf<"conversation">>({ type: constant("conversation"), value: invitation }),
    connection: struct<EventOf<"connection">>({ type: constant("connection"), value: connection }),
    problem: struct<EventOf<"problem">>({ type: constant("problem"), value: problem }),
    message: struct<EventOf<"message">>({ type: constant("message"), conversation: text, value: message }),
    item: struct<EventOf<"item">>({ type: constant("item"), conversation: text, value: item }),
    discarded: struct<EventOf<"discarded">>({ type: constant("discarded"), conversation: text, value: discarded }),
  }),
  BATCH_EVENTS,
);

export const stateChange: Codec<StateChange> = struct<StateChange>({
  online: flag,
  conversations: optional(list(text)),
  snapshots: list(snapshot),
});

export const request: Codec<Request> = struct<Request>({
  call: count,
  target: oneOf("session", "client", "conversation"),
  conversation: optional(text),
  method: text,
  args: list(
    plain<unknown>("any", (value) => value),
    MAX_ARGUMENTS,
  ),
});

/** What a reply says; state and value are not checked yet. */
export interface Received {
  readonly state: unknown;
  readonly error: Error | undefined;
  readonly value: unknown;
}

export function parseReply(reply: unknown): Received {
  const { state, ok, value, error } = record(reply);
  return { state, error: flag.parse(ok, nobody) ? undefined : decodeError(error), value };
}

export const parseState = (state: unknown): StateChange => stateChange.parse(state, nobody);

/** Replies and states mention conversations by their ids only. */
const nobody = (): undefined => undefined;

/** Lock that the page holds while it lives. */
export const pageLock = (name: string): string => `coppice-page:${name}`;
/** Lock that the worker holds while it lives. */
export const workerLock = (name: string): string => `coppice-worker:${name}`;
