/** Key packages, trees and Welcomes that are valid but for one thing. */
import { randomBytes } from "@coppice/kit";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY } from "../../src/codec/bytes.ts";
import type { Codec } from "../../src/codec/codec.ts";
import { encode, opaque, struct, uint16 } from "../../src/codec/codec.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { encryptWithLabel, signWithLabel } from "../../src/crypto/labels.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import type { Extension } from "../../src/extensions/extension.ts";
import { extensions, ExtensionType, makeExtension } from "../../src/extensions/extension.ts";
import type { GroupInfo } from "../../src/framing/group-info.ts";
import { groupInfo, ratchetTree, signGroupInfo } from "../../src/framing/group-info.ts";
import type { GroupSecrets, Welcome } from "../../src/framing/welcome.ts";
import { groupSecrets } from "../../src/framing/welcome.ts";
import type { KeyPackage, OwnKeyPackage } from "../../src/framing/key-package.ts";
import { assembleOwnKeyPackage } from "../../src/framing/key-package.ts";
import type { GroupContext } from "../../src/schedule/group-context.ts";
import { computeEpochSecrets, computeWelcomeKey } from "../../src/schedule/key-schedule.ts";
import type { PreSharedKey } from "../../src/schedule/psk.ts";
import { computePskSecret } from "../../src/schedule/psk.ts";
import { computeConfirmationTag } from "../../src/schedule/transcript-hash.ts";
import type { LeafNode, UnsignedLeafNode } from "../../src/tree/leaf-node.ts";
import { leafNode, signLeafNode } from "../../src/tree/leaf-node.ts";
import type { WireNode } from "../../src/tree/parent-node.ts";
import type { LeafIndex } from "../../src/tree/tree-math.ts";
import type { Member } from "./group.ts";
import { LIFETIME } from "./group.ts";

type Unsigned = Omit<KeyPackage, "signature">;

const keyPackageTbs: Codec<Unsigned> = struct({
  version: uint16,
  cipherSuite: uint16,
  initKey: opaque,
  leafNode,
  extensions,
});

export interface KeyPackageEdits {
  /** Before the leaf is signed. */
  readonly leaf?: (leaf: UnsignedLeafNode) => UnsignedLeafNode;
  /** After it was signed. */
  readonly signedLeaf?: (leaf: LeafNode) => LeafNode;
  /** Before the package is signed. */
  readonly content?: (content: Unsigned) => Unsigned;
  /** After it was signed. */
  readonly keyPackage?: (keyPackage: KeyPackage) => KeyPackage;
}

/** A key package of `member` that is signed anew after each edit. */
export async function forgeKeyPackage(member: Member, edits: KeyPackageEdits = {}): Promise<OwnKeyPackage> {
  const { suite, signer, capabilities, name } = member;
  const [init, encryption] = [await suite.hpke.generateKeyPair(), await suite.hpke.generateKeyPair()];
  const unsignedLeaf: UnsignedLeafNode = {
    encryptionKey: encryption.publicKey,
    signatureKey: signer.publicKey,
    credential: basicCredential(name),
    capabilities,
    source: { leafNodeSource: "key_package", lifetime: LIFETIME },
    extensions: [],
  };
  const place = { groupId: EMPTY, leafIndex: 0 as LeafIndex };
  const leaf = await signLeafNode(edits.leaf?.(unsignedLeaf) ?? unsignedLeaf, signer, place);
  const unsigned: Unsigned = {
    version: 1,
    cipherSuite: suite.id,
    initKey: init.publicKey,
    leafNode: edits.signedLeaf?.(leaf) ?? leaf,
    extensions: [],
  };
  const content = edits.content?.(unsigned) ?? unsigned;
  const signature = await signWithLabel(signer, "KeyPackageTBS", encode(keyPackageTbs, content));
  const made = { ...content, signature };
  return assembleOwnKeyPackage(suite, edits.keyPackage?.(made) ?? made, init, encryption);
}

