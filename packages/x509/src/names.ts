/** Whom a certificate names (RFC 5280 §4.1.2.6, §4.2.1.6). */
import type { GeneralName } from "@peculiar/asn1-x509";
import { type Bytes, toHex } from "@coppice/core";
import { toDer } from "./der.ts";

/** An entry of subjectAltName. `value` is the text of an address, a domain or a URI, else the entry's DER in hex. */
export interface SubjectName {
  readonly kind: "email" | "dns" | "uri" | "other";
  readonly value: string;
}

/** What an end-entity certificate says about whom it was issued to. */
export interface PresentedIdentity {
  /** The entries of subjectAltName, in the certificate's order. */
  readonly names: readonly SubjectName[];
  /** The subject's distinguished name, in DER. */
  readonly subject: Bytes;
  /** The certificate, in DER. */
  readonly certificate: Bytes;
}

/** DER of a distinguished name without parts. */
const NOBODY = "3000";

/**
 * The identity that two certificates share if they are of the same subject: their alternative names in any order, or, without
 * any, their distinguished name. Undefined for a certificate that names nobody. Compared byte for byte, so that
 * `Alice@example.org` is somebody else than `alice@example.org`.
 */
export function defaultIdentity({ names, subject }: PresentedIdentity): string | undefined {
  if (names.length > 0) return JSON.stringify([...new Set(names.map(({ kind, value }) => `${kind}:${value}`))].sort());
  const name = toHex(subject);
  return name === NOBODY ? undefined : `subject:${name}`;
}

export function readName(name: GeneralName): SubjectName {
  const { rfc822Name: email, dNSName: dns, uniformResourceIdentifier: uri } = name;
  if (email !== undefined) return { kind: "email", value: text(email) };
  if (dns !== undefined) return { kind: "dns", value: text(dns) };
  if (uri !== undefined) return { kind: "uri", value: text(uri) };
  return { kind: "other", value: toHex(toDer(name)) };
}

/** Visible ASCII: a NUL or a blank in a name is there to deceive whoever reads it. */
function text(value: string): string {
  if (!/^[\x21-\x7e]+$/.test(value)) throw new SyntaxError("a name with characters that no name has");
  return value;
}
