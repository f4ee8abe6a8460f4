/**
 * The calls across the boundary: for each method the codecs of its parameters and of its result. Page and worker are both made
 * of this table, so a method of `Client` or `Conversation` is offered by its line here. A line that is missing, or does not
 * fit the method, does not compile.
 */
import type { Client, Conversation } from "@coppice/client";
import {
  accountRequest,
  backupRequest,
  events,
  filePiece,
  greeting,
  greetingReply,
  itemEvent,
  keyChange,
  opened,
  openRequest,
  progress,
  PROTOCOL_MEANING,
  type Request,
  request,
  type SessionApi,
  stateChange,
} from "./protocol.ts";
import type { AnyCodec, Codec } from "./wire/codec.ts";
import { bytes, count, finite, nothing, text } from "./wire/primitives.ts";
import {
  callOptions,
  content,
  conversation,
  groupOptions,
  historyQuery,
  item,
  items,
  membersPage,
  membersQuery,
  type OptionsCodec,
  pruneQuery,
  users,
} from "./wire/values.ts";

/** A codec for each parameter. One that takes a signal needs a codec that says so. */
type ArgumentCodecs<P extends readonly unknown[]> = Required<{ readonly [I in keyof P]: ArgumentCodec<P[I]> }>;

type ArgumentCodec<T> = "signal" extends keyof NonNullable<T> ? OptionsCodec<T> : Codec<T>;

/** Methods that can be called from another context: those that return a promise. */
export type Methods<Api> = {
  [K in keyof Api as Api[K] extends (...args: never[]) => Promise<unknown> ? K : never]: Api[K];
};

/** A line of the table. */
export type Call<Method> = Method extends (...args: infer P) => Promise<infer R>
  ? { readonly args: ArgumentCodecs<P>; readonly result: Codec<R> }
  : never;

/** A line for each method. */
export type Calls<Api> = { readonly [K in keyof Methods<Api>]: Call<Api[K]> };

export const CALLS: {
  readonly session: Calls<SessionApi>;
  readonly client: Calls<Omit<Client, "close">>;
  readonly conversation: Calls<Conversation>;
} = {
  session: {
    greet: { args: [greeting], result: greetingReply },
    open: { args: [openRequest, callOptions], result: opened },
    changeKey: { args: [keyChange], result: nothing },
    backup: { args: [backupRequest], result: nothing },
    backupNext: { args: [], result: filePiece },
    restore: { args: [backupRequest], result: nothing },
    restorePiece: { args: [bytes], result: progress },
    restoreEnd: { args: [], result: nothing },
    wipe: { args: [accountRequest], result: nothing },
    next: { args: [], result: events },
    abort: { args: [count], result: nothing },
    listen: { args: [text, itemEvent], result: nothing },
    unlisten: { args: [text, itemEvent], result: nothing },
    told: { args: [text, count], result: nothing },
    close: { args: [], result: nothing },
  },
  client: {
    createGroup: { args: [groupOptions], result: conversation },
    sync: { args: [callOptions], result: nothing },
  },
  conversation: {
    members: { args: [membersQuery, callOptions], result: membersPage },
    safetyNumber: { args: [callOptions], result: text },
    history: { args: [historyQuery, callOptions], result: items },
    acknowledge: { args: [count, callOptions], result: nothing },
    add: { args: [users, callOptions], result: nothing },
    remove: { args: [users, callOptions], result: nothing },
    leave: { args: [callOptions], result: nothing },
    rename: { args: [text, callOptions], result: nothing },
    update: { args: [callOptions], result: nothing },
    send: { args: [content, callOptions], result: item },
    resend: { args: [count, callOptions], result: nothing },
    discard: { args: [count, callOptions], result: nothing },
    prune: { args: [pruneQuery, callOptions], result: count },
    exportSecret: { args: [text, bytes, finite], result: bytes },
    epochAuthenticator: { args: [callOptions], result: bytes },
    rejoin: { args: [callOptions], result: nothing },
    forget: { args: [callOptions], result: nothing },
  },
};

/** A line of the table without its types, for the two places that run it. */
export interface AnyCall {
  readonly args: readonly AnyCodec[];
  readonly result: AnyCodec;
  /** Whether the last argument has a signal. */
  readonly takesSignal: boolean;
}

/** The line of a method that the other side named; undefined for what is not in the table. */
export function findCall(target: Request["target"], method: string): AnyCall | undefined {
  return ALL[target].get(method);
}

const ALL = Object.fromEntries(Object.entries(CALLS).map(([target, calls]) => [target, untyped(calls)])) as Readonly<
  Record<Request["target"], ReadonlyMap<string, AnyCall>>
>;

function untyped(calls: object): ReadonlyMap<string, AnyCall> {
  return new Map(
    Object.entries(calls as Readonly<Record<string, Pick<AnyCall, "args" | "result">>>).map(
      ([method, { args, result }]) => {
        const last = args.at(-1);
        return [method, { args, result, takesSignal: last !== undefined && "takesSignal" in last }];
      },
    ),
  );
}

/** Fingerprint of everything that may be said: page and worker of different builds notice at once. */
export const PROTOCOL: string = fingerprint();

function fingerprint(): string {
  const lines = Object.entries(ALL).flatMap(([target, calls]) =>
    [...calls].map(([method, { args, result }]) =>
      [target, method, ...args.map(({ form }) => form), result.form].join(),
    ),
  );
  // FNV-1a.
  let hash = 0x811c9dc5;
  for (const character of [request.form, stateChange.form, ...lines].join()) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  }
  return `${PROTOCOL_MEANING}-${hash.toString(36)}`;
}
