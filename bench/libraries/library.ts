/** MLS implementations as contestants: all of them take bytes and give bytes, of suite 1 unless they say otherwise. */

export type Bytes = Uint8Array<ArrayBuffer>;

export type Step =
  | "key package"
  | "found"
  | "add"
  | "join"
  | "join externally"
  | "private commit"
  | "public commit"
  | "remove"
  | "message"
  | "state";

export type Wire = "mls_private_message" | "mls_public_message";

export interface Library {
  /** With its version: `ts-mls 1.6.4`. */
  readonly name: string;
  /** What can be measured with it. Default: everything. */
  readonly steps?: readonly Step[];
  /** Whether a member can be forked. Otherwise every run begins with a new one. */
  readonly forks: boolean;
  /** Members of a group up to which it is measured: beyond, its rows would take minutes. Default: no bound. */
  readonly mostMembers?: number;
  /** Makes a client with one key package; `number` tells clients apart. */
  readonly newClient: (number: number) => Promise<Client>;
  /** A group of two that this library made by itself, where it cannot join what others made. */
  readonly newPair?: () => Promise<{ readonly founder: Member; readonly member: Member }>;
}

/** A client that is in no group yet. If members can be forked, the same Welcome can be joined again. */
export interface Client {
  /** Encoded `MLSMessage`. */
  readonly keyPackage: Bytes;
  /** Another key package of the same client. */
  readonly newKeyPackage: () => Promise<Bytes>;
  /** Founds a group of this client alone. */
  readonly found: () => Promise<Member>;
  /** Joins by an encoded `MLSMessage` with a Welcome that carries the tree. */
  readonly join: (welcome: Bytes) => Promise<Member>;
  /** Joins by an encoded `MLSMessage` with a GroupInfo that carries the tree; gives the external Commit. */
  readonly joinExternally: (groupInfo: Bytes) => Promise<Bytes>;
}

/** What a Commit is to do. Without adding or removing anybody it refreshes the committer's keys. */
export interface CommitRequest {
  /** Encoded `MLSMessage`s with key packages. */
  readonly add?: readonly Bytes[];
  readonly remove?: readonly number[];
  /** Default `mls_private_message`. */
  readonly wire?: Wire;
}

export interface Committed {
  readonly commit: Bytes;
  readonly welcome: Bytes | undefined;
}

/** A member of a group. Operations move it on. Used secrets are not erased: forks share them. */
export interface Member {
  /** Another member object with the same state, which moves on by itself. */
  readonly fork: () => Member;
  /** Makes a Commit and enters the epoch that it begins. */
  readonly commit: (request: CommitRequest) => Promise<Committed>;
  /** Takes in a Commit. */
  readonly process: (commit: Bytes) => Promise<void>;
  readonly send: (data: Bytes) => Promise<Bytes>;
  readonly open: (message: Bytes) => Promise<Bytes>;
  /** Opens messages in their order. */
  readonly openAll: (messages: readonly Bytes[]) => Promise<void>;
  /** An encoded `MLSMessage` with a GroupInfo for external joins, tree included. */
  readonly groupInfo: () => Promise<Bytes>;
  /** The whole state. */
  readonly encode: () => Bytes;
  /** Reads a whole state back. */
  readonly decode: (state: Bytes) => Promise<Member>;
}

/** Opens messages one by one, for implementations that have no other way. */
export async function openOneByOne(open: Member["open"], messages: readonly Bytes[]): Promise<void> {
  for (const message of messages) await open(message);
}

/** Stands for operations that a library does not have, and of which its `steps` say nothing. */
export function cannot(): never {
  throw new Error("this library has no such operation");
}
