/** Whole values as bytes, for the store and for backups: group states, staged commits, own key packages. */

import { type Bytes, utf8 } from "../codec/bytes.ts";
import {
  type Codec,
  decode,
  encode,
  map,
  opaque,
  optional,
  struct,
  uint16,
  uint32,
  uint64,
  vector,
} from "../codec/codec.ts";
import { adoptCommit, type StagedCommit } from "../commit/create.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import type { SentCustomProposal } from "../proposal/custom-proposal.ts";
import { CoppiceError } from "../errors.ts";
import { sender } from "../framing/framed-content.ts";
import { customProposal } from "../framing/proposal.ts";
import type { GroupState } from "../state/group-state.ts";
import { type OwnKeyPackage, assembleOwnKeyPackage, keyPackage } from "../framing/key-package.ts";
import type { AddedMember, ChangedMember } from "../proposal/apply.ts";
import type { Rules } from "../rules.ts";
import { leafNode } from "../tree/leaf-node.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { diffGroupRecords } from "../state/diff-records.ts";
import { type RestoreOptions, patchGroup, restoreGroup } from "../state/restore-records.ts";

const text: Codec<string> = map(opaque, fromUtf8, utf8);
const records: Codec<readonly { readonly name: string; readonly value: Bytes }[]> = vector(
  struct({ name: text, value: opaque }),
);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function fromUtf8(bytes: Bytes): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new CoppiceError("ERR_MLS_DECODE", "The name of a record is not UTF-8", { cause });
  }
}

/** "CPGS", then the version of this container. */
const MAGIC = 0x43504753;
const CONTAINER_VERSION = 1;

/** What was stored is trusted, and as long as a group is large. */
const UNBOUNDED = Number.POSITIVE_INFINITY;

const container: Codec<{ magic: number; version: number; records: readonly { name: string; value: Bytes }[] }> = struct(
  {
    magic: uint32,
    version: uint16,
    records,
  },
);

/**
 * The whole state in one piece. It holds every secret of the group: encrypt it.
 *
 * @example
 * ```ts run
 * import { decodeGroupState, encodeGroupState } from "@coppice/core";
 * import { alice } from "./example-group.ts"; // docs/examples
 *
 * const bytes = encodeGroupState(alice.state); // secret: encrypt it
 * console.assert((await decodeGroupState(bytes)).context.epoch === 1n);
 * ```
 */
export function encodeGroupState(state: GroupState): Bytes {
  const list = [...diffGroupRecords(undefined, state).put].map(([name, value]) => ({ name, value }));
  return encode(container, { magic: MAGIC, version: CONTAINER_VERSION, records: list });
}

/**
 * `ERR_MLS_DECODE` for anything that `encodeGroupState` did not write, `ERR_MLS_VERSION` for a newer version.
 *
 * @example
 * ```ts run
 * import { decodeGroupState, encodeGroupState } from "@coppice/core";
 * import { alice } from "./example-group.ts"; // docs/examples
 *
 * const state = await decodeGroupState(encodeGroupState(alice.state));
 * console.assert(state.leafIndex === alice.state.leafIndex);
 * ```
 */
export async function decodeGroupState(bytes: Uint8Array, options?: RestoreOptions): Promise<GroupState> {
  const decoded = decode(container, bytes, UNBOUNDED);
  if (decoded.magic !== MAGIC) {
    throw new CoppiceError("ERR_MLS_DECODE", "These bytes are not a group state");
  }
  if (decoded.version > CONTAINER_VERSION) {
    throw new CoppiceError("ERR_MLS_VERSION", "The group state is of a newer version of Coppice", {
      detail: { version: decoded.version },
    });
  }
  return restoreGroup(new Map(decoded.records.map(({ name, value }) => [name, value])), options);
}

const leafIndex: Codec<LeafIndex> = map(
  uint32,
  (index) => index as LeafIndex,
  (index) => index,
);
const changedMembers: Codec<readonly ChangedMember[]> = vector(struct({ leafIndex, leafNode }));

interface StagedRecord {
  readonly commit: Bytes;
  readonly welcome: Bytes | undefined;
  readonly epoch: bigint;
  readonly added: readonly AddedMember[];
  readonly removed: readonly ChangedMember[];
  readonly updated: readonly ChangedMember[];
  readonly custom: readonly SentCustomProposal[];
  readonly put: readonly { readonly name: string; readonly value: Bytes }[];
  readonly delete: readonly string[];
}

