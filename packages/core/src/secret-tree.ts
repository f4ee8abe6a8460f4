/**
 * The secret tree (RFC 9420 §9): a persistent value, expanded where it is used. An operation returns the next tree and
 * the secrets that it consumed; the caller erases those once the next tree is stored, so that a failure costs no key.
 */
import type { Bytes } from "./codec/bytes.ts";
import { EMPTY } from "./codec/bytes.ts";
import type { CipherSuite } from "./crypto/cipher-suite.ts";
import { deriveTreeSecret } from "./crypto/labels.ts";
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

function expand(suite: CipherSuite, index: NodeIndex, secret: Bytes): SecretNode {
  const { Nh } = suite.hash;
  const child = (label: string, context: Bytes): Bytes => suite.hash.expandWithLabel(secret, label, context, Nh);
  if (isLeaf(index)) {
    const ratchet = (label: RatchetType): Ratchet => ({
      generation: 0,
      secret: child(label, EMPTY),
      skipped: new Map(),
    });
    return { kind: "leaf", handshake: ratchet("handshake"), application: ratchet("application") };
  }
  const side = (name: "left" | "right"): SecretNode => ({ kind: "secret", secret: child("tree", NAMES[name]) });
  return { kind: "expanded", left: side("left"), right: side("right") };
}

const NAMES = { left: new TextEncoder().encode("left"), right: new TextEncoder().encode("right") };

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

/** Key, nonce and next secret of one generation (R-9.1-2). */
function deriveGeneration(suite: CipherSuite, secret: Bytes, generation: number): MessageKey & { secret: Bytes } {
  const derive = (label: string, length: number): Bytes => deriveTreeSecret(suite, secret, label, generation, length);
  return {
    key: derive("key", suite.aead.Nk),
    nonce: derive("nonce", suite.aead.Nn),
    secret: generation === LAST_GENERATION ? EMPTY : derive("secret", suite.hash.Nh),
  };
}

/** The next unused key of a ratchet, for sending. `ERR_MLS_LIMIT` when all 2^32 generations are used (R-9.1-5). */
export function takeNextKey(suite: CipherSuite, tree: SecretTree, leaf: LeafIndex, type: RatchetType): TakenKey {
  const change = ({ generation, secret, skipped }: Ratchet): Step => {
    if (generation > LAST_GENERATION) {
      throw new CoppiceError("ERR_MLS_LIMIT", "this epoch's ratchet is used up: commit first", {
        requirement: "R-9.1-5",
      });
    }
    const { key, nonce, secret: following } = deriveGeneration(suite, secret, generation);
    return {
      ratchet: { generation: generation + 1, secret: following, skipped },
      taken: { generation, key, nonce },
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
  const skipped = new Map(ratchet.skipped);
  const consumed: Bytes[] = [ratchet.secret];
  let { secret } = ratchet;
  for (let at = ratchet.generation; at < generation; at++) {
    const { key, nonce, secret: following } = deriveGeneration(suite, secret, at);
    skipped.set(at, { key, nonce });
    if (at > ratchet.generation) secret.fill(0);
    secret = following;
  }
  for (const [oldest, { key, nonce }] of skipped) {
    if (skipped.size <= limits.skippedKeys) break;
    skipped.delete(oldest);
    consumed.push(key, nonce);
  }
  const last = deriveGeneration(suite, secret, generation);
  if (steps > 0) secret.fill(0);
  return {
    ratchet: { generation: generation + 1, secret: last.secret, skipped },
    taken: { generation, key: last.key, nonce: last.nonce },
    consumed,
  };
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