/** An Update's leaf for `member`, signed after the edits. */
export async function forgeUpdateLeaf(
  member: Member,
  edit: (leaf: UnsignedLeafNode) => UnsignedLeafNode = (leaf) => leaf,
  place: { readonly groupId?: Bytes; readonly leafIndex?: LeafIndex } = {},
): Promise<LeafNode> {
  const { suite, state, signer, capabilities, name } = member;
  const { publicKey: encryptionKey } = await suite.hpke.generateKeyPair();
  const leaf: UnsignedLeafNode = {
    encryptionKey,
    signatureKey: signer.publicKey,
    credential: basicCredential(name),
    capabilities,
    source: { leafNodeSource: "update" },
    extensions: [],
  };
  const { groupId } = state.context;
  return signLeafNode(edit(leaf), signer, { groupId, leafIndex: state.leafIndex, ...place });
}

export interface WelcomeEdits {
  readonly context?: Partial<GroupContext>;
  /** Nodes of the tree in the GroupInfo; undefined sends no tree. The context keeps the inviter's tree hash. */
  readonly tree?: (nodes: (WireNode | undefined)[]) => (WireNode | undefined)[] | undefined;
  /** Makes the context's tree hash that of the edited tree. */
  readonly treeHash?: Bytes;
  readonly infoExtensions?: readonly Extension[];
  /** Before the GroupInfo is signed. */
  readonly info?: Partial<Omit<GroupInfo, "signature">>;
  readonly infoSigner?: Signer;
  /** After it was signed. */
  readonly signedInfo?: Partial<GroupInfo>;
  readonly secrets?: Partial<GroupSecrets>;
  readonly psks?: readonly PreSharedKey[];
  readonly welcome?: Partial<Welcome>;
  readonly entry?: Partial<Welcome["secrets"][number]>;
}

/** A Welcome by `inviter` into its current epoch, under a joiner secret of its own making. */
export async function forgeWelcome(
  inviter: Member,
  newcomer: OwnKeyPackage,
  edits: WelcomeEdits = {},
): Promise<Welcome> {
  const { suite, state } = inviter;
  const nodes = edits.tree === undefined ? state.tree.toWire() : edits.tree(state.tree.toWire());
  const context = { ...state.context, ...(edits.treeHash && { treeHash: edits.treeHash }), ...edits.context };
  const joinerSecret = randomBytes(suite.hash.Nh);
  const psks = edits.psks ?? [];
  const pskSecret = computePskSecret(suite, psks);
  const { confirmationKey } = computeEpochSecrets(suite, { joinerSecret, pskSecret, context });
  const tree = nodes === undefined ? [] : [makeExtension(ExtensionType.ratchetTree, ratchetTree, nodes)];
  const signed = await signGroupInfo(
    {
      groupContext: context,
      confirmationTag: computeConfirmationTag(suite, confirmationKey, context.confirmedTranscriptHash),
      signer: state.leafIndex,
      extensions: [...tree, ...(edits.infoExtensions ?? [])],
      ...edits.info,
    },
    edits.infoSigner ?? inviter.signer,
  );
  const { key, nonce } = computeWelcomeKey(suite, joinerSecret, pskSecret);
  const encryptedGroupInfo = await suite.aead.seal(
    key,
    nonce,
    EMPTY,
    encode(groupInfo, { ...signed, ...edits.signedInfo }),
  );
  const secrets = { joinerSecret, pathSecret: undefined, psks: psks.map(({ id }) => id), ...edits.secrets };
  const seal = encryptWithLabel(suite, "Welcome", encryptedGroupInfo);
  const encryptedGroupSecrets = await seal(newcomer.keyPackage.initKey, encode(groupSecrets, secrets));
  return {
    cipherSuite: suite.id,
    secrets: [{ newMember: newcomer.ref, encryptedGroupSecrets, ...edits.entry }],
    encryptedGroupInfo,
    ...edits.welcome,
  };
}
