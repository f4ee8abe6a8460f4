/** Joining by Welcome (RFC 9420 §12.4.3.1). */
import { describe, untilAborted } from "@coppice/kit";
import { type Bytes, EMPTY, equalBytes, erase } from "../codec/bytes.ts";
import { decodeReceived, encode } from "../codec/codec.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { decryptWithLabel } from "../crypto/labels.ts";
import { erasing } from "../commit/epoch.ts";
import { CoppiceError } from "../errors.ts";
import { type Extension, ExtensionType } from "../extensions/extension.ts";
import { type GroupInfo, groupInfo } from "../framing/group-info.ts";
import { welcomeOf } from "../framing/mls-message.ts";
import { type GroupSecrets, type Welcome, groupSecrets } from "../framing/welcome.ts";
import type { GroupState, MessagingState } from "../state/group-state.ts";
import type { OwnKeyPackage } from "../framing/key-package.ts";
import type { Progress } from "../in-flight.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { checkPskIds } from "../proposal/validate-list.ts";
import type { Rules } from "../rules.ts";
import { computeEpochSecrets, computeWelcomeKey } from "../schedule/key-schedule.ts";
import { type PreSharedKey, type PreSharedKeyId, computePskSecret, isKnownPsk } from "../schedule/psk.ts";
import { computeConfirmationTag, interimTranscriptHash, verifyConfirmationTag } from "../schedule/transcript-hash.ts";
import { createExporterTree } from "../schedule/exporter-tree.ts";
import { createSecretTree } from "../schedule/secret-tree.ts";
import { leafNode } from "../tree/leaf-node.ts";
import type { KnownLeaves } from "../tree/loaded-leaves.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import { type LeafIndex, type NodeIndex, isBelow, leafToNode } from "../tree/tree-math.ts";
import { type PrivateKeys, derivePath } from "../tree/treekem.ts";
import { checkGroupInfo, readTree } from "./check-group-info.ts";
import { type SuccessionPskId, checkSuccession, findSuccessionPsk, isSuccessionPsk } from "./succession.ts";

/** What a joiner brings to a Welcome. */
export interface JoinOptions extends Progress {
  readonly suite: CipherSuite;
  readonly rules: Rules;
  /** The key package that the Welcome is for; see `findWelcomed`. */
  readonly keyPackage: OwnKeyPackage;
  /** An encoded `ratchet_tree`, for Welcomes that do not carry it. */
  readonly ratchetTree?: Uint8Array;
  /** Whether the client is in a group of this id already: such a Welcome is refused (R-12.4.3-3). */
  readonly isKnownGroup?: (groupId: Bytes) => boolean;
  /**
   * The own state of the group that the new one says it replaces or branches from (§11.2, §11.3), by its id; undefined if
   * there is none. Default: none, so that Welcomes of such groups are refused.
   */
  readonly findGroup?: (groupId: Bytes) => GroupState | undefined | Promise<GroupState | undefined>;
}

/** A group that was joined. */
export interface JoinedGroup {
  readonly state: GroupState;
  /** The member who let this client in: the signer of the GroupInfo. */
  readonly welcomedBy: LeafIndex;
  /** Of the GroupInfo, without the ratchet tree: what the committer gave as `welcomeExtensions`, and others. */
  readonly welcomeExtensions: readonly Extension[];
}

const refused = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_WELCOME", message, { requirement });

/**
 * Which of these references the Welcome, encoded as an `MLSMessage` or decoded, is for; `ERR_MLS_WELCOME` for none (R-12.4.3.1-2).
 *
 * @example
 * ```ts run
 * import { createCommit, findWelcomed, ProposalType } from "@coppice/core";
 * import { alice, makeKeyPackage, makePerson, rules } from "./example-group.ts"; // docs/examples
 *
 * const carol = await makePerson("carol");
 * const pool = [await makeKeyPackage(carol), await makeKeyPackage(carol)] as const;
 * const { staged } = await createCommit(alice.state, {
 *   rules,
 *   signer: alice.signer,
 *   proposals: [{ proposalType: ProposalType.add, keyPackage: pool[1].keyPackage }],
 * });
 * if (staged.welcome !== undefined) console.assert(findWelcomed(staged.welcome, pool) === pool[1]);
 * ```
 */
