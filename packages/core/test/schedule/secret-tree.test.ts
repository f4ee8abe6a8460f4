/** The secret tree (RFC 9420 §9): what is derived, what is kept and what is consumed. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { toHex } from "../../src/codec/bytes.ts";

import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { succeeded } from "../../src/result.ts";
import type { MessageKey, Ratchet, RatchetType, SecretNode, SecretTree } from "../../src/schedule/secret-tree.ts";
import { createSecretTree, hasLeaf, secretsOf, takeKeys } from "../../src/schedule/secret-tree.ts";
import type { LeafIndex } from "../../src/tree/tree-math.ts";
import { takeKey, takeNextKey } from "../support/take-key.ts";

const suite = await getCipherSuite(1);
const { Nh } = suite.hash;
const encryptionSecret = suite.hash.digest(new Uint8Array(1));
const fresh = (leafCount = 4): SecretTree => createSecretTree(encryptionSecret.slice(), leafCount);
const leaf = (index: number): LeafIndex => index as LeafIndex;

function take(tree: SecretTree, generation: number, limits = DEFAULT_LIMITS, type: RatchetType = "application") {
  return takeKey(suite, tree, { leaf: leaf(0), type, generation, limits });
}

/** Derived as §9 says, without the tree. */
function expected(path: ("left" | "right")[], type: RatchetType, generation: number): { key: string; nonce: string } {
  const expand = (secret: Bytes, label: string, context: Bytes, length: number): Bytes =>
    suite.hash.expandWithLabel(secret, label, context, length);
  let secret: Bytes = encryptionSecret;
  for (const side of path) secret = expand(secret, "tree", new TextEncoder().encode(side), Nh);
  secret = expand(secret, type, new Uint8Array(0), Nh);
  const context = (at: number): Bytes => Uint8Array.of(0, 0, at >> 8, at & 0xff);
  for (let at = 0; at < generation; at++) secret = expand(secret, "secret", context(at), Nh);
  return {
    key: toHex(expand(secret, "key", context(generation), suite.aead.Nk)),
    nonce: toHex(expand(secret, "nonce", context(generation), suite.aead.Nn)),
  };
}

const shown = ({ key, nonce }: MessageKey): { key: string; nonce: string } => ({
  key: toHex(key),
  nonce: toHex(nonce),
});

test("keys follow from the encryption secret by side, type and generation (R-9-1, R-9-2, R-9.1-1, R-9.1-2, R-9.1-4)", () => {
  for (const [index, path] of [
    [0, ["left", "left"]],
    [2, ["right", "left"]],
    [3, ["right", "right"]],
  ] as const) {
    for (const type of ["handshake", "application"] as const) {
      for (const generation of [0, 1, 5]) {
        const taken = takeKey(suite, fresh(), { leaf: leaf(index), type, generation, limits: DEFAULT_LIMITS });
        expect(shown(taken)).toEqual(expected([...path], type, generation));
      }
      expect(shown(takeNextKey(suite, fresh(), leaf(index), type).taken)).toEqual(expected([...path], type, 0));
    }
  }
  expect(shown(takeNextKey(suite, fresh(1), leaf(0), "application").taken)).toEqual(expected([], "application", 0));
});

/** Where leaf D of a tree of four is, if the way there is expanded. */
function descend(tree: SecretTree, ...sides: ("left" | "right")[]): SecretNode {
  return sides.reduce<SecretNode>((node, side) => {
    if (node.kind !== "expanded") throw new TypeError(`${node.kind} instead of an expanded node`);
    return node[side];
  }, tree.root);
}

test("the example: generation 1 arrives first, and K0, N0, AR2, HR0, E and C are kept, nothing else (R-9.2-1, R-9.2-2, R-9.2-4)", () => {
  // Leaves A to D; F over A and B, here the left side; G the root. D receives its message number 1.
  const before = fresh();
  const root = before.root;
  const { next, consumed } = takeKey(suite, before, {
    leaf: leaf(3),
    type: "application",
    generation: 1,
    limits: DEFAULT_LIMITS,
  });
  expect(descend(next, "left").kind).toBe("secret");
  expect(descend(next, "right", "left").kind).toBe("secret");
  const d = descend(next, "right", "right");
  if (d.kind !== "leaf") throw new TypeError("D is in use");
  expect([...d.application.skipped.keys()]).toEqual([0]);
  expect(d.application.generation).toBe(2);
  expect(d.handshake.generation).toBe(0);
  expect(secretsOf(next)).toHaveLength(2 + 1 + 1 + 2);

  // Consumed: G, F's sibling, D, and the application ratchet's first secret; its second is overwritten already.
  expect(root.kind === "secret" && consumed.includes(root.secret)).toBe(true);
  expect(consumed).toHaveLength(4);
  const kept = new Set(secretsOf(next).map(toHex));
  expect(consumed.some((secret) => kept.has(toHex(secret)))).toBe(false);
  for (const secret of kept) expect(secret).not.toBe("00".repeat(Nh));
});

test("an attempt changes nothing in the tree that it starts from (R-9.2-5, T-26)", () => {
  const tree = take(fresh(), 3).next;
  const secrets = (): string => secretsOf(tree).map(toHex).join();
  const before = secrets();
  take(tree, 9);
  take(tree, 1);
  takeNextKey(suite, tree, leaf(0), "application");
  expect(secrets()).toBe(before);
  expect(shown(take(tree, 1))).toEqual(expected(["left", "left"], "application", 1));
});

