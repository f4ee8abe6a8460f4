/** Capabilities of a client (RFC 9420 §7.2). */

import { type Codec, uint16s } from "../codec/codec.ts";
import { CredentialType, type Credential } from "../identity/credential.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import type { Signer } from "../crypto/signature.ts";
import { CoppiceError } from "../errors.ts";
import type { Extension, RequiredCapabilities } from "./extension.ts";

/** `mls10` (§6). */
export const MLS10 = 1;

/**
 * ```tls
 * struct {
 *   ProtocolVersion versions<V>; CipherSuite cipher_suites<V>; ExtensionType extensions<V>;
 *   ProposalType proposals<V>; CredentialType credentials<V>;
 * } Capabilities;
 * ```
 */
export interface Capabilities {
  readonly versions: readonly number[];
  readonly cipherSuites: readonly number[];
  /** Without the default types (R-7.2-5). */
  readonly extensions: readonly number[];
  /** Without the default types (R-7.2-5). */
  readonly proposals: readonly number[];
  readonly credentials: readonly number[];
}

export const capabilities: Codec<Capabilities> = {
  encode: (writer, { versions, cipherSuites, extensions, proposals, credentials }) => {
    uint16s.encode(writer, versions);
    uint16s.encode(writer, cipherSuites);
    uint16s.encode(writer, extensions);
    uint16s.encode(writer, proposals);
    uint16s.encode(writer, credentials);
  },
  decode: (reader) => ({
    versions: uint16s.decode(reader),
    cipherSuites: uint16s.decode(reader),
    extensions: uint16s.decode(reader),
    proposals: uint16s.decode(reader),
    credentials: uint16s.decode(reader),
  }),
};

/** From 1 on: types that every implementation has, and that capabilities therefore do not list (R-7.2-5). */
const DEFAULT_EXTENSION_TYPES = 5;
const DEFAULT_PROPOSAL_TYPES = 7;

/**
 * What this implementation supports; an application adds its own types. No GREASE (R-13.5-5).
 *
 * @example
 * ```ts run
 * import { defaultCapabilities } from "@coppice/core";
 *
 * const capabilities = defaultCapabilities([1, 2], { extensions: [0xf001] }); // a type of the private-use range
 * console.assert(capabilities.versions.includes(1));
 * ```
 */
export function defaultCapabilities(
  cipherSuites: readonly number[],
  own: {
    readonly extensions?: readonly number[];
    readonly proposals?: readonly number[];
    readonly credentials?: readonly Credential["credentialType"][];
  } = {},
): Capabilities {
  return {
    versions: [MLS10],
    cipherSuites,
    extensions: own.extensions ?? [],
    proposals: own.proposals ?? [],
    credentials: own.credentials ?? [CredentialType.basic, CredentialType.x509],
  };
}

/** Why a leaf with such a key is refused, made or received. */
export const UNUSABLE_SIGNATURE_KEY = "the signature key is not one of this suite";

/** What a leaf of one's own is to say. */
interface Advertised {
  /** Of its signature key. */
  readonly signer: Pick<Signer, "publicKey">;
  readonly capabilities: Capabilities;
  readonly credential: Pick<Credential, "credentialType">;
  readonly leafExtensions?: readonly Pick<Extension, "extensionType">[];
}

/**
 * Refuses to sign a leaf that does not list what it uses, since everybody else would refuse it: `ERR_MLS_CAPABILITIES` for
 * version, suite and credential type (R-7.2-4), `ERR_MLS_LEAF_NODE` for extensions (R-7.3-9) and for the key of another suite
 * (R-5.1.1-2).
 */
export function checkAdvertised(
  { id: cipherSuite, signature }: CipherSuite,
  { signer, capabilities: own, credential, leafExtensions = [] }: Advertised,
): void {
  if (!signature.isPublicKey(signer.publicKey)) {
    throw new CoppiceError("ERR_MLS_LEAF_NODE", UNUSABLE_SIGNATURE_KEY, { requirement: "R-5.1.1-2" });
  }
  const { credentialType } = credential;
  const extensionType = missingExtension(leafExtensions, own.extensions);
  if (extensionType !== undefined) {
    throw new CoppiceError("ERR_MLS_LEAF_NODE", "The own capabilities lack an extension of the leaf", {
      requirement: "R-7.3-9",
      detail: { extensionType },
    });
  }
  const listed =
    own.versions.includes(MLS10) && own.cipherSuites.includes(cipherSuite) && own.credentials.includes(credentialType);
  if (listed) return;
  throw new CoppiceError(
    "ERR_MLS_CAPABILITIES",
    "The own capabilities lack the version, suite or credential type in use",
    {
      requirement: "R-7.2-4",
      detail: { cipherSuite, credentialType },
    },
  );
}

/**
 * First type that is no default one, 1 to `defaults`, and not listed. Others chose both lists: they are walked once, the items no
 * further than to the first that is missing.
 */
function firstMissing<T>(
  items: readonly T[],
  typeOf: (item: T) => number,
  listed: readonly number[],
  defaults: number,
): number | undefined {
  if (items.length === 0) return undefined;
  const known = new Set(listed);
  const missing = items.find((item) => {
    const type = typeOf(item);
    return (type < 1 || type > defaults) && !known.has(type);
  });
  return missing === undefined ? undefined : typeOf(missing);
}

/** Type of the first extension that `listed` lacks. */
export const missingExtension = (
  used: readonly Pick<Extension, "extensionType">[],
  listed: readonly number[],
): number | undefined => firstMissing(used, ({ extensionType }) => extensionType, listed, DEFAULT_EXTENSION_TYPES);

/** First required type that the lists do not cover, as `extension 5`; undefined if all are (R-7.3-4, R-11.1-2). */
export function missingCapability(
  supported: Pick<Capabilities, "extensions" | "proposals" | "credentials">,
  { extensionTypes, proposalTypes, credentialTypes }: RequiredCapabilities,
): string | undefined {
  const same = (type: number): number => type;
  const extension = firstMissing(extensionTypes, same, supported.extensions, DEFAULT_EXTENSION_TYPES);
  if (extension !== undefined) return `extension ${String(extension)}`;
  const proposal = firstMissing(proposalTypes, same, supported.proposals, DEFAULT_PROPOSAL_TYPES);
  if (proposal !== undefined) return `proposal ${String(proposal)}`;
  const credential = firstMissing(credentialTypes, same, supported.credentials, 0);
  return credential === undefined ? undefined : `credential ${String(credential)}`;
}
