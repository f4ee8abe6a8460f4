/** Keys of MLS in the hands of components (draft-ietf-mls-extensions-10 §4.2, §4.3): what one does is nothing to another, or to MLS. */
import { assertBytes, copyBytes } from "@coppice/kit";
import { type Bytes, concat, erase, utf8 } from "../../codec/bytes.ts";
import { type Codec, encode, opaque, struct } from "../../codec/codec.ts";
import type { CipherSuite } from "../../crypto/cipher-suite.ts";
import type { HpkeCiphertext, HpkeKeyPair } from "../../crypto/hpke.ts";
import type { Signer } from "../../crypto/signature.ts";
import { CoppiceError } from "../../errors.ts";
import { type GroupState, requireActive } from "../../state/group-state.ts";
import { leafToNode } from "../../tree/tree-math.ts";
import { type ComponentOperation, componentLabel } from "./component.ts";

/** `SignContent` and `EncryptContext`, with a label that is no text. */
const labelled: Codec<{ label: Uint8Array; value: Uint8Array }> = struct({ label: opaque, value: opaque }) as Codec<{
  label: Uint8Array;
  value: Uint8Array;
}>;

const PREFIX = utf8("MLS 1.0 ");
const labelOf = (operation: ComponentOperation): Bytes => concat(PREFIX, componentLabel(operation));

/**
 * `SafeSignWithLabel(., ComponentID, Label, Content)` (§4.3): a signature that verifies for this component and label alone.
 *
 * @example
 * ```ts run
 * import { utf8 } from "@coppice/core";
 * import { safeSign, safeVerify } from "@coppice/core/drafts/extensions";
 * import { alice, suite } from "./example-group.ts"; // docs/examples
 *
 * const operation = { componentId: 0x8001, label: "receipt" };
 * const content = utf8("paid");
 * const signature = await safeSign(alice.signer, { ...operation, content });
 * await safeVerify(suite, { ...operation, content, signature, publicKey: alice.signer.publicKey }); // throws unless it is hers
 * ```
 */
export async function safeSign(
  signer: Signer,
  { content, ...operation }: ComponentOperation & { readonly content: Uint8Array },
): Promise<Bytes> {
  assertBytes(content, "content");
  return copyBytes(await signer.sign(encode(labelled, { label: labelOf(operation), value: content })), "a signature");
}

/** `SafeVerifyWithLabel` (§4.3): `ERR_MLS_SIGNATURE` (X-4.3-1) unless the signature is by `publicKey` for this component and label. */
export async function safeVerify(
  suite: CipherSuite,
  {
    content,
    signature,
    publicKey,
    ...operation
  }: ComponentOperation & {
    readonly content: Uint8Array;
    readonly signature: Uint8Array;
    readonly publicKey: Uint8Array;
  },
): Promise<void> {
  const signed = encode(labelled, { label: labelOf(operation), value: content });
  const [key, made] = [copyBytes(publicKey, "publicKey"), copyBytes(signature, "signature")];
  if (await suite.signature.verify(key, signed, made)) return;
  throw new CoppiceError("ERR_MLS_SIGNATURE", "The signature is not one of this component and label", {
    requirement: "X-4.3-1",
    detail: { componentId: operation.componentId },
  });
}

const infoOf = ({ context, ...operation }: ComponentOperation & { readonly context: Uint8Array }): Bytes =>
  encode(labelled, { label: labelOf(operation), value: context });

/**
 * `SafeEncryptWithLabel(PublicKey, ComponentID, Label, Context, Plaintext)` (§4.2), to any HPKE key of the group: of a leaf or a
 * parent, `external_pub`, the `init_key` of a key package.
 *
 * @example
 * ```ts run
 * import { utf8 } from "@coppice/core";
 * import { ownKeyPair, safeDecrypt, safeEncrypt } from "@coppice/core/drafts/extensions";
 * import { alice, bob, suite } from "./example-group.ts"; // docs/examples
 *
 * const publicKey = alice.state.tree.findLeaf(bob.state.leafIndex)?.encryptionKey;
 * const operation = { componentId: 0x8001, label: "whisper", context: utf8("") };
 * if (publicKey !== undefined) {
 *   const sealed = await safeEncrypt(suite, publicKey, { ...operation, plaintext: utf8("for you alone") });
 *   const opened = await safeDecrypt(suite, ownKeyPair(bob.state), { ...operation, sealed });
 *   console.assert(opened.length === 13);
 * }
 * ```
 */
export async function safeEncrypt(
  suite: CipherSuite,
  publicKey: Uint8Array,
  { plaintext, ...operation }: ComponentOperation & { readonly context: Uint8Array; readonly plaintext: Uint8Array },
): Promise<HpkeCiphertext> {
  const key = copyBytes(publicKey, "publicKey");
  await suite.hpke.validatePublicKey(key);
  return suite.hpke.sealer(infoOf(operation))(key, copyBytes(plaintext, "plaintext"));
}

/** `SafeDecryptWithLabel` (§4.2): `ERR_MLS_AEAD` for another component, label, context, key or ciphertext (X-4.2-1). */
export function safeDecrypt(
  suite: CipherSuite,
  keys: HpkeKeyPair,
  { sealed, ...operation }: ComponentOperation & { readonly context: Uint8Array; readonly sealed: HpkeCiphertext },
): Promise<Bytes> {
  return suite.hpke.open(keys, infoOf(operation), sealed);
}

/** The key pair of this member's leaf. Secret. `ERR_MLS_STATE` once the group is closed. */
export function ownKeyPair(state: GroupState): HpkeKeyPair {
  requireActive(state);
  const keys = state.privateKeys.get(leafToNode(state.leafIndex));
  if (keys === undefined) throw new RangeError("An active member has the keys of its leaf");
  return keys;
}

/**
 * Uses the external key pair of the epoch, which all members have, and nobody once the epoch is over (§4.2: better than the root's). The
 * private key is erased when `use` has settled. `ERR_MLS_STATE` once the group is closed.
 */
export async function withExternalKeyPair<T>(state: GroupState, use: (keys: HpkeKeyPair) => Promise<T>): Promise<T> {
  requireActive(state);
  const keys = await state.suite.hpke.deriveKeyPair(state.secrets.externalSecret);
  try {
    return await use(keys);
  } finally {
    erase(keys.privateKey);
  }
}
