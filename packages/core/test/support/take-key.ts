/** The key of one message out of a secret tree, to open it or to seal it. */
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { Limits } from "../../src/limits.ts";
import { succeeded } from "../../src/result.ts";
import type { RatchetType, Remaining, SecretTree, TakenKey } from "../../src/schedule/secret-tree.ts";
import { takeKeys, useNextSecret } from "../../src/schedule/secret-tree.ts";
import type { LeafIndex } from "../../src/tree/tree-math.ts";

/** `takeKeys` for a single message. Throws what it is refused with. */
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

/** The key that the next message of a leaf is sealed with. */
export function takeNextKey(
  suite: CipherSuite,
  tree: SecretTree,
  leaf: LeafIndex,
  type: RatchetType,
): Remaining & { readonly taken: TakenKey } {
  const { taken, ...remaining } = useNextSecret(suite, tree, {
    leaf,
    type,
    use: (step) => {
      const { keys, secret } = suite.hash.ratchet({ ...step, count: 1, Nk: suite.aead.Nk, Nn: suite.aead.Nn });
      const [key] = keys;
      if (key === undefined) throw new RangeError("no key");
      return { ...key, secret };
    },
  });
  const { key, nonce, generation } = taken;
  return { taken: { key, nonce, generation }, ...remaining };
}
