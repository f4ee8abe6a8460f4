/** How a group must relate to the one it succeeds (RFC 9420 §11.2, §11.3): members of large groups. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { utf8 } from "../../src/codec/bytes.ts";
import type { BasicCredential } from "../../src/identity/credential.ts";
import type { SuccessionPskId } from "../../src/group/succession.ts";
import { checkSuccession } from "../../src/group/succession.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import { forgeUpdateLeaf } from "../support/forge-join.ts";
import { at, Group, testRules } from "../support/group.ts";

const SIZE = 256;
const group = await Group.of(["alice"]);
const alice = group.member("alice");
const leaf = await forgeUpdateLeaf(alice);
const key = (i: number): Bytes => new Uint8Array(32).fill(i & 0xff).fill(i >>> 8, 16);

let reads = 0;
class Counted implements BasicCredential {
  readonly credentialType = 1;
  readonly #identity: Bytes;
  constructor(name: string) {
    this.#identity = utf8(name);
  }
  get identity(): Bytes {
    reads++;
    return this.#identity;
  }
}

/** Members of these names, in this order. */
function treeOf(names: readonly number[]): RatchetTree {
  const newcomers = names.map((name) => ({
    leafNode: { ...leaf, credential: new Counted(String(name)), encryptionKey: key(name), signatureKey: key(name) },
  }));
  return RatchetTree.of(at(newcomers, 0).leafNode).addLeaves(newcomers.slice(1)).tree;
}

const names = Array.from({ length: SIZE }, (_, i) => i);
const { groupId } = alice.state.context;
const context = { ...alice.state.context, epoch: 1n };
const branch = { pskType: "resumption", usage: "branch", pskGroupId: groupId, pskEpoch: 7n, pskNonce: key(1) } as const;
const reinit: SuccessionPskId = { ...branch, usage: "reinit" };
const old = {
  ...alice.state,
  tree: treeOf(names),
  context: { ...alice.state.context, epoch: 7n },
  reinit: { proposalType: 5, groupId, version: 1, cipherSuite: 1, extensions: [] },
} as const;
const rules = testRules();

describe("a group whose members all stand elsewhere (R-11.3-3, R-12.4.3.1-18, adversarial 8)", () => {
  test.each<[string, SuccessionPskId]>([
    ["branched", branch],
    ["reinitialised", reinit],
  ])("when it is %s: no credential is compared with all others", (_, id) => {
    const tree = treeOf([...names].reverse());
    reads = 0;
    checkSuccession(old, id, { context, tree, rules });
    expect(reads).toBeLessThanOrEqual(8 * SIZE);
  });

  test.each<[string, SuccessionPskId, string]>([
    ["branched", branch, "R-11.3-3"],
    ["reinitialised", reinit, "R-12.4.3.1-18"],
  ])("when it is %s: one who was not there is found", (_, id, requirement) => {
    const tree = treeOf([...names.slice(1), SIZE + 1]);
    expect(() => {
      checkSuccession(old, id, { context, tree, rules });
    }).toThrow(expect.objectContaining({ code: "ERR_MLS_WELCOME", requirement }));
  });

  test("the application's comparison is asked where there is one", () => {
    const tree = treeOf([...names.slice(1), SIZE + 1]);
    const authentication = { ...rules.authentication, sameIdentity: () => true };
    checkSuccession(old, branch, { context, tree, rules: { ...rules, authentication } });
  });
});
