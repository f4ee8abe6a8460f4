import type { Bytes } from "../../src/codec/bytes.ts";
import { fromHex } from "../../src/codec/bytes.ts";
import { decode, encode } from "../../src/codec/codec.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { deriveSecret } from "../../src/crypto/labels.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import type { GroupContext } from "../../src/schedule/group-context.ts";
import { groupContext } from "../../src/schedule/group-context.ts";
import { MLS10 } from "../../src/extensions/capabilities.ts";
import type { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import type { LeafIndex, NodeIndex } from "../../src/tree/tree-math.ts";
import { leafToNode, toLeafIndex, toNodeIndex } from "../../src/tree/tree-math.ts";
import type { PathSecrets, PrivateKeys } from "../../src/tree/treekem.ts";
import { applyUpdatePath, decryptPath, encryptPath, generatePath } from "../../src/tree/treekem.ts";
import type { UpdatePath } from "../../src/tree/update-path.ts";
import { updatePath } from "../../src/tree/update-path.ts";
import type { Case, Format } from "../case.ts";
import { expectBytes, expectKeyPair } from "../case.ts";
import { readTree } from "./tree-operations.ts";

interface Member {
  readonly leaf: LeafIndex;
  readonly keys: PrivateKeys;
  readonly signer: Signer;
}

async function readMember(suite: CipherSuite, tree: RatchetTree, entry: Case): Promise<Member> {
  const leaf = toLeafIndex(entry.number("index"), tree.leafCount);
  const signer = await suite.signature.importSigner(
    entry.privateKey("signature_priv", suite.signature.privateKeyLength),
  );
  const publicKeyOf = (node: NodeIndex): Bytes => {
    const key = tree.encryptionKey(node);
    if (key === undefined) throw new Error(`node ${String(node)} is blank`);
    return key;
  };
  const leafNode = leafToNode(leaf);
  const own = { publicKey: publicKeyOf(leafNode), privateKey: entry.privateKey("encryption_priv", suite.hpke.Nsk) };
  await expectKeyPair(suite, own);
  const keys = new Map([[leafNode, own]]);
  for (const secret of entry.objects("path_secrets")) {
    const node = toNodeIndex(secret.number("node"), tree.leafCount);
    const pair = await suite.hpke.deriveKeyPair(deriveSecret(suite, secret.hex("path_secret"), "node"));
    expectBytes(`public key of node ${String(node)}`, pair.publicKey, publicKeyOf(node));
    keys.set(node, pair);
  }
  return { leaf, keys, signer };
}

export const treekem: Format = {
  name: "treekem",
  fields: ["leaves_private", "update_paths"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const tree = readTree(vector.hex("ratchet_tree"));
    const groupId = vector.hex("group_id");
    const members = await Promise.all(vector.objects("leaves_private").map((entry) => readMember(suite, tree, entry)));
    const contextFor = (after: RatchetTree): Bytes => {
      const context: GroupContext = {
        version: MLS10,
        cipherSuite: suite.id,
        groupId,
        epoch: vector.uint64("epoch"),
        treeHash: after.treeHash(suite.hash),
        confirmedTranscriptHash: vector.hex("confirmed_transcript_hash"),
        extensions: [],
      };
      return encode(groupContext, context);
    };
    const newLeaves = new Set<LeafIndex>();
    const receive = async (
      sender: LeafIndex,
      path: UpdatePath,
      check: (leaf: LeafIndex, derived: PathSecrets) => void,
    ): Promise<RatchetTree> => {
      const after = applyUpdatePath(suite, tree, { sender, path, newLeaves });
      await Promise.all(
        members
          .filter(({ leaf }) => leaf !== sender)
          .map(async ({ leaf, keys: privateKeys }) => {
            const context = contextFor(after);
            check(
              leaf,
              await decryptPath(suite, tree, { sender, path, newLeaves, privateKeys, receiver: leaf, context }),
            );
          }),
      );
      return after;
    };

    for (const entry of vector.objects("update_paths")) {
      const sender = toLeafIndex(entry.number("sender"), tree.leafCount);
      const expected = entry.array("path_secrets");
      const commitSecret = entry.hex("commit_secret");
      const after = await receive(sender, decode(updatePath, entry.hex("update_path")), (leaf, derived) => {
        expectBytes(
          `path secret of ${String(leaf)}`,
          derived.secrets[0]?.pathSecret ?? fromHex(""),
          fromHex(String(expected[leaf])),
        );
        expectBytes("commit_secret", derived.commitSecret, commitSecret);
      });
      expectBytes("tree_hash_after", after.treeHash(suite.hash), entry.hex("tree_hash_after"));

      const author = members.find(({ leaf }) => leaf === sender);
      const leafNode = tree.leaf(sender);
      if (author === undefined || leafNode === undefined) throw new Error(`sender ${String(sender)} is not a member`);
      const { signer } = author;
      const generated = await generatePath(suite, tree, { leaf: sender, content: leafNode, groupId, signer });
      const own = await encryptPath(suite, tree, {
        leaf: sender,
        generated,
        newLeaves,
        context: contextFor(generated.tree),
      });
      const merged = await receive(sender, own, (_, derived) => {
        expectBytes("own commit secret", derived.commitSecret, generated.path.commitSecret);
      });
      expectBytes("own tree", merged.treeHash(suite.hash), generated.tree.treeHash(suite.hash));
    }
  },
};
