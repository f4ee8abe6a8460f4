/** Creating a group (RFC 9420 §11). */
import { copyBytes, randomBytes } from "@coppice/kit";
import { EMPTY } from "../codec/bytes.ts";
import { type Given, copyOf } from "../codec/codec.ts";
import type { Credential } from "../identity/credential.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import type { Signer } from "../crypto/signature.ts";
import { type Extension, checkExternalSenderKeys, extensions as wireExtensions } from "../extensions/extension.ts";
import { withGreaseCapabilities } from "../extensions/grease.ts";
import type { GroupState } from "../state/group-state.ts";
import { createEpochSecrets } from "../schedule/key-schedule.ts";
import type { Rules } from "../rules.ts";
import { computeConfirmationTag, interimTranscriptHash } from "../schedule/transcript-hash.ts";
import { createExporterTree } from "../schedule/exporter-tree.ts";
import { createSecretTree } from "../schedule/secret-tree.ts";
import { type Capabilities, MLS10 } from "../extensions/capabilities.ts";
import { type Lifetime, signLeafNode } from "../tree/leaf-node.ts";
import { validateMembers, validateOwnLeafNode } from "../tree/leaf-node-validation.ts";
import { RatchetTree } from "../tree/ratchet-tree.ts";
import type { LeafIndex, NodeIndex } from "../tree/tree-math.ts";

/** The creator's identity and the group's beginnings. */
export interface CreateGroupOptions {
  readonly suite: CipherSuite;
  readonly rules: Rules;
  readonly credential: Given<Credential>;
  readonly signer: Signer;
  readonly capabilities: Capabilities;
  /** Of the creator's leaf, which has the source `key_package` until its first Commit. */
  readonly lifetime: Lifetime;
  /** Default: `Nh` random bytes (R-11-3). */
  readonly groupId?: Uint8Array;
  /** Of the group context. Default none. */
  readonly extensions?: Given<readonly Extension[]>;
  readonly leafExtensions?: Given<readonly Extension[]>;
}

/**
 * A group at epoch 0 with its creator as the only member (R-11-4).
 *
 * @example
 * ```ts run
 * import { createGroup } from "@coppice/core";
 * import { alice, capabilities, lifetime, rules, suite } from "./example-group.ts"; // docs/examples
 *
 * const { credential, signer } = alice;
 * const state = await createGroup({ suite, rules, credential, signer, capabilities, lifetime });
 * console.assert(state.context.epoch === 0n);
 * ```
 */
export async function createGroup(options: CreateGroupOptions): Promise<GroupState> {
  const { suite, rules, credential, signer, lifetime } = options;
  const encryption = await suite.hpke.generateKeyPair();
  const leaf = await signLeafNode(
    {
      encryptionKey: encryption.publicKey,
      signatureKey: signer.publicKey,
      credential,
      capabilities: withGreaseCapabilities(options.capabilities),
      source: { leafNodeSource: "key_package", lifetime },
      extensions: options.leafExtensions ?? [],
    },
    signer,
  );
  const extensions = copyOf(wireExtensions, options.extensions ?? []);
  const tree = RatchetTree.of(leaf);
  await validateOwnLeafNode(suite, rules, { leaf, context: { extensions } });
  validateMembers(tree, { extensions }, rules);
  checkExternalSenderKeys(suite, extensions);

  const context = {
    version: MLS10,
    cipherSuite: suite.id,
    groupId: options.groupId === undefined ? randomBytes(suite.hash.Nh) : copyBytes(options.groupId, "groupId"),
    epoch: 0n,
    treeHash: tree.treeHash(suite.hash),
    confirmedTranscriptHash: EMPTY,
    extensions,
  };
  const { encryptionSecret, applicationExportSecret, ...secrets } = createEpochSecrets(suite, rules.exporterTree);
  const confirmationTag = computeConfirmationTag(suite, secrets.confirmationKey, EMPTY);
  return {
    suite,
    status: "active",
    reinit: undefined,
    context,
    tree,
    leafIndex: 0 as LeafIndex,
    privateKeys: new Map([[0 as NodeIndex, encryption]]),
    // Computed from the tag, as a joiner would (R-11-6, A-2).
    interimTranscriptHash: interimTranscriptHash(suite, EMPTY, confirmationTag),
    confirmationTag,
    secrets,
    secretTree: createSecretTree(encryptionSecret, 1),
    exporterTree: createExporterTree(applicationExportSecret),
    proposals: new Map(),
    pendingUpdates: new Map(),
    pastEpochs: [],
    resumptionPsks: new Map(),
    leafSince: 0n,
  };
}
