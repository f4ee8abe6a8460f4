/**
 * The secret tree (RFC 9420 §9): a persistent value, expanded where it is used. An operation returns the next tree and
 * the secrets that it consumed; the caller erases those once the next tree is stored, so that a failure costs no key.
 */
import type { RatchetKeys } from "@coppice/wasm";
import { type Bytes, EMPTY, erase, utf8 } from "../codec/bytes.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { notLoaded, succeeded } from "../result.ts";
import {
  type LeafIndex,
  type NodeIndex,
  children,
  isLeaf,
  left,
  leafToNode,
  leavesBelow,
  right,
  root,
} from "../tree/tree-math.ts";

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

/** A node whose children were not needed yet, one whose secret is gone, a leaf in use, or what was not loaded. */
export type SecretNode =
  | { readonly kind: "secret"; readonly secret: Bytes }
  | { readonly kind: "expanded"; readonly left: SecretNode; readonly right: SecretNode }
  | { readonly kind: "leaf"; readonly handshake: Ratchet; readonly application: Ratchet }
  | { readonly kind: "absent" };

/** In the place of everything at or below a node of which nothing was loaded. */
export const ABSENT: SecretNode = { kind: "absent" };

export interface SecretTree {
  /** A power of two, as in the ratchet tree of the epoch. */
  readonly leafCount: number;
  readonly root: SecretNode;
}

/** The key of a generation, for the message that has this number. */
export interface TakenKey extends MessageKey {
  readonly generation: number;
}

/** A tree that no longer has the keys that were taken from it. */
export interface Remaining {
  readonly next: SecretTree;
  /** Secrets of the old tree that nothing in `next` uses: erase them when `next` is stored (R-9.2-1). */
  readonly consumed: readonly Bytes[];
}

const LAST_GENERATION = 2 ** 32 - 1;

/** No keys that were passed over: those of most ratchets. */
const NONE: Ratchet["skipped"] = new Map();

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

const startOf = (secret: Bytes): Ratchet => ({ generation: 0, secret, skipped: NONE });

/** What becomes of a ratchet, what was taken from it, and the secrets that it no longer has. */
interface Step<T> {
  readonly ratchet: Ratchet;
  readonly taken: T;
  readonly consumed: readonly Bytes[];
}

/** Replaces one ratchet of one leaf, expanding the nodes on the way to it. */
function changeRatchet<T>(
  suite: CipherSuite,
  tree: SecretTree,
  { leaf, type, change }: { leaf: LeafIndex; type: RatchetType; change: (ratchet: Ratchet) => Step<T> },
): Remaining & { readonly taken: T } {
  const consumed: Bytes[] = [];
  const target = leafToNode(leaf);
  let done: { readonly taken: T } | undefined;
  const visit = (node: SecretNode, index: NodeIndex): SecretNode => {
    if (node.kind === "secret") {
      consumed.push(node.secret);
      return visit(expand(suite, index, node.secret), index);
    }
    if (node.kind === "absent") throw notLoaded({ leafIndex: leaf });
    if (node.kind === "leaf") {
      const step = change(node[type]);
      done = step;
      consumed.push(...step.consumed);
      return { ...node, [type]: step.ratchet };
    }
    const below = target < index ? left(index) : right(index);
    if (below === undefined) throw new RangeError("A leaf of the secret tree has no children");
    return target < index ? { ...node, left: visit(node.left, below) } : { ...node, right: visit(node.right, below) };
  };
  const next = { leafCount: tree.leafCount, root: visit(tree.root, root(tree.leafCount)) };
  if (done === undefined) throw new RangeError(`Leaf ${String(leaf)} is not in the secret tree`);
  return { taken: done.taken, next, consumed };
}

/** Keys of `count` generations and the secret of the one after them (R-9.1-2), in one call of the kernel. */
function run({ hash, aead }: CipherSuite, { generation, secret }: Ratchet, count: number): RatchetKeys {
  const { keys, secret: after } = hash.ratchet({ secret, generation, count, Nk: aead.Nk, Nn: aead.Nn });
  return { keys, secret: unlessLast(after, generation + count - 1) };
}

/** The secret after `generation`: there is none after the last one. */
function unlessLast(secret: Bytes, generation: number): Bytes {
  if (generation < LAST_GENERATION) return secret;
  erase(secret);
  return EMPTY;
}

