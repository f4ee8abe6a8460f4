/**
 * The secret tree (RFC 9420 §9): a persistent value, expanded where it is used. An operation returns the next tree and
 * the secrets that it consumed; the caller erases those once the next tree is stored, so that a failure costs no key.
 */
import type { RatchetKeys } from "@coppice/wasm";
import type { Bytes } from "./codec/bytes.ts";
import { EMPTY, erase, utf8 } from "./codec/bytes.ts";
import type { CipherSuite } from "./crypto/cipher-suite.ts";
import { CoppiceError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { LeafIndex, NodeIndex } from "./tree/tree-math.ts";
import { isLeaf, left, leafToNode, leavesBelow, right, root } from "./tree/tree-math.ts";

export type RatchetType = "handshake" | "application";

/** A key that seals or opens exactly one message (R-9.1-3). */
export interface MessageKey {
  readonly key: Bytes;
  readonly nonce: Bytes;
}

/** A hash ratchet (§9.1). */
export interface Ratchet {
  /** Generation of `secret`, the next one never used: 0 to 2^32. */
  readonly generation: number;
  /** Empty after the last generation. */
  readonly secret: Bytes;
  /** Keys of generations that were passed over, oldest first; never their ratchet secrets. */
  readonly skipped: ReadonlyMap<number, MessageKey>;
}

/** A node whose children were not needed yet, one whose secret is gone, or a leaf in use. */
export type SecretNode =
  | { readonly kind: "secret"; readonly secret: Bytes }
  | { readonly kind: "expanded"; readonly left: SecretNode; readonly right: SecretNode }
  | { readonly kind: "leaf"; readonly handshake: Ratchet; readonly application: Ratchet };

export interface SecretTree {
  /** A power of two, as in the ratchet tree of the epoch. */
  readonly leafCount: number;
  readonly root: SecretNode;
}

/** A message key with the tree that no longer has it. */
export interface TakenKey extends MessageKey {
  readonly generation: number;
  readonly next: SecretTree;
  /** Secrets of the old tree that nothing in `next` uses: erase them when `next` is stored (R-9.2-1). */
  readonly consumed: readonly Bytes[];
}

const LAST_GENERATION = 2 ** 32 - 1;

/** Takes over `encryptionSecret`: it is the root's secret. */
export function createSecretTree(encryptionSecret: Bytes, leafCount: number): SecretTree {
  return { leafCount, root: { kind: "secret", secret: encryptionSecret } };
}

const LEFT = utf8("left");
const RIGHT = utf8("right");

/** What a node's secret becomes: those of its children (R-9-1), or a leaf's ratchets (R-9-2). */
function expand({ hash }: CipherSuite, index: NodeIndex, secret: Bytes): SecretNode {
  const length = hash.Nh;
  if (isLeaf(index)) {
    const [handshake = EMPTY, application = EMPTY] = hash.expandMany(secret, [
      { label: "handshake", context: EMPTY, length },
      { label: "application", context: EMPTY, length },
    ]);
    return { kind: "leaf", handshake: startOf(handshake), application: startOf(application) };
  }
  const [toLeft = EMPTY, toRight = EMPTY] = hash.expandMany(secret, [
    { label: "tree", context: LEFT, length },
    { label: "tree", context: RIGHT, length },
  ]);
  return { kind: "expanded", left: { kind: "secret", secret: toLeft }, right: { kind: "secret", secret: toRight } };
}

const startOf = (secret: Bytes): Ratchet => ({ generation: 0, secret, skipped: new Map() });

interface Step {
  readonly ratchet: Ratchet;
  readonly taken: MessageKey & { readonly generation: number };
  readonly consumed: readonly Bytes[];
}

/** Replaces one ratchet of one leaf, expanding the nodes on the way to it. */
function changeRatchet(
  suite: CipherSuite,
  tree: SecretTree,
  { leaf, type, change }: { leaf: LeafIndex; type: RatchetType; change: (ratchet: Ratchet) => Step },
): TakenKey {
  const consumed: Bytes[] = [];
  const target = leafToNode(leaf);
  let taken: Step["taken"] | undefined;
  const visit = (node: SecretNode, index: NodeIndex): SecretNode => {
    if (node.kind === "secret") {
      consumed.push(node.secret);
      return visit(expand(suite, index, node.secret), index);
    }
    if (node.kind === "leaf") {
      const step = change(node[type]);
      taken = step.taken;
      consumed.push(...step.consumed);
      return { ...node, [type]: step.ratchet };
    }
    const below = target < index ? left(index) : right(index);
    if (below === undefined) throw new RangeError("a leaf of the secret tree has no children");
    return target < index ? { ...node, left: visit(node.left, below) } : { ...node, right: visit(node.right, below) };
  };
  const next = { leafCount: tree.leafCount, root: visit(tree.root, root(tree.leafCount)) };
  if (taken === undefined) throw new RangeError(`leaf ${String(leaf)} is not in the secret tree`);
  return { ...taken, next, consumed };
}

/** Keys of `count` generations and the secret of the one after them (R-9.1-2), in one call of the kernel. */
function run({ hash, aead }: CipherSuite, { generation, secret }: Ratchet, count: number): RatchetKeys {
  const keys = hash.ratchet({ secret, generation, count, Nk: aead.Nk, Nn: aead.Nn });
  if (generation + count <= LAST_GENERATION) return keys;
  erase(keys.secret);
  return { ...keys, secret: EMPTY };
}

function lastOf(keys: readonly MessageKey[]): MessageKey {
  const last = keys.at(-1);
  if (last === undefined) throw new RangeError("a ratchet runs for at least one generation");
  return last;
}

/** The next unused key of a ratchet, for sending. `ERR_MLS_LIMIT` when all 2^32 generations are used (R-9.1-5). */
export function takeNextKey(suite: CipherSuite, tree: SecretTree, leaf: LeafIndex, type: RatchetType): TakenKey {
  const change = (ratchet: Ratchet): Step => {
    const { generation, secret, skipped } = ratchet;
    if (generation > LAST_GENERATION) {
      throw new CoppiceError("ERR_MLS_LIMIT", "this epoch's ratchet is used up: commit first", {
        requirement: "R-9.1-5",
      });
    }
    const { keys, secret: following } = run(suite, ratchet, 1);
    return {
      ratchet: { generation: generation + 1, secret: following, skipped },
      taken: { generation, ...lastOf(keys) },
      consumed: [secret],
    };
  };
  return changeRatchet(suite, tree, { leaf, type, change });
}

/**
 * The key of a received generation. Moving forward keeps the keys that are passed over, at most `skippedKeys` of them.
 * `ERR_MLS_REPLAY` if it was used or dropped, `ERR_MLS_LIMIT` if it is more than `forwardSteps` ahead: nothing is derived.
 */
export function takeKey(
  suite: CipherSuite,
  tree: SecretTree,
  { leaf, type, generation, limits }: { leaf: LeafIndex; type: RatchetType; generation: number; limits: Limits },
): TakenKey {
  const change = (ratchet: Ratchet): Step =>
    generation < ratchet.generation
      ? takeSkipped(ratchet, generation)
      : moveForward(suite, ratchet, generation, limits);
  return changeRatchet(suite, tree, { leaf, type, change });
}

function takeSkipped(ratchet: Ratchet, generation: number): Step {
  const found = ratchet.skipped.get(generation);
  if (found === undefined) {
    throw new CoppiceError("ERR_MLS_REPLAY", "the key of this message was used or dropped", {
      requirement: "R-9.2-1",
      detail: { generation },
    });
  }
  const skipped = new Map(ratchet.skipped);
  skipped.delete(generation);
  // The stored key is erased with the old state; the caller gets copies to erase after use.
  const taken = { generation, key: found.key.slice(), nonce: found.nonce.slice() };
  return { ratchet: { ...ratchet, skipped }, taken, consumed: [found.key, found.nonce] };
}

function moveForward(suite: CipherSuite, ratchet: Ratchet, generation: number, limits: Limits): Step {
  const steps = generation - ratchet.generation;
  if (steps > limits.forwardSteps) {
    throw new CoppiceError("ERR_MLS_LIMIT", `the message is ${String(steps)} generations ahead`, {
      requirement: "R-15.3-3",
      detail: { generation, forwardSteps: limits.forwardSteps },
    });
  }
  const { keys, secret } = run(suite, ratchet, steps + 1);
  const taken = { generation, ...lastOf(keys) };
  const consumed: Bytes[] = [ratchet.secret];
  if (steps === 0) return { ratchet: { ...ratchet, generation: generation + 1, secret }, taken, consumed };

  const skipped = new Map(ratchet.skipped);
  keys.slice(0, steps).forEach((key, i) => skipped.set(ratchet.generation + i, key));
  for (const [oldest, { key, nonce }] of skipped) {
    if (skipped.size <= limits.skippedKeys) break;
    skipped.delete(oldest);
    consumed.push(key, nonce);
  }
  return { ratchet: { generation: generation + 1, secret, skipped }, taken, consumed };
}

/** All secrets of a tree, for erasing it. */
export function secretsOf(tree: SecretTree): Bytes[] {
  const collect = (node: SecretNode): Bytes[] => {
    if (node.kind === "secret") return [node.secret];
    if (node.kind === "expanded") return [...collect(node.left), ...collect(node.right)];
    return [node.handshake, node.application].flatMap(({ secret, skipped }) => [
      secret,
      ...[...skipped.values()].flatMap(({ key, nonce }) => [key, nonce]),
    ]);
  };
  return collect(tree.root);
}

/** Whether a leaf index lies in the tree: sender data of a hostile message may name any uint32. */
export const hasLeaf = (tree: SecretTree, leaf: number): leaf is LeafIndex => leaf < leavesBelow(root(tree.leafCount));