export function findWelcomed<T extends { readonly ref: Uint8Array }>(
  welcome: Uint8Array | Welcome,
  own: readonly T[],
): T {
  for (const { newMember } of welcomeOf(welcome, DEFAULT_LIMITS).secrets) {
    const found = own.find(({ ref }) => equalBytes(ref, newMember));
    if (found !== undefined) return found;
  }
  throw refused("The Welcome is for none of the own key packages", "R-12.4.3.1-2");
}

/**
 * Joins a group by a Welcome, encoded as an `MLSMessage` or decoded. `ERR_MLS_WELCOME`, `ERR_MLS_AEAD`, `ERR_MLS_PSK`, those of PreSharedKey proposals, `ERR_MLS_GROUP_INFO`, `ERR_MLS_TREE`, `ERR_MLS_CONFIRMATION` and the
 * codes of leaf validation. The init key is to be deleted once the state is stored (R-10-2).
 *
 * @example
 * ```ts run
 * import { createCommit, joinGroup, ProposalType } from "@coppice/core";
 * import { alice, makeKeyPackage, makePerson, rules, suite } from "./example-group.ts"; // docs/examples
 *
 * const keyPackage = await makeKeyPackage(await makePerson("carol"));
 * const { staged } = await createCommit(alice.state, {
 *   rules,
 *   signer: alice.signer,
 *   proposals: [{ proposalType: ProposalType.add, keyPackage: keyPackage.keyPackage }],
 * });
 * if (staged.welcome !== undefined) {
 *   const { state } = await joinGroup(staged.welcome, { suite, rules, keyPackage });
 *   console.assert([...state.tree.members()].length === 3);
 * }
 * ```
 */
export async function joinGroup(welcome: Uint8Array | Welcome, options: JoinOptions): Promise<JoinedGroup> {
  const decoded = welcomeOf(welcome, options.rules.limits);
  return untilAborted(
    erasing((spent) => joinWith(decoded, options, spent)),
    options.signal,
  );
}

async function joinWith(welcome: Welcome, options: JoinOptions, spent: Bytes[]): Promise<JoinedGroup> {
  const { suite, rules, keyPackage: own } = options;
  const opened = await openWelcome(welcome, options, spent);
  const { secrets, info, predecessor } = opened;
  const tree = readTree(suite, info, options.ratchetTree, rules.limits);
  if (tree === undefined) throw refused("Neither the Welcome nor the caller has the ratchet tree", "R-12.4.3.1-7");
  await checkGroupInfo(suite, info, { ...options, tree });
  if (predecessor !== undefined) {
    checkSuccession(predecessor.old, predecessor.id, { context: info.groupContext, tree, rules });
  }

  const leafIndex = findOwnLeaf(tree, own);
  const path = tree.filteredDirectPath(leafIndex).map(({ node }) => node);
  const privateKeys = await joinPath(tree, { info, leafIndex, secrets, path, options });
  const state = enterJoined(suite, opened, { tree, leafIndex, privateKeys, rules });
  // In the tree: its leaf was looked up to verify the signature.
  const welcomedBy = info.signer as LeafIndex;
  const isTree = ({ extensionType }: Extension): boolean => extensionType === ExtensionType.ratchetTree;
  return { state, welcomedBy, welcomeExtensions: info.extensions.filter((extension) => !isTree(extension)) };
}

/** What a Welcome holds for its joiner. */
interface OpenedWelcome {
  readonly secrets: GroupSecrets;
  readonly pskSecret: Bytes;
  /** Neither its signature nor its context is checked. */
  readonly info: GroupInfo;
  readonly predecessor: Predecessor | undefined;
}

