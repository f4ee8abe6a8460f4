/** A group in which every member has committed once, so that no node of its tree is blank, without playing it through. */
import { randomBytes } from "@coppice/kit";
import { basicCredential } from "../../src/identity/credential.ts";
import type { HpkeKeyPair } from "../../src/crypto/hpke.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import { createGroup } from "../../src/group/create.ts";
import { createSecretTree } from "../../src/schedule/secret-tree.ts";
import { defaultCapabilities } from "../../src/extensions/capabilities.ts";
import { signLeafNode } from "../../src/tree/leaf-node.ts";
import { hashPath } from "../../src/tree/parent-hash.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import type { LeafIndex, NodeIndex } from "../../src/tree/tree-math.ts";
import { leafToNode } from "../../src/tree/tree-math.ts";
import { LIFETIME, testRules } from "./group.ts";

interface PopulatedMember {
  readonly state: GroupState;
  readonly signer: Signer;
}

/** The members at `seats` of a populated group of `size`, in one epoch. */
export async function populatedGroup(
  suite: CipherSuite,
  size: number,
  seats: readonly number[],
): Promise<PopulatedMember[]> {
  const capabilities = defaultCapabilities([suite.id]);
  const groupId = randomBytes(16);
  const signers: Signer[] = [];
  const keys = new Map<NodeIndex, HpkeKeyPair>();
  const newKey = async (node: NodeIndex): Promise<HpkeKeyPair["publicKey"]> => {
    const pair = await suite.hpke.generateKeyPair();
    keys.set(node, pair);
    return pair.publicKey;
  };
  const unsigned = async (seat: number) => {
    const signer =
      signers[seat] ?? (await suite.signature.importSigner((await suite.signature.generateKeyPair()).privateKey));
    signers[seat] = signer;
    const credential = basicCredential(`member ${String(seat)}`);
    const encryptionKey = await newKey(leafToNode(seat as LeafIndex));
    return {
      signer,
      leaf: { encryptionKey, signatureKey: signer.publicKey, credential, capabilities, extensions: [] },
    };
  };

  const newcomers = [];
  for (let seat = 0; seat < size; seat++) {
    const { signer, leaf } = await unsigned(seat);
    const source = { leafNodeSource: "key_package", lifetime: LIFETIME } as const;
    newcomers.push({ leafNode: await signLeafNode({ ...leaf, source }, signer) });
  }
  const [first, ...others] = newcomers;
  if (first === undefined) throw new RangeError("a group has members");
  let { tree } = RatchetTree.of(first.leafNode).addLeaves(others);
  for (let seat = 0; seat < size; seat++) {
    const index = seat as LeafIndex;
    const path = [];
    for (const { node } of tree.filteredDirectPath(index)) path.push(await newKey(node));
    const { parents, leafParentHash: parentHash } = hashPath(suite.hash, tree, index, path);
    const { signer, leaf } = await unsigned(seat);
    const source = { leafNodeSource: "commit", parentHash } as const;
    const leafNode = await signLeafNode({ ...leaf, source }, signer, { groupId, leafIndex: index });
    tree = tree.replacePath(index, leafNode, (_, node) => parents.get(node));
  }

  const members = [];
  for (const seat of seats) {
    const signer = signers[seat];
    if (signer === undefined) throw new RangeError(`there is no seat ${String(seat)}`);
    const credential = basicCredential(`member ${String(seat)}`);
    const founded = await createGroup({
      suite,
      rules: testRules(),
      credential,
      signer,
      capabilities,
      lifetime: LIFETIME,
      groupId,
    });
    members.push({ signer, state: founded });
  }
  const [{ state: common }] = members as [PopulatedMember];
  const encryptionSecret = randomBytes(suite.hash.Nh);
  return members.map(({ signer }, i) => {
    const leafIndex = seats[i] as LeafIndex;
    const own = [leafToNode(leafIndex), ...tree.filteredDirectPath(leafIndex).map(({ node }) => node)];
    const secrets = Object.fromEntries(Object.entries(common.secrets).map(([name, secret]) => [name, secret.slice()]));
    const state: GroupState = {
      ...common,
      secrets: secrets as unknown as GroupState["secrets"],
      context: { ...common.context, epoch: 1n, treeHash: tree.treeHash(suite.hash) },
      tree,
      leafIndex,
      privateKeys: new Map(own.flatMap((node) => (keys.has(node) ? [[node, keys.get(node) as HpkeKeyPair]] : []))),
      secretTree: createSecretTree(encryptionSecret.slice(), tree.leafCount),
    };
    return { signer, state };
  });
}
