/** The vectors of Partial MLS. What they leave open, and how it is read here, is in `docs/drafts/partial.md`. */
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, fromHex } from "../../src/codec/bytes.ts";
import type { Codec } from "../../src/codec/codec.ts";
import { decode, encode } from "../../src/codec/codec.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { TreeSlice } from "../../src/drafts/partial/membership-proof.ts";
import {
  checkSameSize,
  checkShape,
  copathHash,
  membershipProof,
  proveSlice,
} from "../../src/drafts/partial/membership-proof.ts";
import { joinPartially } from "../../src/drafts/partial/join.ts";
import type { PartialGroupState } from "../../src/drafts/partial/partial-state.ts";
import { ProvenLeaves } from "../../src/drafts/partial/partial-state.ts";
import { decryptPath, processAnnotatedCommit } from "../../src/drafts/partial/process-commit.ts";
import {
  annotatedCommit,
  annotatedWelcome,
  senderAuthenticated,
  senderAuthenticatedMessage,
} from "../../src/drafts/partial/wire-types.ts";
import { registerPqCipherSuites } from "../../src/drafts/pq.ts";
import { MLS10 } from "../../src/extensions/capabilities.ts";
import { groupInfo } from "../../src/framing/group-info.ts";
import { welcome } from "../../src/framing/welcome.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { makeRules } from "../../src/rules.ts";
import { createSecretTree } from "../../src/schedule/secret-tree.ts";
import { verifyLeafNodeSignature } from "../../src/tree/leaf-node.ts";
import type { NodeIndex } from "../../src/tree/tree-math.ts";
import { isBelow, leafToNode, toLeafIndex, toNodeIndex } from "../../src/tree/tree-math.ts";
import { derivePath } from "../../src/tree/treekem.ts";
import { updatePath } from "../../src/tree/update-path.ts";
import type { Case, Format } from "../case.ts";
import { expectBytes, expectEqual } from "../case.ts";
import { readKeyPackage, rulesFor } from "./passive-client.ts";

// The numbers that these files have for post-quantum suites, to which none is assigned.
registerPqCipherSuites({
  MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519: 8,
  MLS_128_MLKEM768P256_AES256GCM_SHA384_P256: 9,
  MLS_192_MLKEM1024P384_AES256GCM_SHA384_P384: 10,
});

/** The decoded value, which is written back to the same bytes. */
function reading<T>(name: string, codec: Codec<T>, bytes: Bytes): T {
  const value = decode(codec, bytes);
  expectBytes(name, encode(codec, value), bytes);
  return value;
}

/** The slice of an encoded proof, which is valid relative to `treeHash`. */
function sliceOf(suite: CipherSuite, proof: Bytes, treeHash: Bytes): TreeSlice {
  const shaped = checkShape(suite, reading("membership proof", membershipProof, proof), DEFAULT_LIMITS);
  return proveSlice(suite, shaped, { treeHash, requirement: "P-6-7" });
}

const syntax: Format = {
  name: "partial-message-syntax",
  fields: ["copath_hash", "annotated_welcome"],
  verify: (vector) => {
    const read = <T>(name: string, codec: Codec<T>): unknown => reading(name, codec, vector.hex(name));
    read("copath_hash", copathHash);
    read("membership_proof", membershipProof);
    read("sender_authenticated_welcome", senderAuthenticated(welcome));
    read("sender_authenticated_group_info", senderAuthenticated(groupInfo));
    read("sender_authenticated_public_message", senderAuthenticatedMessage("mls_public_message"));
    read("sender_authenticated_private_message", senderAuthenticatedMessage("mls_private_message"));
    read("annotated_welcome", annotatedWelcome);
    read("annotated_commit", annotatedCommit);
    return Promise.resolve();
  },
};

const proofs: Format = {
  name: "partial-membership-proofs",
  fields: ["proofs", "tree_hash"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const treeHash = vector.hex("tree_hash");
    const all = vector.array("proofs").map((proof) => decode(membershipProof, fromHex(String(proof))));
    const shaped = all.map((proof) => checkShape(suite, proof, DEFAULT_LIMITS));
    for (const [i, proof] of shaped.entries()) {
      checkSameSize(shaped[i - 1] ?? proof, proof);
      proveSlice(suite, proof, { treeHash, requirement: "P-6-7" });
    }
    for (const [i, proof] of all.entries()) {
      expectBytes(`proof ${String(i)}`, encode(membershipProof, proof), fromHex(String(vector.array("proofs")[i])));
    }
  },
};

