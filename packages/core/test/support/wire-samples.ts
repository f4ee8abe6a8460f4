/** One valid value of every wire type, or one for each of its cases. */
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, utf8 } from "../../src/codec/bytes.ts";
import type { Codec } from "../../src/codec/codec.ts";
import { encode, vector } from "../../src/codec/codec.ts";
import { credential } from "../../src/identity/credential.ts";
import { hpkeCiphertext } from "../../src/crypto/hpke.ts";
import { externalPub, externalSenders, extensions, requiredCapabilities } from "../../src/extensions/extension.ts";
import { commit } from "../../src/framing/commit.ts";
import { authenticatedContent, framedContent, sender } from "../../src/framing/framed-content.ts";
import { groupInfo, ratchetTree } from "../../src/framing/group-info.ts";
import { decodeMessage, decodeMessageOf, mlsMessage } from "../../src/framing/mls-message.ts";
import { privateMessage } from "../../src/framing/private-message.ts";
import { proposal } from "../../src/framing/proposal.ts";
import { publicMessage } from "../../src/framing/public-message.ts";
import { groupSecrets, welcome } from "../../src/framing/welcome.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { keyPackage } from "../../src/framing/key-package.ts";
import { groupContext } from "../../src/schedule/group-context.ts";
import { preSharedKeyId } from "../../src/schedule/psk.ts";
import { capabilities } from "../../src/extensions/capabilities.ts";
import { leafNode } from "../../src/tree/leaf-node.ts";
import { parentNode } from "../../src/tree/parent-node.ts";
import { updatePath } from "../../src/tree/update-path.ts";
import type { AuthenticatedContent } from "../../src/framing/framed-content.ts";
import type { GroupInfo } from "../../src/framing/group-info.ts";
import type { KeyPackage } from "../../src/framing/key-package.ts";
import type { LeafNode } from "../../src/tree/leaf-node.ts";
import { forgeUpdateLeaf } from "./forge-join.ts";
import { signedContent } from "./forge-message.ts";
import { Group, Member } from "./group.ts";

export interface WireSample {
  readonly name: string;
  readonly type: Codec<unknown>;
  readonly bytes: Bytes;
}

const sample = <T>(name: string, type: Codec<T>, value: NoInfer<T>): WireSample => ({
  name,
  type: type as Codec<unknown>,
  bytes: encode(type, value),
});

export interface WireSamples {
  readonly samples: readonly WireSample[];
  readonly alice: Member;
  /** Alice's GroupInfo. */
  readonly info: GroupInfo;
  /** Of an Update by alice. */
  readonly leaf: LeafNode;
  readonly newcomer: KeyPackage;
  /** A Remove by alice. */
  readonly authenticated: AuthenticatedContent;
}

