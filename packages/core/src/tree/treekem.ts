/** TreeKEM (RFC 9420 §7.4, §7.5): making an update path, and reading one. */
import { randomBytes } from "@coppice/kit";
import { type Bytes, equalBytes, erase } from "../codec/bytes.ts";
import type { Given } from "../codec/codec.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import type { HpkeCiphertext, HpkeKeyPair } from "../crypto/hpke.ts";
import { decryptWithLabel, deriveSecrets, encryptWithLabel } from "../crypto/labels.ts";
import type { Signer } from "../crypto/signature.ts";
import { CoppiceError } from "../errors.ts";
import { type LeafNode, type UnsignedLeafNode, signLeafNode } from "./leaf-node.ts";
import { type HashedPath, hashPath } from "./parent-hash.ts";
import type { RatchetTree } from "./ratchet-tree.ts";
import { type LeafIndex, type NodeIndex, isBelow, leafToNode } from "./tree-math.ts";
import type { UpdatePath, UpdatePathNode } from "./update-path.ts";

/**
 * The private keys that a member holds: for its leaf and for ancestors (R-4.2-1), possibly with gaps (R-4.2-2). Each
 * stands with its public key, so that a key whose node has changed is recognised.
 */
export type PrivateKeys = ReadonlyMap<NodeIndex, HpkeKeyPair>;

/** Key pairs derived from the path secrets of a path, with what follows from them. */
export interface PathSecrets {
  /** Nodes from the first to the top of the path, with their path secrets. */
  readonly secrets: readonly { readonly node: NodeIndex; readonly pathSecret: Bytes }[];
  readonly keys: ReadonlyMap<NodeIndex, HpkeKeyPair>;
  /** One step past the last path secret (R-12.4.1-3). */
  readonly commitSecret: Bytes;
}

/** Derives path secrets and key pairs along `nodes`, starting with `first` at the first of them (R-7.4-1, R-7.4-2). */
export async function derivePath(suite: CipherSuite, first: Bytes, nodes: readonly NodeIndex[]): Promise<PathSecrets> {
  const steps: { node: NodeIndex; pathSecret: Bytes; nodeSecret: Bytes }[] = [];
  let pathSecret = first;
  for (const node of nodes) {
    const { next, nodeSecret } = deriveSecrets(suite, pathSecret, { next: "path", nodeSecret: "node" });
    steps.push({ node, pathSecret, nodeSecret });
    pathSecret = next;
  }
  const pairs = await Promise.all(
    steps.map(async ({ node, nodeSecret }): Promise<[NodeIndex, HpkeKeyPair]> => {
      const pair = await suite.hpke.deriveKeyPair(nodeSecret);
      erase(nodeSecret);
      return [node, pair];
    }),
  );
  const secrets = steps.map(({ node, pathSecret: own }) => ({ node, pathSecret: own }));
  return { secrets, keys: new Map(pairs), commitSecret: pathSecret };
}

/** The tree with a path's nodes and leaf in place; other nodes of the direct path become blank (R-7.5-6, R-7.5-13). */
function mergePath(tree: RatchetTree, leaf: LeafIndex, leafNode: LeafNode, path: HashedPath): RatchetTree {
  return tree.replacePath(leaf, leafNode, (_, index) => path.parents.get(index));
}

/** A path that is made but not yet encrypted: its secrets are sealed to the context of the tree that has it (T-7). */
export interface GeneratedPath {
  readonly tree: RatchetTree;
  readonly leafNode: LeafNode;
  readonly path: PathSecrets;
  /** The own keys in `tree`: leaf and path. */
  readonly privateKeys: PrivateKeys;
}

/** Fresh keys for the filtered direct path of `leaf` and for the leaf itself (R-7.4-1, R-7.5-2). */
export async function generatePath(
  suite: CipherSuite,
  tree: RatchetTree,
  {
    leaf,
    content,
    groupId,
    signer,
  }: {
    leaf: LeafIndex;
    content: Given<Pick<UnsignedLeafNode, "credential" | "capabilities" | "extensions">>;
    groupId: Bytes;
    signer: Signer;
  },
): Promise<GeneratedPath> {
  const nodes = tree.filteredDirectPath(leaf).map(({ node }) => node);
  // Independent of the path secrets, so that the leaf's key cannot be computed from them (R-7.4-3).
  const leafKeys = await suite.hpke.generateKeyPair();
  const path = await derivePath(suite, randomBytes(suite.hash.Nh), nodes);
  const hashed = hashPath(suite.hash, tree, leaf, publicKeys(path));
  const leafNode = await signLeafNode(
    {
      ...content,
      encryptionKey: leafKeys.publicKey,
      signatureKey: signer.publicKey,
      source: { leafNodeSource: "commit", parentHash: hashed.leafParentHash },
    },
    signer,
    { groupId, leafIndex: leaf },
  );
  return {
    tree: mergePath(tree, leaf, leafNode, hashed),
    leafNode,
    path,
    privateKeys: new Map([[leafToNode(leaf), leafKeys], ...path.keys]),
  };
}

