/** Every call of the Delivery Service: its path, its request and its answer. Client and server share this table. */
import { codec } from "@coppice/core";
import type { ClaimedKeyPackage, CommitSubmission, InboxEntry, LogEntry } from "../contract.ts";
import { bytes, empty, integer, list, malformed, text, uint64, type Bytes, type Codec } from "./codec.ts";
import { MAX_NAME_BYTES } from "./names.ts";
import { MAX_AUDIENCE_BYTES, MAX_NONCE_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./sign-in.ts";

/** Bounds of the format itself. A server may configure lower ones. */
export const WIRE_LIMITS: {
  readonly bodyBytes: number;
  readonly messageBytes: number;
  readonly groupIdBytes: number;
  readonly users: number;
  readonly keyPackages: number;
  readonly logPage: number;
  readonly inboxPage: number;
} = {
  bodyBytes: 16 * 1024 * 1024,
  messageBytes: 8 * 1024 * 1024,
  groupIdBytes: 255,
  users: 10_000,
  keyPackages: 1000,
  logPage: 1024,
  inboxPage: 256,
};

const { closedEnum, map, optional, struct, uint8 } = codec;

/** Media type of request and answer bodies. */
export const MEDIA_TYPE = "application/vnd.coppice.ds";

/** A remote procedure: `POST` of an encoded request to `path` below the server's URL. */
export interface Call<Request, Answer> {
  readonly name: string;
  /** Relative, without a leading slash. */
  readonly path: string;
  readonly request: Codec<Request>;
  readonly answer: Codec<Answer>;
}

const user: Codec<string> = text(MAX_NAME_BYTES);
const message: Codec<Bytes> = bytes({ min: 1, max: WIRE_LIMITS.messageBytes });
const groupIdField: Codec<Bytes> = bytes({ min: 1, max: WIRE_LIMITS.groupIdBytes });
const publicKey: Codec<Bytes> = bytes({ min: PUBLIC_KEY_BYTES, max: PUBLIC_KEY_BYTES });
const nonce: Codec<Bytes> = bytes({ min: 1, max: MAX_NONCE_BYTES });

/** Requests take any `Uint8Array`, decoding yields own copies. */
const input = (codec: Codec<Bytes>): Codec<Uint8Array> => codec as Codec<Uint8Array>;

/** `opaque groupId<V>`, 1 to 255 bytes. */
export const groupId: Codec<Bytes> = groupIdField;

/** Asks for a nonce to sign in with. */
export const requestChallenge: Call<
  { readonly user: string; readonly publicKey: Uint8Array },
  { readonly nonce: Bytes }
> = {
  name: "requestChallenge",
  path: "v1/challenge",
  request: struct({ user, publicKey: input(publicKey) }),
  answer: struct({ nonce }),
};

/** Answers the challenge. */
export interface SignInRequest {
  readonly audience: string;
  readonly user: string;
  readonly publicKey: Uint8Array;
  readonly nonce: Uint8Array;
  readonly signature: Uint8Array;
}

/** Yields a bearer token: visible ASCII, valid until `expiresAt` (server's clock, milliseconds since 1970). */
export const signIn: Call<SignInRequest, { readonly token: string; readonly expiresAt: number }> = {
  name: "signIn",
  path: "v1/sign-in",
  request: struct({
    audience: text(MAX_AUDIENCE_BYTES),
    user,
    publicKey: input(publicKey),
    nonce: input(nonce),
    signature: input(bytes({ min: SIGNATURE_BYTES, max: SIGNATURE_BYTES })),
  }),
  answer: struct({ token: text(128), expiresAt: integer() }),
};

export const publishKeyPackages: Call<
  { readonly keyPackages: readonly Uint8Array[]; readonly lastResort: Uint8Array | undefined },
  void
> = {
  name: "publishKeyPackages",
  path: "v1/key-packages/publish",
  request: struct({ keyPackages: list(input(message), WIRE_LIMITS.keyPackages), lastResort: optional(input(message)) }),
  answer: empty,
};

export const countKeyPackages: Call<void, { readonly count: number }> = {
  name: "countKeyPackages",
  path: "v1/key-packages/count",
  request: empty,
  answer: struct({ count: integer() }),
};

export const claimKeyPackages: Call<{ readonly users: readonly string[] }, readonly ClaimedKeyPackage[]> = {
  name: "claimKeyPackages",
  path: "v1/key-packages/claim",
  request: struct({ users: list(user, WIRE_LIMITS.users) }),
  answer: list(struct<ClaimedKeyPackage>({ user, keyPackage: message }), WIRE_LIMITS.users),
};

export const createGroup: Call<{ readonly groupId: Uint8Array }, void> = {
  name: "createGroup",
  path: "v1/groups/create",
  request: struct({ groupId: input(groupIdField) }),
  answer: empty,
};

/** A Welcome is usually the same for all who are added, so each distinct one travels once. */
interface WireCommit {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly commit: Uint8Array;
  readonly welcomes: readonly Uint8Array[];
  readonly added: readonly { readonly user: string; readonly welcome: number }[];
  readonly removed: readonly string[];
}

const wireCommit: Codec<WireCommit> = struct({
  groupId: input(groupIdField),
  epoch: uint64,
  commit: input(message),
  welcomes: list(input(message), WIRE_LIMITS.users),
  added: list(
    struct<{ readonly user: string; readonly welcome: number }>({ user, welcome: integer({ max: WIRE_LIMITS.users }) }),
    WIRE_LIMITS.users,
  ),
  removed: list(user, WIRE_LIMITS.users),
});

function toWireCommit({ added, ...rest }: CommitSubmission): WireCommit {
  const positions = new Map<Uint8Array, number>();
  const references = added.map(({ user, welcome }) => {
    const known = positions.get(welcome) ?? positions.size;
    positions.set(welcome, known);
    return { user, welcome: known };
  });
  return { ...rest, welcomes: [...positions.keys()], added: references };
}

function fromWireCommit({ added, welcomes, ...rest }: WireCommit): CommitSubmission {
  const resolved = added.map(({ user, welcome: position }) => {
    const welcome = welcomes[position];
    if (welcome === undefined) throw malformed("a Welcome is missing");
    return { user, welcome };
  });
  return { ...rest, added: resolved };
}

export const submitCommit: Call<CommitSubmission, { readonly seq: number }> = {
  name: "submitCommit",
  path: "v1/groups/commit",
  request: map(wireCommit, fromWireCommit, toWireCommit),
  answer: struct({ seq: integer({ min: 1 }) }),
};

export const sendMessage: Call<
  { readonly groupId: Uint8Array; readonly epoch: bigint; readonly message: Uint8Array },
  { readonly seq: number }
> = {
  name: "sendMessage",
  path: "v1/groups/message",
  request: struct({ groupId: input(groupIdField), epoch: uint64, message: input(message) }),
  answer: struct({ seq: integer({ min: 1 }) }),
};

export const readLog: Call<
  { readonly groupId: Uint8Array; readonly after: number; readonly limit: number },
  readonly LogEntry[]
> = {
  name: "readLog",
  path: "v1/groups/log",
  request: struct({
    groupId: input(groupIdField),
    after: integer(),
    limit: integer({ min: 1, max: WIRE_LIMITS.logPage }),
  }),
  answer: list(
    struct<LogEntry>({
      seq: integer({ min: 1 }),
      kind: closedEnum(uint8, { commit: 1, message: 2 }),
      epoch: uint64,
      message,
      receivedAt: integer(),
    }),
    WIRE_LIMITS.logPage,
  ),
};

export const readInbox: Call<void, readonly InboxEntry[]> = {
  name: "readInbox",
  path: "v1/inbox/read",
  request: empty,
  answer: list(
    struct<InboxEntry>({
      id: integer({ min: 1 }),
      groupId: groupIdField,
      welcome: message,
      cursor: integer({ min: 1 }),
    }),
    WIRE_LIMITS.inboxPage,
  ),
};

export const acknowledgeInbox: Call<{ readonly id: number }, void> = {
  name: "acknowledgeInbox",
  path: "v1/inbox/acknowledge",
  request: struct({ id: integer() }),
  answer: empty,
};