/** Opens a Welcome with the key package that it is for; `spent` takes the secrets that came out of it. */
export async function openWelcome(
  welcome: Welcome,
  options: Pick<JoinOptions, "suite" | "rules" | "keyPackage" | "findGroup">,
  spent: Bytes[],
): Promise<OpenedWelcome> {
  const { suite, rules, keyPackage: own } = options;
  if (welcome.cipherSuite !== suite.id || own.keyPackage.cipherSuite !== suite.id) {
    throw refused("The Welcome is for another cipher suite", "R-12.4.3.1-2");
  }
  const secrets = await openGroupSecrets(welcome, options);
  spent.push(secrets.joinerSecret, secrets.pathSecret?.pathSecret ?? EMPTY);
  checkPskIds(suite, secrets.psks, rules.limits);
  const predecessor = await findPredecessor(secrets, options);
  const psks = await findPsks(secrets, rules, predecessor);
  const pskSecret = computePskSecret(suite, psks);
  spent.push(pskSecret);
  const info = await openGroupInfo(welcome, { suite, joinerSecret: secrets.joinerSecret, pskSecret });
  return { secrets, pskSecret, info, predecessor };
}

/** The state of the epoch that a Welcome leads to; `ERR_MLS_CONFIRMATION` unless the GroupInfo's tag confirms it (R-12.4.3.1-16). */
export function enterJoined<T extends KnownLeaves>(
  suite: CipherSuite,
  { secrets: { joinerSecret }, pskSecret, info }: Omit<OpenedWelcome, "predecessor">,
  {
    rules: { exporterTree },
    ...rest
  }: Pick<MessagingState<T>, "tree" | "leafIndex" | "privateKeys"> & { readonly rules: Pick<Rules, "exporterTree"> },
): MessagingState<T> {
  const context = info.groupContext;
  const { encryptionSecret, applicationExportSecret, ...kept } = computeEpochSecrets(suite, {
    ...{ joinerSecret, pskSecret, context, exporterTree },
  });
  const confirmed = context.confirmedTranscriptHash;
  verifyConfirmationTag(
    computeConfirmationTag(suite, kept.confirmationKey, confirmed),
    info.confirmationTag,
    "R-12.4.3.1-16",
  );
  return {
    suite,
    status: "active",
    reinit: undefined,
    context,
    ...rest,
    interimTranscriptHash: interimTranscriptHash(suite, confirmed, info.confirmationTag),
    confirmationTag: info.confirmationTag,
    secrets: kept,
    secretTree: createSecretTree(encryptionSecret, rest.tree.leafCount),
    exporterTree: createExporterTree(applicationExportSecret),
    proposals: new Map(),
    pendingUpdates: new Map(),
    pastEpochs: [],
    resumptionPsks: new Map(),
    leafSince: context.epoch,
  };
}

async function openGroupSecrets(
  welcome: Welcome,
  { suite, keyPackage: own }: Pick<JoinOptions, "suite" | "keyPackage">,
): Promise<GroupSecrets> {
  const entry = welcome.secrets.find(({ newMember }) => equalBytes(newMember, own.ref));
  if (entry === undefined) throw refused("The Welcome is not for this key package", "R-12.4.3.1-2");
  const plaintext = await decryptWithLabel(suite, {
    keys: { publicKey: own.keyPackage.initKey, privateKey: own.initPrivateKey },
    label: "Welcome",
    context: welcome.encryptedGroupInfo,
    sealed: entry.encryptedGroupSecrets,
  });
  const secrets = decodeReceived(groupSecrets, plaintext);
  erase(plaintext);
  return secrets;
}

/** The group that the new one succeeds, and the PSK that says so. */
interface Predecessor {
  readonly old: GroupState;
  readonly id: SuccessionPskId;
  readonly psk: Bytes | undefined;
}

const unknownPsk = ({ pskType }: PreSharedKeyId): CoppiceError =>
  new CoppiceError("ERR_MLS_PSK", `A pre-shared key of type ${pskType} is not known`, {
    requirement: "R-12.4.3.1-4",
  });

