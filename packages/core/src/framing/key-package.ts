/** Key packages (RFC 9420 §10): wire type, creation, validation of signature and keys. */

import { type Bytes, equalBytes } from "../codec/bytes.ts";
import { type Codec, type Given, copyOf, encode } from "../codec/codec.ts";
import type { Writer } from "../codec/writer.ts";
import type { Credential } from "../identity/credential.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import type { HpkeKeyPair } from "../crypto/hpke.ts";
import { makeKeyPackageRef, signWithLabel, verifyWithLabel } from "../crypto/labels.ts";
import type { Signer } from "../crypto/signature.ts";
import { CoppiceError } from "../errors.ts";
import { type Extension, extensions } from "../extensions/extension.ts";
import { withGreaseCapabilities, withGreaseExtension } from "../extensions/grease.ts";
import { type Capabilities, checkAdvertised, missingExtension, MLS10 } from "../extensions/capabilities.ts";
import { type LeafNode, type Lifetime, leafNode, signLeafNode } from "../tree/leaf-node.ts";

/**
 * ```tls
 * struct {
 *   ProtocolVersion version; CipherSuite cipher_suite; HPKEPublicKey init_key; LeafNode leaf_node;
 *   Extension extensions<V>;
 *   opaque signature<V>;
 * } KeyPackage;
 * ```
 */
export interface KeyPackage {
  readonly version: number;
  readonly cipherSuite: number;
  readonly initKey: Bytes;
  readonly leafNode: LeafNode;
  readonly extensions: readonly Extension[];
  readonly signature: Bytes;
}

/** `KeyPackageTBS`: all but the signature. */
const keyPackageTbs =
  (content: Omit<KeyPackage, "signature">): ((writer: Writer) => void) =>
  (writer) => {
    writer.uint(content.version, 2);
    writer.uint(content.cipherSuite, 2);
    writer.opaque(content.initKey);
    leafNode.encode(writer, content.leafNode);
    extensions.encode(writer, content.extensions);
  };

/** The wire form of a key package, without the frame of an `MLSMessage`. */
export const keyPackage: Codec<KeyPackage> = {
  encode: (writer, made) => {
    keyPackageTbs(made)(writer);
    writer.opaque(made.signature);
  },
  decode: (reader) => ({
    version: reader.uint(2),
    cipherSuite: reader.uint(2),
    initKey: reader.opaque(),
    leafNode: leafNode.decode(reader),
    extensions: extensions.decode(reader),
    signature: reader.opaque(),
  }),
};

/** A key package with the private keys that its owner keeps until it is used. */
export interface OwnKeyPackage {
  readonly keyPackage: KeyPackage;
  /** `KeyPackageRef`, `Nh` bytes: how a Welcome names it. */
  readonly ref: Bytes;
  /** Secret. */
  readonly initPrivateKey: Bytes;
  /** Secret. */
  readonly encryptionPrivateKey: Bytes;
}

/** What a new key package says, and the key that signs it. */
export interface CreateKeyPackageOptions {
  readonly suite: CipherSuite;
  readonly credential: Given<Credential>;
  readonly signer: Signer;
  readonly lifetime: Lifetime;
  readonly capabilities: Capabilities;
  readonly leafExtensions?: Given<readonly Extension[]>;
  readonly extensions?: Given<readonly Extension[]>;
}

/**
 * Makes a key package with fresh keys. GREASE values are added to its lists (R-10-8, R-13.5-1).
 * `ERR_MLS_KEY_PACKAGE` if an extension is not in the capabilities (R-10-7), `ERR_MLS_CAPABILITIES` if suite or credential are not
 * (R-7.2-4).
 *
 * @example
 * ```ts run
 * import { createKeyPackage, encodeMessage } from "@coppice/core";
 * import { alice, capabilities, lifetime, suite } from "./example-group.ts"; // docs/examples
 *
 * const { credential, signer } = alice;
 * const own = await createKeyPackage({ suite, credential, signer, lifetime, capabilities });
 * const toPublish = encodeMessage({ wireFormat: "mls_key_package", keyPackage: own.keyPackage });
 * console.assert(toPublish.length < 1000);
 * ```
 */
