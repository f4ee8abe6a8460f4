/** Extensions (RFC 9420 §13.4) and the ones this document defines: §5.3.3, §11.1, §12.1.8.1, §12.4.3. */
import { CoppiceError } from "../errors.ts";
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, type Given, decodeReceived, encode, map, opaque, struct, uint16, vector } from "../codec/codec.ts";
import { type Credential, credential } from "../identity/credential.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";

/**
 * ```tls
 * struct { ExtensionType extension_type; opaque extension_data<V>; } Extension;
 * ```
 * Unknown types are kept byte for byte (R-2.1-3).
 */
export interface Extension {
  readonly extensionType: number;
  readonly extensionData: Bytes;
}

/** Registered extension types (§17.3). */
export const ExtensionType = {
  applicationId: 0x0001,
  ratchetTree: 0x0002,
  requiredCapabilities: 0x0003,
  externalPub: 0x0004,
  externalSenders: 0x0005,
} as const;

const extension: Codec<Extension> = struct({ extensionType: uint16, extensionData: opaque });

/** `Extension extensions<V>`: no type twice (R-13.4-3). */
export const extensions: Codec<readonly Extension[]> = map(vector(extension), withoutRepeats, withoutRepeats);

function withoutRepeats(list: readonly Extension[]): readonly Extension[] {
  if (list.length < 2) return list;
  const seen = new Set<number>();
  for (const { extensionType } of list) {
    if (seen.has(extensionType)) {
      throw new CoppiceError("ERR_MLS_DECODE", `Extension type ${String(extensionType)} stands twice in one list`, {
        requirement: "R-13.4-3",
        detail: { extensionType },
      });
    }
    seen.add(extensionType);
  }
  return list;
}

/**
 * The data of the extension of this type.
 *
 * @example
 * ```ts run
 * import { ExtensionType, findExtension } from "@coppice/core";
 * import { alice } from "./example-group.ts"; // docs/examples
 *
 * console.assert(findExtension(alice.state.context.extensions, ExtensionType.requiredCapabilities) === undefined);
 * ```
 */
export function findExtension(list: readonly Extension[], extensionType: number): Bytes | undefined {
  return list.find((candidate) => candidate.extensionType === extensionType)?.extensionData;
}

/**
 * ```tls
 * struct { ExtensionType extension_types<V>; ProposalType proposal_types<V>; CredentialType credential_types<V>; } RequiredCapabilities;
 * ```
 */
export interface RequiredCapabilities {
  readonly extensionTypes: readonly number[];
  readonly proposalTypes: readonly number[];
  readonly credentialTypes: readonly number[];
}

/** The data of the `required_capabilities` extension (§11.1). */
export const requiredCapabilities: Codec<RequiredCapabilities> = struct({
  extensionTypes: vector(uint16),
  proposalTypes: vector(uint16),
  credentialTypes: vector(uint16),
});

/** The `required_capabilities` of a GroupContext, if it has them. */
export function findRequiredCapabilities(list: readonly Extension[]): RequiredCapabilities | undefined {
  const data = findExtension(list, ExtensionType.requiredCapabilities);
  if (data === undefined) return undefined;
  let required = known.get(data);
  if (required === undefined) {
    const { extensionTypes, proposalTypes, credentialTypes } = decodeReceived(requiredCapabilities, data);
    required = {
      extensionTypes: distinct(extensionTypes),
      proposalTypes: distinct(proposalTypes),
      credentialTypes: distinct(credentialTypes),
    };
    known.set(data, required);
  }
  return required;
}

/** Every leaf is held against them, and whoever wrote them may have said one thing many times. */
const known = new WeakMap<Bytes, RequiredCapabilities>();
const distinct = (types: readonly number[]): readonly number[] => [...new Set(types)];

/**
 * ```tls
 * struct { SignaturePublicKey signature_key; Credential credential; } ExternalSender;
 * ExternalSender external_senders<V>;
 * ```
 */
export interface ExternalSender {
  readonly signatureKey: Bytes;
  readonly credential: Credential;
}

/** One of them, for the bodies of an application's own proposals and extensions. */
export const externalSender: Codec<ExternalSender> = struct({ signatureKey: opaque, credential });

/** The data of the `external_senders` extension (§12.1.8.1). */
export const externalSenders: Codec<readonly ExternalSender[]> = vector(externalSender);

/** The `external_senders` of a GroupContext; empty if it has none. */
export function findExternalSenders(list: readonly Extension[]): readonly ExternalSender[] {
  const data = findExtension(list, ExtensionType.externalSenders);
  return data === undefined ? [] : decodeReceived(externalSenders, data);
}

/** `ERR_MLS_CREDENTIAL` for an external sender whose key is none of the suite: nothing that it signs would verify (R-5.1.1-2). */
export function checkExternalSenderKeys({ signature }: CipherSuite, list: readonly Extension[]): void {
  const senderIndex = findExternalSenders(list).findIndex(({ signatureKey }) => !signature.isPublicKey(signatureKey));
  if (senderIndex < 0) return;
  throw new CoppiceError("ERR_MLS_CREDENTIAL", "The key of an external sender is not one of this suite", {
    requirement: "R-5.1.1-2",
    detail: { senderIndex },
  });
}

/** `struct { HPKEPublicKey external_pub; } ExternalPub;` */
export const externalPub: Codec<{ readonly externalPub: Bytes }> = struct({ externalPub: opaque });

/**
 * An extension from a value and its codec.
 *
 * @example
 * ```ts run
 * import { ExtensionType, findExtension, makeExtension, requiredCapabilities } from "@coppice/core";
 *
 * const required = { extensionTypes: [], proposalTypes: [], credentialTypes: [1] };
 * const extension = makeExtension(ExtensionType.requiredCapabilities, requiredCapabilities, required);
 * console.assert(findExtension([extension], ExtensionType.requiredCapabilities) !== undefined);
 * ```
 */
export function makeExtension<T>(extensionType: number, codec: Codec<T>, value: Given<NoInfer<T>>): Extension {
  return { extensionType, extensionData: encode(codec, value as T) };
}
