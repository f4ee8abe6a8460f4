/** What a Commit costs in a large group (RFC 9420 §7.4-§7.9): its path, not the tree. */
import { beforeAll, describe, expect, test } from "vitest";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { adoptCommit, createCommit } from "../../src/commit/create.ts";
import { processMessage } from "../../src/group/receive.ts";
import type { Subtree } from "../../src/tree/subtree.ts";
import { isLeafSlot } from "../../src/tree/subtree.ts";
import { testRules } from "../support/group.ts";
import { populatedGroup } from "../support/populated.ts";

interface Work {
  /** Inputs of the hash function. */
  readonly hashes: number;
  readonly signatures: number;
  readonly verifications: number;
  readonly seals: number;
  readonly agreements: number;
  readonly keyPairs: number;
  /** Nodes of the new tree that the old one does not share. */
  readonly nodes: number;
}

/** A suite that counts what is asked of it. */
function counting(suite: CipherSuite): { readonly suite: CipherSuite; readonly work: Record<keyof Work, number> } {
  const work = { hashes: 0, signatures: 0, verifications: 0, seals: 0, agreements: 0, keyPairs: 0, nodes: 0 };
  const { hash, hpke, signature } = suite;
  const counted: CipherSuite = {
    ...suite,
    hash: {
      ...hash,
      Nh: hash.Nh,
      digest: (data) => {
        work.hashes++;
        return hash.digest(data);
      },
      digestMany: (messages) => {
        work.hashes += messages.length;
        return hash.digestMany(messages);
      },
      hmac: (...given) => hash.hmac(...given),
      extract: (...given) => hash.extract(...given),
      expand: (...given) => hash.expand(...given),
      expandWithLabel: (...given) => hash.expandWithLabel(...given),
      expandMany: (...given) => hash.expandMany(...given),
      ratchet: (run) => hash.ratchet(run),
    },
    hpke: {
      ...hpke,
      generateKeyPair: () => {
        work.keyPairs++;
        return hpke.generateKeyPair();
      },
      deriveKeyPair: (secret) => {
        work.keyPairs++;
        return hpke.deriveKeyPair(secret);
      },
      sealer: (info) => {
        const seal = hpke.sealer(info);
        return (...given) => {
          work.seals++;
          return seal(...given);
        };
      },
      open: (...given) => {
        work.agreements++;
        return hpke.open(...given);
      },
    },
    signature: {
      ...signature,
      verify: (...given) => {
        work.verifications++;
        return signature.verify(...given);
      },
    },
  };
  return { suite: counted, work };
}

function unshared(before: Subtree, after: Subtree): number {
  if (before === after) return 0;
  if (isLeafSlot(before) || isLeafSlot(after)) return 1;
  return 1 + unshared(before.left, after.left) + unshared(before.right, after.right);
}

const rules = testRules();

/** A Commit by the first member, processed by one on the other side of the root. */
async function workOfCommit(size: number): Promise<{ create: Work; process: Work }> {
  const suite = await getCipherSuite(1);
  const [committer, receiver] = await populatedGroup(suite, size, [0, size / 2]);
  if (committer === undefined || receiver === undefined) throw new RangeError("two members");
  const creating = counting(suite);
  let signatures = 0;
  const signer = {
    ...committer.signer,
    sign: (message: Parameters<typeof committer.signer.sign>[0]) => {
      signatures++;
      return committer.signer.sign(message);
    },
  };
  const made = await createCommit({ ...committer.state, suite: creating.suite }, { rules, signer, forcePath: true });
  creating.work.signatures = signatures;
  creating.work.nodes = unshared(
    committer.state.tree.root,
    adoptCommit(made.state, made.staged, rules).state.tree.root,
  );

  const processing = counting(suite);
  const received = await processMessage({ ...receiver.state, suite: processing.suite }, made.staged.commit, { rules });
  processing.work.nodes = unshared(receiver.state.tree.root, received.state.tree.root);
  return { create: creating.work, process: processing.work };
}

describe("a Commit in a group of 16 and of 256, all of whom have committed", () => {
  let [small, large]: Awaited<ReturnType<typeof workOfCommit>>[] = [];
  beforeAll(async () => {
    [small, large] = [await workOfCommit(16), await workOfCommit(256)];
  });

  test("seals once for each level, signs twice, and copies one path", () => {
    for (const [levels, work] of [
      [4, small?.create],
      [8, large?.create],
    ] as const) {
      expect(work).toMatchObject({ seals: levels, signatures: 2, keyPairs: levels + 1, nodes: levels + 1 });
    }
  });

  test("is processed with two verifications, one key agreement, and one derived key pair at the root", () => {
    for (const [levels, work] of [
      [4, small?.process],
      [8, large?.process],
    ] as const) {
      expect(work).toMatchObject({ verifications: 2, agreements: 1, keyPairs: 1, seals: 0, nodes: levels + 1 });
    }
  });

  test("hashes as many nodes more as there are levels more", () => {
    // Tree hash and parent hash of each node of the path.
    expect((large?.create.hashes ?? 0) - (small?.create.hashes ?? 0)).toBe(2 * 4);
    expect((large?.process.hashes ?? 0) - (small?.process.hashes ?? 0)).toBe(2 * 4);
  });
});