/** The generation that `useNextSecret` would use: as many of this leaf's keys have been used in the epoch. */
export function nextGeneration(tree: SecretTree, leaf: LeafIndex, type: RatchetType): number {
  const { node } = lastExpanded(tree, leaf);
  if (node.kind === "absent") throw notLoaded({ leafIndex: leaf });
  return node.kind === "leaf" ? node[type].generation : 0;
}

/** The first node on the way to a leaf that has no children. */
function lastExpanded(tree: SecretTree, leaf: LeafIndex): { readonly node: SecretNode; readonly index: NodeIndex } {
  const target = leafToNode(leaf);
  let [node, index] = [tree.root, root(tree.leafCount)];
  for (let below = children(index); node.kind === "expanded" && below !== undefined; below = children(index)) {
    [node, index] = target < index ? [node.left, below[0]] : [node.right, below[1]];
  }
  return { node, index };
}

/** Nodes on the way to a leaf that were not loaded, from the top. One of them has what its ratchets are derived from. */
export function absentNodes(tree: SecretTree, leaf: LeafIndex): NodeIndex[] {
  const { node, index } = lastExpanded(tree, leaf);
  if (node.kind !== "absent") return [];
  const target = leafToNode(leaf);
  const absent = [index];
  for (let at = index, below = children(at); below !== undefined; below = children(at)) {
    at = target < at ? below[0] : below[1];
    absent.push(at);
  }
  return absent;
}

/** Where a ratchet stands that is used next. */
interface RatchetStep {
  readonly secret: Bytes;
  readonly generation: number;
}

/**
 * Uses the secret of a ratchet's next generation, for sending; `use` returns the one after it. `ERR_MLS_LIMIT` when all 2^32
 * generations are used (R-9.1-5).
 */
export function useNextSecret<T extends { readonly secret: Bytes }>(
  suite: CipherSuite,
  tree: SecretTree,
  { leaf, type, use }: { leaf: LeafIndex; type: RatchetType; use: (step: RatchetStep) => T },
): Remaining & { readonly taken: T & { readonly generation: number } } {
  const change = ({ generation, secret, skipped }: Ratchet): Step<T & { readonly generation: number }> => {
    if (generation > LAST_GENERATION) {
      throw new CoppiceError("ERR_MLS_LIMIT", "This epoch's ratchet is used up: commit first", {
        requirement: "R-9.1-5",
      });
    }
    const used = use({ secret, generation });
    return {
      ratchet: { generation: generation + 1, secret: unlessLast(used.secret, generation), skipped },
      taken: { ...used, generation },
      consumed: [secret],
    };
  };
  return changeRatchet(suite, tree, { leaf, type, change });
}

/**
 * The keys of received messages, taken in their order. Moving a ratchet forward keeps the keys that are passed over, at most
 * `skippedKeys` of them. In place of a key: `ERR_MLS_REPLAY` if it was used or dropped, `ERR_MLS_LIMIT` if it is more than
 * `forwardSteps` ahead. The caller erases the keys after use.
 */
export function takeKeys(
  suite: CipherSuite,
  tree: SecretTree,
  { type, messages, limits }: { type: RatchetType; messages: readonly Numbered[]; limits: Limits },
): Remaining & { readonly taken: readonly (TakenKey | CoppiceError)[] } {
  const taken: (TakenKey | CoppiceError)[] = [];
  const consumed: Bytes[] = [];
  let next = tree;
  const byLeaf = new Map<LeafIndex, { readonly places: number[]; readonly generations: number[] }>();
  for (const [place, { leafIndex, generation }] of messages.entries()) {
    const ofLeaf = byLeaf.get(leafIndex) ?? { places: [], generations: [] };
    ofLeaf.places.push(place);
    ofLeaf.generations.push(generation);
    byLeaf.set(leafIndex, ofLeaf);
  }
  for (const [leaf, { places, generations }] of byLeaf) {
    const change = (ratchet: Ratchet): Advance => advance(suite, ratchet, generations, limits);
    const step = changeRatchet(suite, next, { leaf, type, change });
    for (const [i, result] of step.taken.entries()) taken[places[i] ?? 0] = result;
    if (!step.taken.some(succeeded)) continue;
    consumed.push(...step.consumed);
    next = step.next;
  }
  return { taken, next, consumed };
}

