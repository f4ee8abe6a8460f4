import { senderDataKey } from "../../src/crypto/message-protection.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import type { RatchetType } from "../../src/schedule/secret-tree.ts";
import { succeeded } from "../../src/result.ts";
import { createSecretTree, takeKeys } from "../../src/schedule/secret-tree.ts";
import { toLeafIndex } from "../../src/tree/tree-math.ts";
import type { Format } from "../case.ts";
import { Case, expectBytes } from "../case.ts";

const RATCHETS: readonly RatchetType[] = ["handshake", "application"];

export const secretTree: Format = {
  name: "secret-tree",
  fields: ["sender_data", "encryption_secret", "leaves"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const senderData = vector.object("sender_data");
    const outer = senderDataKey(suite, senderData.hex("sender_data_secret"), senderData.hex("ciphertext"));
    expectBytes("sender data key", outer.key, senderData.hex("key"));
    expectBytes("sender data nonce", outer.nonce, senderData.hex("nonce"));

    const leaves = vector.array("leaves");
    let tree = createSecretTree(vector.hex("encryption_secret"), leaves.length);
    for (const [i, generations] of leaves.entries()) {
      if (!Array.isArray(generations)) throw new TypeError("a leaf is an array of generations");
      const leaf = toLeafIndex(i, leaves.length);
      for (const entry of generations.map((value) => new Case(value))) {
        for (const type of RATCHETS) {
          const generation = entry.number("generation");
          const messages = [{ leafIndex: leaf, generation }];
          const { taken, next } = takeKeys(suite, tree, { type, messages, limits: DEFAULT_LIMITS });
          const [key] = taken;
          if (key === undefined || !succeeded(key)) throw key ?? new RangeError("no key");
          expectBytes(`${type} key`, key.key, entry.hex(`${type}_key`));
          expectBytes(`${type} nonce`, key.nonce, entry.hex(`${type}_nonce`));
          tree = next;
        }
      }
    }
  },
};