export async function createKeyPackage(options: CreateKeyPackageOptions): Promise<OwnKeyPackage> {
  const { suite, credential, signer, lifetime } = options;
  checkAdvertised(suite, { signer, capabilities: options.capabilities, credential });
  const used = [...(options.leafExtensions ?? []), ...(options.extensions ?? [])];
  const extensionType = missingExtension(used, options.capabilities.extensions);
  if (extensionType !== undefined) {
    throw new CoppiceError("ERR_MLS_KEY_PACKAGE", `Extension ${String(extensionType)} is not in the capabilities`, {
      requirement: "R-10-7",
      detail: { extensionType },
    });
  }
  const init = await suite.hpke.generateKeyPair();
  const encryption = await suite.hpke.generateKeyPair();
  const capabilities = withGreaseCapabilities(options.capabilities);
  const leaf = await signLeafNode(
    {
      encryptionKey: encryption.publicKey,
      signatureKey: signer.publicKey,
      credential,
      capabilities,
      source: { leafNodeSource: "key_package", lifetime },
      extensions: options.leafExtensions ?? [],
    },
    signer,
  );
  const content = {
    version: MLS10,
    cipherSuite: suite.id,
    initKey: init.publicKey,
    leafNode: leaf,
    extensions: withGreaseExtension(copyOf(extensions, options.extensions ?? []), capabilities),
  };
  const signature = await signWithLabel(signer, "KeyPackageTBS", keyPackageTbs(content));
  return assembleOwnKeyPackage(suite, { ...content, signature }, init, encryption);
}

/**
 * Brings a key package and its private keys together.
 *
 * @example
 * ```ts run
 * import { assembleOwnKeyPackage, equalBytes } from "@coppice/core";
 * import { alice, makeKeyPackage, suite } from "./example-group.ts"; // docs/examples
 *
 * const { keyPackage, initPrivateKey, encryptionPrivateKey, ref } = await makeKeyPackage(alice);
 * const again = assembleOwnKeyPackage(
 *   suite,
 *   keyPackage,
 *   { privateKey: initPrivateKey },
 *   { privateKey: encryptionPrivateKey },
 * );
 * console.assert(equalBytes(again.ref, ref));
 * ```
 */
export function assembleOwnKeyPackage(
  suite: CipherSuite,
  made: KeyPackage,
  init: Pick<HpkeKeyPair, "privateKey">,
  encryption: Pick<HpkeKeyPair, "privateKey">,
): OwnKeyPackage {
  return {
    keyPackage: made,
    ref: makeKeyPackageRef(suite, encode(keyPackage, made)),
    initPrivateKey: init.privateKey,
    encryptionPrivateKey: encryption.privateKey,
  };
}

/**
 * The checks of a key package that need no group (R-10.1-2, R-10.1-4, R-10.1-5, R-10-3): version, suite, keys, signature.
 * Its leaf is judged by `validateLeafNode`.
 *
 * @example
 * ```ts run
 * import { verifyKeyPackage } from "@coppice/core";
 * import { alice, makeKeyPackage, suite } from "./example-group.ts"; // docs/examples
 *
 * const { keyPackage } = await makeKeyPackage(alice);
 * await verifyKeyPackage(suite, keyPackage); // throws unless it is sound
 * ```
 */
export async function verifyKeyPackage(suite: CipherSuite, received: KeyPackage): Promise<void> {
  checkSuite(suite, received);
  if (equalBytes(received.initKey, received.leafNode.encryptionKey)) {
    throw new CoppiceError("ERR_MLS_KEY_PACKAGE", "The init key is the leaf's encryption key", {
      requirement: "R-10.1-5",
    });
  }
  try {
    await suite.hpke.validatePublicKey(received.initKey);
  } catch (cause) {
    throw new CoppiceError("ERR_MLS_KEY_PACKAGE", "The init key is not a key of this suite", {
      requirement: "R-10-3",
      cause,
    });
  }
  const { leafNode: leaf, signature } = received;
  await verifyWithLabel(
    suite,
    { publicKey: leaf.signatureKey, label: "KeyPackageTBS", content: keyPackageTbs(received), signature },
    "R-10.1-4",
  );
}

/** `ERR_MLS_VERSION` for a key package of another version or cipher suite (R-10.1-2). */
export function checkSuite(suite: CipherSuite, { version, cipherSuite }: KeyPackage): void {
  if (version === MLS10 && cipherSuite === suite.id) return;
  throw new CoppiceError("ERR_MLS_VERSION", "The key package is for another version or cipher suite", {
    requirement: "R-10.1-2",
    detail: { version, cipherSuite },
  });
}
