/** Calls about groups: their log, their readers, their GroupInfo. */
import { codec } from "@coppice/core";
import {
  MAX_MESSAGES_PER_CALL,
  type ClientId,
  type CommitOutcome,
  type CommitSubmission,
  type LogPage,
  type LogPosition,
  type StoredGroupInfo,
} from "../contract.ts";
import { WIRE_LIMITS, type Call } from "./call.ts";
import { bool, hex16, integer, list, malformed, uint64, type Bytes, type Codec } from "./codec.ts";
import { client, groupId, input, logEntry, message, position } from "./fields.ts";
const { map, optional, struct } = codec;

const entry = logEntry(WIRE_LIMITS.messageBytes);

export const createGroup: Call<
  { readonly groupId: Uint8Array; readonly groupInfo: Uint8Array },
  { readonly incarnation: string }
> = {
  name: "createGroup",
  path: "v2/groups/create",
  request: struct({ groupId: input(groupId), groupInfo: input(message) }),
  answer: struct({ incarnation: hex16 }),
};

/** As `CommitSubmission`, each distinct Welcome once: usually it is the same for all who are added. */
interface WireCommit extends Omit<CommitSubmission, "added"> {
  readonly welcomes: readonly Uint8Array[];
  readonly added: readonly { readonly client: ClientId; readonly welcome: number | undefined }[];
}

const wireCommit: Codec<WireCommit> = struct<WireCommit>({
  groupId: input(groupId),
  position,
  epoch: uint64,
  commit: input(message),
  groupInfo: input(message),
  welcomes: list(input(message), WIRE_LIMITS.clients),
  added: list(
    struct<{ readonly client: ClientId; readonly welcome: number | undefined }>({
      client,
      welcome: optional(integer({ max: WIRE_LIMITS.clients })),
    }),
    WIRE_LIMITS.clients,
  ),
  removed: list(client, WIRE_LIMITS.clients),
});

function toWireCommit({ added, ...rest }: CommitSubmission): WireCommit {
  const positions = new Map<Uint8Array, number>();
  const references = added.map(({ client: name, welcome }) => {
    if (welcome === undefined) return { client: name, welcome };
    const known = positions.get(welcome) ?? positions.size;
    positions.set(welcome, known);
    return { client: name, welcome: known };
  });
  return { ...rest, welcomes: [...positions.keys()], added: references };
}

function fromWireCommit({ added, welcomes, ...rest }: WireCommit): CommitSubmission {
  let used = 0;
  const resolved = added.map(({ client: name, welcome: reference }) => {
    if (reference === undefined) return { client: name, welcome: undefined };
    const welcome = welcomes[reference];
    if (welcome === undefined || reference > used) throw malformed("Welcomes stand in the order of their first use");
    used = Math.max(used, reference + 1);
    return { client: name, welcome };
  });
  if (used < welcomes.length) throw malformed("a Welcome is for nobody");
  return { ...rest, added: resolved };
}

const accepted = struct<{ readonly seq: number }>({ seq: integer({ min: 1 }) });
const lost = struct<Omit<Extract<CommitOutcome, { accepted: false }>, "accepted">>({
  epoch: uint64,
  lastSeq: integer(),
  winner: optional(entry),
});

const outcome: Codec<CommitOutcome> = {
  encode: (writer, value) => {
    bool.encode(writer, value.accepted);
    if (value.accepted) accepted.encode(writer, value);
    else lost.encode(writer, value);
  },
  decode: (reader) =>
    bool.decode(reader) ? { accepted: true, ...accepted.decode(reader) } : { accepted: false, ...lost.decode(reader) },
};

export const submitCommit: Call<CommitSubmission, CommitOutcome> = {
  name: "submitCommit",
  path: "v2/groups/commit",
  request: map(wireCommit, fromWireCommit, toWireCommit),
  answer: outcome,
};

export const sendMessages: Call<
  {
    readonly groupId: Uint8Array;
    readonly position: LogPosition;
    readonly messages: readonly { readonly epoch: bigint; readonly message: Uint8Array }[];
  },
  { readonly seqs: readonly number[] }
> = {
  name: "sendMessages",
  path: "v2/groups/messages",
  request: struct({
    groupId: input(groupId),
    position,
    messages: list(
      struct<{ readonly epoch: bigint; readonly message: Uint8Array }>({ epoch: uint64, message: input(message) }),
      MAX_MESSAGES_PER_CALL,
      1,
    ),
  }),
  answer: struct({ seqs: list(integer({ min: 1 }), MAX_MESSAGES_PER_CALL) }),
};

export const readLog: Call<
  { readonly groupId: Uint8Array; readonly after: LogPosition; readonly limit: number },
  LogPage
> = {
  name: "readLog",
  path: "v2/groups/log",
  request: struct({
    groupId: input(groupId),
    after: position,
    limit: integer({ min: 1, max: WIRE_LIMITS.logPage }),
  }),
  answer: struct<LogPage>({ incarnation: hex16, lastSeq: integer(), entries: list(entry, WIRE_LIMITS.logPage) }),
};

export const readGroups: Call<
  { readonly after: Uint8Array | undefined },
  readonly { readonly groupId: Bytes; readonly position: LogPosition }[]
> = {
  name: "readGroups",
  path: "v2/groups/list",
  request: struct({ after: optional(input(groupId)) }),
  answer: list(
    struct<{ readonly groupId: Bytes; readonly position: LogPosition }>({ groupId, position }),
    WIRE_LIMITS.groupPage,
  ),
};

export const readGroupInfo: Call<{ readonly groupId: Uint8Array }, StoredGroupInfo> = {
  name: "readGroupInfo",
  path: "v2/groups/group-info",
  request: struct({ groupId: input(groupId) }),
  answer: struct<StoredGroupInfo>({ groupInfo: message, epoch: uint64, position }),
};