const stagedRecord: Codec<StagedRecord> = struct({
  commit: opaque,
  welcome: optional(opaque),
  epoch: uint64,
  added: vector(struct({ leafIndex, keyPackage })),
  removed: changedMembers,
  updated: changedMembers,
  custom: vector(struct({ proposal: customProposal, sender })),
  put: records,
  delete: vector(text),
});

/**
 * A staged commit as the records that adopting it would change. It holds secrets of the next epoch: encrypt it.
 *
 * @example
 * ```ts run
 * import { adoptCommit, createCommit, decodeStagedCommit, encodeStagedCommit } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const made = await createCommit(alice.state, { rules, signer: alice.signer });
 * const stored = encodeStagedCommit(made.state, made.staged, rules); // secret: encrypt it
 * // After a restart, when the Commit turns out to be accepted:
 * const staged = await decodeStagedCommit(made.state, stored);
 * console.assert(adoptCommit(made.state, staged, rules).state.context.epoch === 2n);
 * ```
 */
export function encodeStagedCommit(state: GroupState, staged: StagedCommit, rules: Pick<Rules, "limits">): Bytes {
  const changes = diffGroupRecords(state, adoptCommit(state, staged, rules).state);
  const { commit, welcome, epoch, added, removed, updated, custom } = staged;
  const put = [...changes.put].map(([name, value]) => ({ name, value }));
  return encode(stagedRecord, { commit, welcome, epoch, added, removed, updated, custom, put, delete: changes.delete });
}

/**
 * The staged commit that was made in this epoch of `state`; messages may have been sent and received since.
 *
 * @example
 * ```ts run
 * import { createCommit, decodeStagedCommit, encodeStagedCommit } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const made = await createCommit(alice.state, { rules, signer: alice.signer });
 * const staged = await decodeStagedCommit(made.state, encodeStagedCommit(made.state, made.staged, rules));
 * console.assert(staged.epoch === alice.state.context.epoch);
 * ```
 */
export async function decodeStagedCommit(state: GroupState, bytes: Uint8Array): Promise<StagedCommit> {
  const { put, delete: gone, ...staged } = decode(stagedRecord, bytes, UNBOUNDED);
  const changed = new Map(put.map(({ name, value }) => [name, value]));
  const next = await patchGroup(state, { put: changed, delete: gone });
  return { ...staged, next, refused: [] };
}

const ownKeyPackage: Codec<Pick<OwnKeyPackage, "keyPackage" | "initPrivateKey" | "encryptionPrivateKey">> = struct({
  keyPackage,
  initPrivateKey: opaque,
  encryptionPrivateKey: opaque,
});

/**
 * A key package with its private keys: encrypt it.
 *
 * @example
 * ```ts run
 * import { decodeOwnKeyPackage, encodeOwnKeyPackage, equalBytes } from "@coppice/core";
 * import { alice, makeKeyPackage, suite } from "./example-group.ts"; // docs/examples
 *
 * const own = await makeKeyPackage(alice);
 * const stored = encodeOwnKeyPackage(own); // secret: encrypt it
 * console.assert(equalBytes(decodeOwnKeyPackage(suite, stored).ref, own.ref));
 * ```
 */
export function encodeOwnKeyPackage(own: OwnKeyPackage): Bytes {
  return encode(ownKeyPackage, own);
}

/**
 * Reads what `encodeOwnKeyPackage` wrote. `ERR_MLS_DECODE` for anything else.
 *
 * @example
 * ```ts run
 * import { decodeOwnKeyPackage, encodeOwnKeyPackage } from "@coppice/core";
 * import { alice, makeKeyPackage, suite } from "./example-group.ts"; // docs/examples
 *
 * const own = decodeOwnKeyPackage(suite, encodeOwnKeyPackage(await makeKeyPackage(alice)));
 * console.assert(own.initPrivateKey.length === 32);
 * ```
 */
export function decodeOwnKeyPackage(suite: CipherSuite, bytes: Uint8Array): OwnKeyPackage {
  const { keyPackage: made, initPrivateKey, encryptionPrivateKey } = decode(ownKeyPackage, bytes);
  return assembleOwnKeyPackage(suite, made, { privateKey: initPrivateKey }, { privateKey: encryptionPrivateKey });
}