/** The group's context and keys are not in the file: what the proof says is compared with what the message does. */
const senderAuthenticatedMessages: Format = {
  name: "partial-sender-authenticated-messages",
  fields: ["message_type", "sender_authenticated_message"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const codec = senderAuthenticatedMessage("mls_public_message");
    const decoded = reading("message", codec, vector.hex("sender_authenticated_message"));
    if (decoded.message.wireFormat !== "mls_public_message") throw new Error("the message is not public");
    const { content } = decoded.message.publicMessage;
    const type = content.content.contentType === "commit" ? "PublicMessageCommit" : "PublicMessageProposal";
    expectEqual("message_type", type, vector.text("message_type"));
    const { leafIndex, leaf } = checkShape(suite, decoded.senderMembershipProof, DEFAULT_LIMITS);
    expectEqual("sender", content.sender.senderType === "member" && content.sender.leafIndex, leafIndex);
    const { groupId } = content;
    await verifyLeafNodeSignature(suite, leaf, { groupId, leafIndex });
    if (content.content.contentType !== "commit") return;
    const path = content.content.commit.path?.leafNode;
    if (path !== undefined) await verifyLeafNodeSignature(suite, path, { groupId, leafIndex });
  },
};

/** Path secrets are sealed to the tree hash alone in this file, not to a group context. */
const treeOperations: Format = {
  name: "partial-tree-operations",
  fields: ["receiver_path_state", "update_path"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const treeHash = vector.hex("tree_hash_after");
    const senderAfter = sliceOf(suite, vector.hex("sender_membership_proof_after"), treeHash);
    const receiverAfter = sliceOf(suite, vector.hex("receiver_membership_proof_after"), treeHash);
    const privateKeys = new Map<NodeIndex, { publicKey: Bytes; privateKey: Bytes }>();
    for (const entry of vector.objects("receiver_path_state")) {
      const node = toNodeIndex(entry.number("node"), receiverAfter.leafCount);
      const privateKey = entry.privateKey("encryption_priv", suite.hpke.Nsk);
      privateKeys.set(node, { publicKey: receiverAfter.encryptionKey(node) ?? EMPTY, privateKey });
    }
    const path = reading("update_path", updatePath, vector.hex("update_path"));
    const resolutionIndex = vector.number("resolution_index");
    const derived = await decryptPath(suite, path, {
      ...{ senderAfter, receiverAfter, privateKeys, resolutionIndex },
      context: treeHash,
    });
    expectBytes("commit_secret", derived.commitSecret, vector.hex("commit_secret"));
  },
};

const welcomes: Format = {
  name: "partial-annotated-welcome",
  fields: ["annotated_welcome", "joiner_leaf_index"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const keyPackage = await readKeyPackage(suite, vector);
    const { state } = await joinPartially(vector.hex("annotated_welcome"), {
      suite,
      rules: rulesFor(vector),
      keyPackage,
    });
    expectEqual("joiner_leaf_index", state.leafIndex, vector.number("joiner_leaf_index"));
    expectBytes("epoch_authenticator", state.secrets.epochAuthenticator, vector.hex("epoch_authenticator"));
  },
};

/**
 * The private key of the receiver's leaf is not in the file. So the one decryption is answered with the path secret that the state after
 * the Commit has; all else is done with it.
 */
