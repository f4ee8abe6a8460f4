/** What a member's next leaf is to say (RFC 9420 §7.2), in a path or in an Update. */

import { type Given, copyOf } from "../codec/codec.ts";
import { type Credential, credential as wireCredential } from "../identity/credential.ts";
import type { Signer } from "../crypto/signature.ts";
import type { Extension } from "../extensions/extension.ts";
import { type KnowingState, ownLeaf } from "../state/group-state.ts";
import { type IdentityRules, checkIdentityKept } from "../identity/authentication.ts";
import { type Capabilities, checkAdvertised } from "../extensions/capabilities.ts";
import type { UnsignedLeafNode } from "../tree/leaf-node.ts";

/** Changes to the own leaf; what is not given stays as it is. */
export interface LeafChanges {
  /** Signs the new leaf and all that follows; the message that brings it is still signed with the old key (T-10). */
  readonly signer?: Signer;
  /** Of the same identity: see `AuthenticationService.sameIdentity`. */
  readonly credential?: Given<Credential>;
  readonly capabilities?: Capabilities;
  readonly extensions?: Given<readonly Extension[]>;
}

/** The next leaf's signer and content. Refuses with the codes of `checkAdvertised` and `checkIdentityKept` what others would. */
export function nextLeaf(
  state: Pick<KnowingState, "suite" | "tree" | "leafIndex">,
  {
    rules,
    signer: current,
    leaf: changes,
  }: { readonly rules: IdentityRules; readonly signer: Signer; leaf?: LeafChanges },
): {
  readonly signer: Signer;
  readonly content: Given<Pick<UnsignedLeafNode, "credential" | "capabilities" | "extensions">>;
} {
  const previous = ownLeaf(state);
  const { capabilities, extensions, ...next } = { ...previous, ...changes };
  const signer = changes?.signer ?? current;
  const credential = copyOf(wireCredential, next.credential);
  checkAdvertised(state.suite, { signer, capabilities, credential, leafExtensions: extensions });
  checkIdentityKept(rules, previous.credential, credential);
  return { signer, content: { credential, capabilities, extensions } };
}