export async function wireSamples(): Promise<WireSamples> {
  const group = await Group.of(["alice", "bob", "carol"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const before = await alice.commit({ wireFormat: "mls_public_message" });
  alice.adopt(before);
  const { keyPackage: newcomer } = await (await Member.create("newcomer")).keyPackage();
  const made = await bob.commit({ proposals: [{ proposalType: 1, keyPackage: newcomer }], forcePath: true });
  const { publicMessage: publicCommit } = decodeMessageOf("mls_public_message", before.staged.commit);
  const { content } = publicCommit.content;
  if (content.contentType !== "commit" || content.commit.path === undefined)
    throw new TypeError("a Commit with a path");
  const info = await createGroupInfo(alice.state, alice.signer);
  const leaf = await forgeUpdateLeaf(alice);
  const nonce = new Uint8Array(32).fill(3);
  const pskId = { pskType: "external", pskId: utf8("id"), pskNonce: nonce } as const;
  const resumption = {
    pskType: "resumption",
    usage: "branch",
    pskGroupId: utf8("group"),
    pskEpoch: 2n ** 63n,
    pskNonce: nonce,
  } as const;
  const authenticated = await signedContent(
    alice,
    { contentType: "proposal", proposal: { proposalType: 3, removed: 1 } },
    "mls_private_message",
  );

  const samples: WireSample[] = [
    sample("MLSMessage with a Welcome", mlsMessage, decodeMessage(made.staged.welcome ?? EMPTY)),
    sample("MLSMessage with a PrivateMessage", mlsMessage, decodeMessage(made.staged.commit)),
    sample("MLSMessage with a PublicMessage", mlsMessage, decodeMessage(before.staged.commit)),
    sample("MLSMessage with a GroupInfo", mlsMessage, { wireFormat: "mls_group_info", groupInfo: info }),
    sample("MLSMessage with a KeyPackage", mlsMessage, { wireFormat: "mls_key_package", keyPackage: newcomer }),
    sample("PublicMessage", publicMessage, publicCommit),
    sample("PrivateMessage", privateMessage, decodeMessageOf("mls_private_message", made.staged.commit).privateMessage),
    sample("Welcome", welcome, decodeMessageOf("mls_welcome", made.staged.welcome ?? EMPTY).welcome),
    sample("GroupSecrets with a path secret", groupSecrets, {
      joinerSecret: nonce,
      pathSecret: { pathSecret: nonce },
      psks: [pskId, resumption],
    }),
    sample("GroupSecrets without one", groupSecrets, { joinerSecret: nonce, pathSecret: undefined, psks: [] }),
    sample("GroupInfo", groupInfo, info),
    sample("ratchet_tree", ratchetTree, alice.state.tree.toWire()),
    sample("KeyPackage", keyPackage, newcomer),
    sample("LeafNode of a key package", leafNode, newcomer.leafNode),
    sample("LeafNode of an Update", leafNode, leaf),
    sample("LeafNode of a Commit", leafNode, content.commit.path.leafNode),
    sample("ParentNode", parentNode, { encryptionKey: nonce, parentHash: EMPTY, unmergedLeaves: [0, 5, 0xffff_ffff] }),
    sample("UpdatePath", updatePath, content.commit.path),
    sample("HPKECiphertext", hpkeCiphertext, { kemOutput: nonce, ciphertext: nonce }),
    sample("Commit", commit, {
      ...content.commit,
      proposals: [
        { type: "reference", reference: nonce },
        { type: "proposal", proposal: { proposalType: 3, removed: 0 } },
      ],
    }),
    sample("FramedContent", framedContent, publicCommit.content),
    sample("AuthenticatedContent", authenticatedContent, authenticated),
    sample("GroupContext", groupContext, alice.state.context),
    sample("Capabilities", capabilities, newcomer.leafNode.capabilities),
    sample("RequiredCapabilities", requiredCapabilities, {
      extensionTypes: [1, 0xf000],
      proposalTypes: [],
      credentialTypes: [2],
    }),
    sample("basic Credential", credential, { credentialType: 1, identity: utf8("alice") }),
    sample("x509 Credential", credential, { credentialType: 2, certificates: [utf8("end entity"), EMPTY] }),
    sample("Extensions", extensions, [
      { extensionType: 0x0a0a, extensionData: EMPTY },
      { extensionType: 5, extensionData: nonce },
    ]),
    sample("ExternalSenders", externalSenders, [
      { signatureKey: nonce, credential: { credentialType: 1, identity: EMPTY } },
    ]),
    sample("ExternalPub", externalPub, { externalPub: nonce }),
    sample("external PreSharedKeyID", preSharedKeyId, pskId),
    sample("resumption PreSharedKeyID", preSharedKeyId, resumption),
    sample("PreSharedKeyIDs", vector(preSharedKeyId), [pskId, resumption]),
    sample("member Sender", sender, { senderType: "member", leafIndex: 0xffff_ffff }),
    sample("external Sender", sender, { senderType: "external", senderIndex: 1 }),
    sample("new_member_commit Sender", sender, { senderType: "new_member_commit" }),
    sample("new_member_proposal Sender", sender, { senderType: "new_member_proposal" }),
    sample("Add", proposal, { proposalType: 1, keyPackage: newcomer }),
    sample("Update", proposal, { proposalType: 2, leafNode: leaf }),
    sample("Remove", proposal, { proposalType: 3, removed: 7 }),
    sample("PreSharedKey", proposal, { proposalType: 4, psk: resumption }),
    sample("ReInit", proposal, { proposalType: 5, groupId: nonce, version: 1, cipherSuite: 3, extensions: [] }),
    sample("custom proposal", proposal, { proposalType: "custom", customType: 0xf001, data: nonce }),
    sample("ExternalInit", proposal, { proposalType: 6, kemOutput: nonce }),
    sample("GroupContextExtensions", proposal, {
      proposalType: 7,
      extensions: [{ extensionType: 3, extensionData: EMPTY }],
    }),
  ];
  return { samples, alice, info, leaf, newcomer, authenticated };
}