const commits: Format = {
  name: "partial-annotated-commit",
  fields: ["state_before", "annotated_commit"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const after = vector.object("state_after");
    const [secret] = after.objects("direct_path_secrets");
    const opening: CipherSuite = {
      ...suite,
      hpke: {
        ...suite.hpke,
        open: () =>
          secret === undefined
            ? Promise.reject(new Error("no path secret"))
            : Promise.resolve(secret.hex("path_secret")),
      },
    };
    const annotated = reading("annotated_commit", annotatedCommit, vector.hex("annotated_commit"));
    const receiver = checkShape(suite, annotated.receiverMembershipProofAfter, DEFAULT_LIMITS);
    const before = readState(opening, vector.object("state_before"), receiver);
    const rules = makeRules({
      authentication: { validate: () => Promise.resolve() },
      now: () => 0n,
      lifetime: { maxSeconds: 2n ** 64n, checkOnReceive: false },
    });
    const { state } = await processAnnotatedCommit(before, annotated, { rules });

    const { context, secrets } = state;
    expectBytes("tree_hash_after", context.treeHash, vector.hex("tree_hash_after"));
    expectBytes("epoch_authenticator_after", secrets.epochAuthenticator, vector.hex("epoch_authenticator_after"));
    if (secret !== undefined) {
      const meeting = toNodeIndex(secret.number("node"), receiver.leafCount);
      const nodes = receiver.parents.map(({ index }) => index).filter((index) => isBelow(meeting, index));
      const { commitSecret } = await derivePath(suite, secret.hex("path_secret"), nodes);
      expectBytes("commit_secret", commitSecret, vector.hex("commit_secret"));
    }
    expectState(state, after);
  },
};

/** A state of a vector, with leaf keys that open nothing. */
function readState(
  suite: CipherSuite,
  vector: Case,
  { leaf, leafCount, proof }: ReturnType<typeof checkShape>,
): PartialGroupState {
  const leafIndex = toLeafIndex(vector.number("receiver_leaf_index"), leafCount);
  const own = { publicKey: leaf.encryptionKey, privateKey: new Uint8Array(suite.hpke.Nsk) };
  return {
    suite,
    status: "active",
    reinit: undefined,
    context: {
      version: MLS10,
      cipherSuite: suite.id,
      groupId: vector.hex("group_id"),
      epoch: vector.uint64("epoch"),
      treeHash: vector.hex("tree_hash"),
      confirmedTranscriptHash: vector.hex("confirmed_transcript_hash"),
      extensions: [],
    },
    tree: new ProvenLeaves(leafCount, new Map([[leafIndex, leaf]])),
    proof,
    leafIndex,
    privateKeys: new Map([[leafToNode(leafIndex), own]]),
    interimTranscriptHash: vector.hex("interim_transcript_hash"),
    confirmationTag: EMPTY,
    secrets: {
      ...{ exporterSecret: EMPTY, externalSecret: EMPTY, confirmationKey: EMPTY, resumptionPsk: EMPTY },
      epochAuthenticator: EMPTY,
      senderDataSecret: vector.hex("sender_data_secret"),
      membershipKey: vector.hex("membership_key"),
      initSecret: vector.hex("init_secret"),
    },
    secretTree: createSecretTree(vector.hex("encryption_secret"), leafCount),
    proposals: new Map(),
    pendingUpdates: new Map(),
    pastEpochs: [],
    resumptionPsks: new Map(),
    leafSince: 0n,
  };
}

function expectState(
  { context, interimTranscriptHash, secrets, secretTree, leafIndex, privateKeys }: PartialGroupState,
  expected: Case,
): void {
  const bytes = {
    group_id: context.groupId,
    tree_hash: context.treeHash,
    confirmed_transcript_hash: context.confirmedTranscriptHash,
    interim_transcript_hash: interimTranscriptHash,
    sender_data_secret: secrets.senderDataSecret,
    membership_key: secrets.membershipKey,
    init_secret: secrets.initSecret,
    encryption_secret: secretTree.root.kind === "secret" ? secretTree.root.secret : EMPTY,
  };
  for (const [name, value] of Object.entries(bytes)) expectBytes(name, value, expected.hex(name));
  expectEqual("epoch", context.epoch, expected.uint64("epoch"));
  expectEqual("receiver_leaf_index", leafIndex as number, expected.number("receiver_leaf_index"));
  for (const entry of expected.objects("direct_path_secrets")) {
    const node = entry.number("node") as NodeIndex;
    const key = privateKeys.get(node)?.privateKey;
    expectBytes(
      `encryption_priv of node ${String(node)}`,
      key ?? EMPTY,
      entry.privateKey("encryption_priv", key?.length ?? 0),
    );
  }
}

export const partialFormats: readonly Format[] = [
  syntax,
  proofs,
  senderAuthenticatedMessages,
  treeOperations,
  welcomes,
  commits,
];
