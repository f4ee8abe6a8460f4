/** Welcoming the members that a Commit adds (RFC 9420 §12.4.3.1). */

import { type Bytes, EMPTY, erase } from "../codec/bytes.ts";
import { encode, encodeToSend } from "../codec/codec.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { encryptWithLabel, makeKeyPackageRef } from "../crypto/labels.ts";
import type { Signer } from "../crypto/signature.ts";
import { type Extension, ExtensionType } from "../extensions/extension.ts";
import { groupInfo, ratchetTree, signGroupInfo } from "../framing/group-info.ts";
import { encodeMessage } from "../framing/mls-message.ts";
import { type EncryptedGroupSecrets, groupSecrets } from "../framing/welcome.ts";
import { withGreaseExtension } from "../extensions/grease.ts";
import { keyPackage } from "../framing/key-package.ts";
import type { Limits } from "../limits.ts";
import type { AddedMember } from "../proposal/apply.ts";
import { computeWelcomeKey } from "../schedule/key-schedule.ts";
import type { PreSharedKeyId } from "../schedule/psk.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import { type LeafIndex, isBelow, leafToNode } from "../tree/tree-math.ts";
import type { PathSecrets } from "../tree/treekem.ts";
import type { EpochOutputs } from "./epoch.ts";

export interface WelcomeInputs {
  readonly outputs: EpochOutputs;
  readonly tree: RatchetTree;
  readonly added: readonly AddedMember[];
  /** In the order of the Commit (R-12.4.1-11). */
  readonly psks: readonly PreSharedKeyId[];
  readonly path: PathSecrets | undefined;
  readonly committer: LeafIndex;
  readonly signer: Signer;
  readonly treeInWelcome: boolean;
  readonly limits: Limits;
  /** Further extensions of the GroupInfo. */
  readonly extensions: readonly Extension[];
}

/**
 * One Welcome for all added members, as an encoded `MLSMessage`; undefined if there are none. `ERR_MLS_LIMIT` for one that they would
 * not decode, or that holds a tree or secrets which they would not.
 */
export async function createWelcome(suite: CipherSuite, inputs: WelcomeInputs): Promise<Bytes | undefined> {
  const { outputs, tree, added, psks, path, committer, signer, limits } = inputs;
  if (added.length === 0) return undefined;

  const carriedTree = inputs.treeInWelcome
    ? [
        {
          extensionType: ExtensionType.ratchetTree,
          extensionData: encodeToSend(ratchetTree, tree.toWire(), limits.messageBytes),
        },
      ]
    : [];
  const info = await signGroupInfo(
    {
      groupContext: outputs.context,
      extensions: withGreaseExtension([...carriedTree, ...inputs.extensions]),
      confirmationTag: outputs.confirmationTag,
      signer: committer,
    },
    signer,
  );
  const { key, nonce } = computeWelcomeKey(suite, outputs.joinerSecret, outputs.pskSecret);
  const encryptedGroupInfo = await suite.aead.seal(
    key,
    nonce,
    EMPTY,
    encodeToSend(groupInfo, info, limits.messageBytes),
  );
  erase(key, nonce);

  const seal = encryptWithLabel(suite, "Welcome", encryptedGroupInfo);
  const secrets = await Promise.all(
    added.map(async ({ leafIndex, keyPackage: joiner }): Promise<EncryptedGroupSecrets> => {
      const pathSecret = path && secretFor(path, leafIndex);
      const plaintext = encodeToSend(groupSecrets, { joinerSecret: outputs.joinerSecret, pathSecret, psks });
      const encryptedGroupSecrets = await seal(joiner.initKey, plaintext);
      erase(plaintext);
      return { newMember: makeKeyPackageRef(suite, encode(keyPackage, joiner)), encryptedGroupSecrets };
    }),
  );
  const welcome = { cipherSuite: suite.id, secrets, encryptedGroupInfo };
  return encodeMessage({ wireFormat: "mls_welcome", welcome }, limits.messageBytes);
}

/** The path secret of the lowest common ancestor of joiner and committer (R-12.4.1-10): the first node above both. */
function secretFor(path: PathSecrets, joiner: LeafIndex): { pathSecret: Bytes } | undefined {
  const common = path.secrets.find(({ node }) => isBelow(leafToNode(joiner), node));
  return common && { pathSecret: common.pathSecret };
}
