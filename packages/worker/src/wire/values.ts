/** Codecs of what applications see: the types of `@coppice/client`, property by property. */
import type {
  CallOptions,
  ClientEvents,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  HistoryItem,
  Member,
  MembersPage,
  Problem,
  PruneQuery,
} from "@coppice/client";
import { assertSignal, CoppiceError, type ErrorDetail, isUint8Array } from "@coppice/kit";
import { workerError } from "../errors.ts";
import { MAX_BYTES, MAX_TEXT } from "../limits.ts";
import { type Codec, list, oneOf, optional, partial, plain, record, struct, tagged } from "./codec.ts";
import { copyDetail } from "./error.ts";
import { big, bytes, constant, count, finite, flag, text } from "./primitives.ts";

/** A codec of the last parameter of a call that can be aborted; the signal itself stays on its side. */
export interface OptionsCodec<T> extends Codec<T> {
  readonly takesSignal: true;
}

export const callOptions: OptionsCodec<CallOptions | undefined> = withSignal(
  plain<CallOptions | undefined>("options", () => undefined),
);
export const groupOptions: OptionsCodec<({ readonly title?: string } & CallOptions) | undefined> = withSignal(
  optional(partial<{ readonly title?: string }>({ title: text })),
);

function withSignal<T extends object>(rest: Codec<T | undefined>): OptionsCodec<(T & CallOptions) | undefined> {
  return {
    ...rest,
    takesSignal: true,
    pack: (value, transfer) => {
      if (value !== undefined) assertSignal(record(value)["signal"]);
      return rest.pack(value, transfer);
    },
  };
}

export const membersQuery: Codec<{ readonly after?: string; readonly limit?: number } | undefined> = optional(
  partial<{ readonly after?: string; readonly limit?: number }>({ after: text, limit: finite }),
);
export const historyQuery: Codec<{ readonly before?: number; readonly limit?: number } | undefined> = optional(
  partial<{ readonly before?: number; readonly limit?: number }>({ before: finite, limit: finite }),
);

export const pruneQuery: Codec<PruneQuery> = partial<PruneQuery>({ olderThan: finite, keep: finite });

const names: Codec<readonly string[]> = list(text);

/** One name or several. */
export const users: Codec<string | readonly string[]> = {
  form: "users",
  pack: (value, transfer) => (typeof value === "string" ? text.pack(value, transfer) : names.pack(value, transfer)),
  parse: (value, known) => (typeof value === "string" ? text.parse(value, known) : names.parse(value, known)),
};

/** What a message is made of. What cannot be one is refused before it is copied. */
export const content: Codec<Uint8Array | string> = {
  form: "content",
  pack: (value, transfer) => {
    if (typeof value !== "string" && !isUint8Array(value)) throw new TypeError("a string or a Uint8Array is expected");
    if (value.length > (typeof value === "string" ? MAX_TEXT : MAX_BYTES)) {
      throw new CoppiceError("ERR_CLIENT_MESSAGE_TOO_LARGE", "The message is too large");
    }
    return typeof value === "string" ? value : bytes.pack(value, transfer);
  },
  parse: (value, known) => (typeof value === "string" ? text.parse(value, known) : bytes.parse(value)),
};

/** A conversation, by its id: its state crosses on its own, and first. */
export const conversation: Codec<Conversation> = {
  form: "conversation",
  pack: ({ id }) => id,
  parse: (value, known) => {
    const found = known(text.parse(value, known));
    if (found === undefined) throw workerError("ERR_WORKER_MESSAGE", "The worker named an unknown conversation");
    return found;
  },
};

export const membersPage: Codec<MembersPage> = struct<MembersPage>({
  members: list(
    struct<Member>({
      user: text,
      isSelf: flag,
      devices: list(struct<Member["devices"][number]>({ device: text, leafIndex: count })),
    }),
  ),
  next: optional(text),
});

type Item<K extends HistoryItem["kind"]> = Extract<HistoryItem, { readonly kind: K }>;

export const message: Codec<Item<"message">> = struct<Item<"message">>({
  seq: count,
  kind: constant("message"),
  id: text,
  sender: text,
  isSelf: flag,
  data: bytes,
  at: finite,
  epoch: big,
  state: oneOf("sending", "sent", "failed"),
  problem: optional(text),
});

export const item: Codec<HistoryItem> = tagged<"kind", HistoryItem>("kind", {
  message,
  change: struct<Item<"change">>({
    seq: count,
    kind: constant("change"),
    at: finite,
    epoch: big,
    actor: text,
    added: names,
    removed: names,
    left: names,
    renamedTo: optional(text),
    joined: flag,
  }),
  undecryptable: struct<Item<"undecryptable">>({
    seq: count,
    kind: constant("undecryptable"),
    at: finite,
    epoch: big,
    problem: text,
  }),
  gap: struct<Item<"gap">>({ seq: count, kind: constant("gap"), at: finite, epoch: big, problem: text }),
});

export const items: Codec<readonly HistoryItem[]> = list(item);

export const snapshot: Codec<ConversationSnapshot> = struct<ConversationSnapshot>({
  id: text,
  title: text,
  status: oneOf("active", "removed", "closed", "broken", "damaged", "recovering"),
  problem: optional(text),
  epoch: big,
  memberCount: count,
  invitedBy: optional(text),
  pending: optional(
    struct<NonNullable<ConversationSnapshot["pending"]>>({
      operation: oneOf("add", "remove", "update", "rename", "leave"),
      attempt: count,
    }),
  ),
  lastItem: count,
});

export const invitation: Codec<ClientEvents["conversation"]> = struct<ClientEvents["conversation"]>({
  id: text,
  invitedBy: optional(text),
});

export const connection: Codec<ClientEvents["connection"]> = struct<ClientEvents["connection"]>({
  online: flag,
  transport: optional(oneOf("websocket", "polling")),
});

export const problem: Codec<Problem> = struct<Problem>({
  code: text,
  message: text,
  conversation: optional(text),
  detail: plain<ErrorDetail>("detail", copyDetail),
});

export const discarded: Codec<ConversationEvents["discarded"]> = struct<ConversationEvents["discarded"]>({
  seq: count,
});
