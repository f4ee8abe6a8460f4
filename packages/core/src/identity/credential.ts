/** Credentials (RFC 9420 §5.3). */
import { copyBytes } from "@coppice/kit";
import { type Bytes, equalBytes, utf8 } from "../codec/bytes.ts";
import { type Codec, encode, opaque, vector } from "../codec/codec.ts";
import { CoppiceError } from "../errors.ts";

/** Registered credential types (§17.5). */
export const CredentialType = { basic: 0x0001, x509: 0x0002 } as const;

/** An identity that the application gives its meaning (R-5.3-1). */
export interface BasicCredential {
  readonly credentialType: 0x0001;
  readonly identity: Bytes;
}

/**
 * DER certificates, the end entity's first. The core carries them unread: that the end entity's key is the leaf's
 * `signature_key` (R-5.3-2), and all else, is for the authentication service to check. `@coppice/x509` has one.
 */
export interface X509Credential {
  readonly credentialType: 0x0002;
  readonly certificates: readonly Bytes[];
}

/** Credential types of draft-ietf-mls-extensions-10, as §7.3 suggests their numbers. */
export const DraftCredentialType = { multi: 0x0003, weakMulti: 0x0004 } as const;

/**
 * Several credentials for one leaf (draft-ietf-mls-extensions-10 §6.5), unread: refused unless the authentication service lists the
 * type, as that of `@coppice/core/drafts/extensions` does.
 */
export interface BoundCredentials {
  readonly credentialType: 0x0003 | 0x0004;
  /** `CredentialBinding bindings<V>` */
  readonly bindings: Bytes;
}

/**
 * ```tls
 * struct {
 *   CredentialType credential_type;
 *   select (Credential.credential_type) {
 *     case basic: opaque identity<V>;
 *     case x509:  Certificate certificates<V>;
 *     case multi: case weak_multi: CredentialBinding bindings<V>;
 *   };
 * } Credential;
 * ```
 */
export type Credential = BasicCredential | X509Credential | BoundCredentials;

export const unsupported = (credentialType: number): CoppiceError =>
  new CoppiceError("ERR_MLS_CREDENTIAL", `Credential type ${String(credentialType)} is not supported`, {
    requirement: "R-13.5-3",
    detail: { credentialType },
  });

const certificates = vector(opaque);

/** The wire form of a credential (§5.3), for the bodies of an application's own proposals and extensions. */
export const credential: Codec<Credential> = {
  encode: (writer, value) => {
    switch (value.credentialType) {
      case CredentialType.basic:
        writer.uint(CredentialType.basic, 2);
        writer.opaque(value.identity);
        return;
      case CredentialType.x509:
        writer.uint(CredentialType.x509, 2);
        certificates.encode(writer, value.certificates);
        return;
      case DraftCredentialType.multi:
      case DraftCredentialType.weakMulti:
        writer.uint(value.credentialType, 2);
        writer.opaque(value.bindings);
        return;
      default:
        throw unsupported((value as { readonly credentialType: number }).credentialType);
    }
  },
  decode: (reader) => {
    const credentialType = reader.uint(2);
    switch (credentialType) {
      case CredentialType.basic:
        return { credentialType, identity: reader.opaque() };
      case CredentialType.x509:
        return { credentialType, certificates: certificates.decode(reader) };
      case DraftCredentialType.multi:
      case DraftCredentialType.weakMulti:
        return { credentialType, bindings: reader.opaque() };
      default:
        throw unsupported(credentialType);
    }
  },
};

/**
 * A basic credential; text is taken as UTF-8.
 *
 * @example
 * ```ts run
 * import { basicCredential } from "@coppice/core";
 *
 * console.assert(basicCredential("alice").identity.length === 5);
 * ```
 */
export function basicCredential(identity: string | Uint8Array): BasicCredential {
  return {
    credentialType: 1,
    identity: typeof identity === "string" ? utf8(identity) : copyBytes(identity, "identity"),
  };
}

/**
 * Whether two credentials are the same bytes.
 *
 * @example
 * ```ts run
 * import { basicCredential, sameCredential } from "@coppice/core";
 *
 * console.assert(!sameCredential(basicCredential("alice"), basicCredential("bob")));
 * ```
 */
export function sameCredential(a: Credential, b: Credential): boolean {
  return equalBytes(encode(credential, a), encode(credential, b));
}