/** What sender data says of a message. */
interface Numbered {
  readonly leafIndex: LeafIndex;
  readonly generation: number;
}

type Advance = Step<readonly (TakenKey | CoppiceError)[]>;

function advance(suite: CipherSuite, ratchet: Ratchet, generations: readonly number[], limits: Limits): Advance {
  const { taken, dropped, waiting, generation } = plan(ratchet, generations, limits);
  const moved = generation > ratchet.generation;
  const { keys, secret } = moved ? run(suite, ratchet, generation - ratchet.generation) : { keys: [], ...ratchet };
  const keyOf = (wanted: number): MessageKey => {
    const found = ratchet.skipped.get(wanted) ?? keys[wanted - ratchet.generation];
    if (found === undefined) throw new RangeError(`Generation ${String(wanted)} was not derived`);
    return found;
  };
  const consumed = moved ? [ratchet.secret] : [];
  for (const old of dropped) consumed.push(keyOf(old).key, keyOf(old).nonce);
  const take = (wanted: number): TakenKey => {
    const { key, nonce } = keyOf(wanted);
    if (!ratchet.skipped.has(wanted)) return { generation: wanted, key, nonce };
    // The stored key is erased with the old state; the caller gets copies to erase after use.
    consumed.push(key, nonce);
    return { generation: wanted, key: key.slice(), nonce: nonce.slice() };
  };
  return {
    ratchet: { generation, secret, skipped: keptKeys(waiting, keyOf) },
    taken: taken.map((wanted) => (typeof wanted === "number" ? take(wanted) : wanted)),
    consumed,
  };
}

function keptKeys(waiting: ReadonlySet<number>, keyOf: (generation: number) => MessageKey): Ratchet["skipped"] {
  return waiting.size === 0 ? NONE : new Map([...waiting].map((kept) => [kept, keyOf(kept)]));
}

/** Which generations can be taken and which are dropped, before anything is derived. */
function plan(
  { generation: start, skipped }: Ratchet,
  generations: readonly number[],
  { forwardSteps, skippedKeys }: Limits,
): { taken: (number | CoppiceError)[]; dropped: number[]; waiting: Set<number>; generation: number } {
  let next = start;
  const waiting = new Set(skipped.keys());
  const dropped: number[] = [];
  const taken = generations.map((generation) => {
    if (generation < next) return waiting.delete(generation) ? generation : usedBefore(generation);
    if (generation - next > forwardSteps) return tooFarAhead(generation, generation - next, forwardSteps);
    for (; next < generation; next++) waiting.add(next);
    next++;
    for (const oldest of waiting) {
      if (waiting.size <= skippedKeys) break;
      waiting.delete(oldest);
      dropped.push(oldest);
    }
    return generation;
  });
  return { taken, dropped, waiting, generation: next };
}

const usedBefore = (generation: number): CoppiceError =>
  new CoppiceError("ERR_MLS_REPLAY", "The key of this message was used or dropped", {
    requirement: "R-9.2-1",
    detail: { generation },
  });

const tooFarAhead = (generation: number, steps: number, forwardSteps: number): CoppiceError =>
  new CoppiceError("ERR_MLS_LIMIT", `The message is ${String(steps)} generations ahead`, {
    requirement: "R-15.3-3",
    detail: { generation, forwardSteps },
  });

/** All secrets of a tree, for erasing it. */
export function secretsOf(tree: SecretTree): Bytes[] {
  const collect = (node: SecretNode): Bytes[] => {
    if (node.kind === "secret") return [node.secret];
    if (node.kind === "expanded") return [...collect(node.left), ...collect(node.right)];
    if (node.kind === "absent") return [];
    return [node.handshake, node.application].flatMap(({ secret, skipped }) => [
      secret,
      ...[...skipped.values()].flatMap(({ key, nonce }) => [key, nonce]),
    ]);
  };
  return collect(tree.root);
}

/** Whether a leaf index lies in the tree: sender data of a hostile message may name any uint32. */
export const hasLeaf = (tree: SecretTree, leaf: number): leaf is LeafIndex => leaf < leavesBelow(root(tree.leafCount));
