/** The key of one message out of a secret tree: `takeKeys` for a single one. */
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { Limits } from "../../src/limits.ts";
import { succeeded } from "../../src/result.ts";
import type { RatchetType, Remaining, SecretTree, TakenKey } from "../../src/secret-tree.ts";
import { takeKeys } from "../../src/secret-tree.ts";
import type { LeafIndex } from "../../src/tree/tree-math.ts";

/** Throws what the message is refused with. */
export function takeKey(
  suite: CipherSuite,
  tree: SecretTree,
  { leaf, type, generation, limits }: { leaf: LeafIndex; type: RatchetType; generation: number; limits: Limits },
): TakenKey & Remaining {
  const { taken, ...remaining } = takeKeys(suite, tree, {
    type,
    messages: [{ leafIndex: leaf, generation }],
    limits,
  });
  const [key] = taken;
  if (key === undefined || !succeeded(key)) throw key ?? new RangeError("no key");
  return { ...key, ...remaining };
}