describe("a generation", () => {
  test("is taken once, in any order (R-9.1-3, R-9.2-1, R-15.3-1)", () => {
    let tree = fresh();
    for (const generation of [5, 0, 3, 4, 1, 2, 6]) {
      const taken = take(tree, generation);
      expect(shown(taken)).toEqual(expected(["left", "left"], "application", generation));
      tree = taken.next;
      expect(() => take(tree, generation)).toThrow(
        expect.objectContaining({ code: "ERR_MLS_REPLAY", requirement: "R-9.2-1" }),
      );
    }
  });

  test.each([1026, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])(
    "%i is too far ahead: refused without a step (R-15.3-3, R-9.1-5, adversarial 5)",
    (generation) => {
      const tree = takeNextKey(suite, fresh(), leaf(0), "application").next;
      const hash = { ...suite.hash, ratchet: () => expect.unreachable("a step") };
      expect(() =>
        takeKey({ ...suite, hash }, tree, {
          leaf: leaf(0),
          type: "application",
          generation,
          limits: DEFAULT_LIMITS,
        }),
      ).toThrow(expect.objectContaining({ code: "ERR_MLS_LIMIT", requirement: "R-15.3-3" }));
    },
  );

  test("as far ahead as the limit is fine, one more is not (R-15.3-3)", () => {
    const limits = { ...DEFAULT_LIMITS, forwardSteps: 8 };
    expect(take(fresh(), 8, limits).generation).toBe(8);
    expect(() => take(fresh(), 9, limits)).toThrow(expect.objectContaining({ code: "ERR_MLS_LIMIT" }));
  });

  test("that was passed over is kept within bounds: the oldest go first (R-9.2-3, R-15.3-2, adversarial 5)", () => {
    const limits = { ...DEFAULT_LIMITS, skippedKeys: 3 };
    const { next, consumed } = take(fresh(), 5, limits);
    for (const gone of [0, 1]) {
      expect(() => take(next, gone, limits)).toThrow(expect.objectContaining({ code: "ERR_MLS_REPLAY" }));
    }
    for (const kept of [2, 3, 4]) expect(take(next, kept, limits).generation).toBe(kept);
    // Two nodes above, the leaf's secret, the ratchet's, and key and nonce of the two that were dropped.
    expect(consumed).toHaveLength(3 + 1 + 4);
    const none = take(fresh(), 5, { ...DEFAULT_LIMITS, skippedKeys: 0 }).next;
    expect(() => take(none, 4)).toThrow(expect.objectContaining({ code: "ERR_MLS_REPLAY" }));
  });

  test("has a last number: sending beyond it is refused (R-9.1-5)", () => {
    const last: Ratchet = { generation: 2 ** 32 - 1, secret: new Uint8Array(Nh).fill(1), skipped: new Map() };
    const empty: Ratchet = { ...last, generation: 0 };
    const tree: SecretTree = { leafCount: 1, root: { kind: "leaf", application: last, handshake: empty } };
    const { taken, next } = takeNextKey(suite, tree, leaf(0), "application");
    expect(taken.generation).toBe(0xffff_ffff);
    expect(() => takeNextKey(suite, next, leaf(0), "application")).toThrow(
      expect.objectContaining({ code: "ERR_MLS_LIMIT", requirement: "R-9.1-5" }),
    );
    expect(secretsOf(next).map(({ length }) => length)).toEqual([Nh, 0]);
    expect(() => take(next, 0xffff_ffff)).toThrow(expect.objectContaining({ code: "ERR_MLS_REPLAY" }));
  });
});

test("keys taken together are those taken one after the other, refusals included (R-9.2-1, R-15.3-2, R-15.3-3)", () => {
  const limits = { ...DEFAULT_LIMITS, forwardSteps: 6, skippedKeys: 3 };
  const type = "application";
  const wanted = [1, 0, 1, 9, 4, 4, 12, 5, 3, 2, 6, 7].flatMap((generation, i) => [
    { leafIndex: leaf(i % 3), generation },
    { leafIndex: leaf(2), generation: i },
  ]);
  let tree = take(fresh(), 2).next;
  const together = takeKeys(suite, tree, { type, messages: wanted, limits });
  const alone = wanted.map(({ leafIndex, generation }) => {
    try {
      const taken = takeKey(suite, tree, { leaf: leafIndex, type, generation, limits });
      tree = taken.next;
      return shown(taken);
    } catch (error) {
      return error;
    }
  });
  expect(together.taken.map((key) => (succeeded(key) ? shown(key) : key))).toEqual(alone);
  expect(together.next).toEqual(tree);
  expect(together.taken.filter(succeeded).length).toBeGreaterThan(10);
  expect(together.taken.filter((key) => !succeeded(key)).length).toBeGreaterThan(3);
});

test("ratchets of different leaves and types do not meet (R-9.1-4)", () => {
  const keys = new Set<string>();
  let tree = fresh(8);
  for (let index = 0; index < 8; index++) {
    for (const type of ["handshake", "application"] as const) {
      for (let i = 0; i < 3; i++) {
        const { taken, next } = takeNextKey(suite, tree, leaf(index), type);
        expect(taken.generation).toBe(i);
        keys.add(toHex(taken.key));
        tree = next;
      }
    }
  }
  expect(keys.size).toBe(8 * 2 * 3);
});

test("which leaves there are (adversarial 3)", () => {
  const tree = fresh(4);
  expect([0, 3].every((index) => hasLeaf(tree, index))).toBe(true);
  expect([4, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff].some((index) => hasLeaf(tree, index))).toBe(false);
});