const publicKeys = (path: PathSecrets): Bytes[] => [...path.keys.values()].map(({ publicKey }) => publicKey);

/**
 * Encrypts each path secret to the resolution of its copath child, without the leaves of `newLeaves` (R-7.5-5, T-6).
 * `tree` is the tree before the path, `context` the encoded provisional group context.
 */
export async function encryptPath(
  suite: CipherSuite,
  tree: RatchetTree,
  {
    leaf,
    generated,
    newLeaves,
    context,
  }: { leaf: LeafIndex; generated: GeneratedPath; newLeaves: ReadonlySet<LeafIndex>; context: Bytes },
): Promise<UpdatePath> {
  const seal = encryptWithLabel(suite, "UpdatePathNode", context);
  const nodes = await Promise.all(
    tree.filteredDirectPath(leaf).map(async ({ copathChild }, i): Promise<UpdatePathNode> => {
      const encryptionKey = generated.path.keys.get(generated.path.secrets[i]?.node ?? (-1 as NodeIndex))?.publicKey;
      const pathSecret = generated.path.secrets[i]?.pathSecret;
      if (encryptionKey === undefined || pathSecret === undefined) {
        throw new RangeError("The path was generated for another tree");
      }
      const encryptedPathSecret = await Promise.all(
        recipients(tree, copathChild, newLeaves).map((node) => {
          const publicKey = tree.encryptionKey(node);
          if (publicKey === undefined) throw new RangeError("A resolution has no blank nodes");
          return seal(publicKey, pathSecret);
        }),
      );
      return { encryptionKey, encryptedPathSecret };
    }),
  );
  return { leafNode: generated.leafNode, nodes };
}

/** Nodes that a path secret is encrypted to, in the order of their ciphertexts. */
export function recipients(tree: RatchetTree, copathChild: NodeIndex, newLeaves: ReadonlySet<LeafIndex>): NodeIndex[] {
  const added = new Set([...newLeaves].map(leafToNode));
  return tree.resolution(copathChild).filter((node) => !added.has(node));
}

const wrongPath = (message: string, requirement: string, detail = {}): CoppiceError =>
  new CoppiceError("ERR_MLS_UPDATE_PATH", message, { requirement, detail });

/** The filtered direct path that a received path is to have one node for each of (R-7.5-8). */
export function matchPath(
  tree: RatchetTree,
  sender: LeafIndex,
  { nodes }: UpdatePath,
): ReturnType<RatchetTree["filteredDirectPath"]> {
  const filtered = tree.filteredDirectPath(sender);
  if (nodes.length === filtered.length) return filtered;
  throw wrongPath("The update path does not have one node per filtered ancestor", "R-7.5-8", {
    expected: filtered.length,
    received: nodes.length,
  });
}

/**
 * Merges the public part of a received path into `tree`, the tree after proposals (R-7.5-6 to R-7.5-8): its shape and its
 * parent hashes are checked; the leaf's signature and contents are judged by `validateLeafNode`.
 */
export function applyUpdatePath(
  suite: CipherSuite,
  tree: RatchetTree,
  { sender, path, newLeaves }: { sender: LeafIndex; path: UpdatePath; newLeaves: ReadonlySet<LeafIndex> },
): RatchetTree {
  for (const [i, { copathChild }] of matchPath(tree, sender, path).entries()) {
    const expected = recipients(tree, copathChild, newLeaves).length;
    const received = path.nodes[i]?.encryptedPathSecret.length ?? 0;
    if (received !== expected) {
      throw wrongPath("A path secret is not encrypted to each node of the resolution", "R-7.6-2", {
        expected,
        received,
      });
    }
  }
  refuseUsedKeys(tree, path);
  const hashed = hashPath(
    suite.hash,
    tree,
    sender,
    path.nodes.map(({ encryptionKey }) => encryptionKey),
  );
  const { source } = path.leafNode;
  if (source.leafNodeSource !== "commit" || !equalBytes(source.parentHash, hashed.leafParentHash)) {
    throw wrongPath("The leaf's parent hash is not that of its path", "R-7.5-7");
  }
  return mergePath(tree, sender, path.leafNode, hashed);
}