async function findPredecessor(
  { psks }: GroupSecrets,
  { findGroup }: Pick<JoinOptions, "findGroup">,
): Promise<Predecessor | undefined> {
  const [id, ...others] = psks.filter(isSuccessionPsk);
  if (id === undefined) return undefined;
  if (others.length > 0) throw refused("More than one PSK of usage reinit or branch", "R-12.4.3.1-5");
  const old: unknown = await findGroup?.(id.pskGroupId);
  if (old === undefined) throw unknownPsk(id);
  assertState(old);
  if (!equalBytes(old.context.groupId, id.pskGroupId)) throw unknownPsk(id);
  return { old, id, psk: findSuccessionPsk(old, id) };
}

/** `TypeError` for what is no state: nothing can be compared with it. */
function assertState(found: unknown): asserts found is GroupState {
  if (typeof found === "object" && found !== null && "context" in found && "secrets" in found) return;
  throw new TypeError(`findGroup must return a GroupState or undefined, not ${describe(found)}`);
}

async function findPsks(
  { psks: ids }: GroupSecrets,
  rules: Rules,
  predecessor: Predecessor | undefined,
): Promise<PreSharedKey[]> {
  const psks: PreSharedKey[] = [];
  for (const id of ids) {
    const psk = id === predecessor?.id ? predecessor.psk : await rules.findPsk(id);
    if (!isKnownPsk(id, psk)) throw unknownPsk(id);
    psks.push({ id, psk });
  }
  return psks;
}

async function openGroupInfo(
  welcome: Welcome,
  { suite, joinerSecret, pskSecret }: { suite: CipherSuite; joinerSecret: Bytes; pskSecret: Bytes },
): Promise<GroupInfo> {
  const { key, nonce } = computeWelcomeKey(suite, joinerSecret, pskSecret);
  try {
    const { encryptedGroupInfo: sealed } = welcome;
    return decodeReceived(groupInfo, await suite.aead.open(key, nonce, EMPTY, sealed), sealed.length);
  } finally {
    erase(key, nonce);
  }
}

/** The leaf that is byte for byte the key package's (R-12.4.3.1-13). */
function findOwnLeaf(tree: RatchetTree, own: OwnKeyPackage): LeafIndex {
  const expected = encode(leafNode, own.keyPackage.leafNode);
  for (const [index, leaf] of tree.members()) {
    if (
      equalBytes(leaf.signatureKey, own.keyPackage.leafNode.signatureKey) &&
      equalBytes(encode(leafNode, leaf), expected)
    ) {
      return index;
    }
  }
  throw refused("The own leaf is not in the tree", "R-12.4.3.1-13");
}

/** Own private keys: the leaf's, and those from the path secret upwards (R-12.4.3.1-14, R-12.4.3.1-15). */
export async function joinPath(
  tree: Pick<RatchetTree, "encryptionKey">,
  {
    info,
    leafIndex,
    secrets,
    path,
    options,
  }: {
    readonly info: GroupInfo;
    readonly leafIndex: LeafIndex;
    readonly secrets: GroupSecrets;
    /** The own filtered direct path. */
    readonly path: readonly NodeIndex[];
    readonly options: Pick<JoinOptions, "suite" | "keyPackage">;
  },
): Promise<PrivateKeys> {
  const { suite, keyPackage: own } = options;
  // A copy: the state erases its keys, and a last-resort key package is used again.
  const privateKey = new Uint8Array(own.encryptionPrivateKey);
  const leafKeys = { publicKey: own.keyPackage.leafNode.encryptionKey, privateKey };
  const privateKeys = new Map([[leafToNode(leafIndex), leafKeys]]);
  if (secrets.pathSecret === undefined) return privateKeys;

  const signer = leafToNode(info.signer as LeafIndex);
  const shared = path.filter((node) => isBelow(signer, node));
  const derived = await derivePath(suite, secrets.pathSecret.pathSecret, shared);
  for (const [node, pair] of derived.keys) {
    const announced = tree.encryptionKey(node);
    if (announced === undefined || !equalBytes(announced, pair.publicKey)) {
      throw new CoppiceError("ERR_MLS_TREE", "The path secret does not lead to the tree's public keys", {
        requirement: "R-12.4.3.1-15",
        detail: { node },
      });
    }
    privateKeys.set(node, pair);
  }
  erase(derived.commitSecret, ...derived.secrets.map(({ pathSecret }) => pathSecret));
  return privateKeys;
}