/** No key of the path is in the tree yet, and none is in the path twice (R-12.4.2-10). */
function refuseUsedKeys(tree: RatchetTree, path: UpdatePath): void {
  const keys = [path.leafNode.encryptionKey, ...path.nodes.map(({ encryptionKey }) => encryptionKey)];
  for (const [i, key] of keys.entries()) {
    if (tree.hasEncryptionKey(key) || keys.slice(0, i).some((earlier) => equalBytes(earlier, key))) {
      throw wrongPath("A public key of the update path is in use already", "R-12.4.2-10");
    }
  }
}

/**
 * Decrypts the path secret that is meant for this member and derives the rest of the path (R-7.5-9 to R-7.5-11).
 * `tree` is the tree after proposals, `privateKeys` this member's keys in it.
 */
export async function decryptPath(
  suite: CipherSuite,
  tree: RatchetTree,
  {
    sender,
    path,
    newLeaves,
    privateKeys,
    receiver,
    context,
  }: {
    sender: LeafIndex;
    path: UpdatePath;
    newLeaves: ReadonlySet<LeafIndex>;
    privateKeys: PrivateKeys;
    receiver: LeafIndex;
    context: Bytes;
  },
): Promise<PathSecrets> {
  const filtered = tree.filteredDirectPath(sender);
  const start = filtered.findIndex(({ copathChild }) => isBelow(leafToNode(receiver), copathChild));
  const meeting = filtered[start];
  const encrypted = path.nodes[start]?.encryptedPathSecret;
  if (meeting === undefined || encrypted === undefined)
    throw wrongPath("The update path does not reach this leaf", "R-7.5-9");

  const resolution = recipients(tree, meeting.copathChild, newLeaves);
  const position = resolution.findIndex((node) => privateKeys.has(node));
  const keys = privateKeys.get(resolution[position] ?? (-1 as NodeIndex));
  const sealed = encrypted[position];
  if (keys === undefined || sealed === undefined)
    throw wrongPath("No path secret is encrypted to this leaf", "R-7.5-9");

  const nodes = filtered.slice(start).map(({ node }) => node);
  return openPathSecret(suite, { keys, context, sealed, nodes, announced: path.nodes.slice(start) });
}

/**
 * Decrypts a path secret and derives the path from it along `nodes`. `ERR_MLS_UPDATE_PATH` unless that leads to the announced keys
 * (R-7.5-10).
 */
export async function openPathSecret(
  suite: CipherSuite,
  {
    keys,
    context,
    sealed,
    nodes,
    announced,
  }: {
    readonly keys: HpkeKeyPair;
    readonly context: Bytes;
    readonly sealed: HpkeCiphertext;
    readonly nodes: readonly NodeIndex[];
    /** Of the update path, one for each of `nodes`. */
    readonly announced: readonly UpdatePathNode[];
  },
): Promise<PathSecrets> {
  const first = await decryptWithLabel(suite, { keys, label: "UpdatePathNode", context, sealed });
  const derived = await derivePath(suite, first, nodes);
  for (const [i, { publicKey }] of [...derived.keys.values()].entries()) {
    const expected = announced[i]?.encryptionKey;
    if (expected === undefined || !equalBytes(publicKey, expected)) {
      erase(derived.commitSecret, ...derived.secrets.map(({ pathSecret }) => pathSecret));
      throw wrongPath("A path secret does not lead to the announced public key", "R-7.5-10");
    }
  }
  return derived;
}

/** The keys that still belong to their nodes in `tree`, with `added` over them; the others in `dropped` (R-7.5-12, R-7.5-13). */
export function keepPrivateKeys(
  tree: Pick<RatchetTree, "leafCount" | "encryptionKey">,
  own: PrivateKeys,
  added: PrivateKeys = new Map(),
): { readonly kept: PrivateKeys; readonly dropped: readonly Bytes[] } {
  const kept = new Map<NodeIndex, HpkeKeyPair>();
  const dropped: Bytes[] = [];
  for (const [node, pair] of [...own, ...added]) {
    const current = node < 2 * tree.leafCount - 1 ? tree.encryptionKey(node) : undefined;
    if (current !== undefined && equalBytes(current, pair.publicKey)) kept.set(node, pair);
    else dropped.push(pair.privateKey);
  }
  return { kept, dropped };
}
