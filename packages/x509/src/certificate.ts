/** An X.509 certificate (RFC 5280 §4.1), as much of it as is judged. */
import {
  BasicConstraints,
  Certificate as Asn1Certificate,
  ExtendedKeyUsage,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
  Version,
  type AlgorithmIdentifier,
  type Extension,
  type GeneralName,
} from "@peculiar/asn1-x509";
import { type Bytes, equalBytes } from "@coppice/core";
import { parseDer, toDer } from "./der.ts";
import { type SubjectName, readName } from "./names.ts";

/** An algorithm with its parameters in DER, if there are any. */
export interface Algorithm {
  /** Object identifier, in dots. */
  readonly id: string;
  readonly parameters: Bytes | undefined;
}

/** subjectPublicKeyInfo, whole and in parts. */
export interface PublicKey {
  readonly der: Bytes;
  readonly algorithm: Algorithm;
  readonly key: Bytes;
}

export interface Certificate {
  readonly der: Bytes;
  /** What its issuer signed. */
  readonly signedPart: Bytes;
  readonly signatureAlgorithm: Algorithm;
  readonly signature: Bytes;
  /** Names in DER: two are the same if their bytes are. */
  readonly issuer: Bytes;
  readonly subject: Bytes;
  /** Seconds since 1970; both are inside. */
  readonly notBefore: bigint;
  readonly notAfter: bigint;
  readonly publicKey: PublicKey;
  /** subjectAltName; empty if it is absent. */
  readonly names: readonly SubjectName[];
  /** basicConstraints; undefined if it is absent. */
  readonly authority: { readonly isAuthority: boolean; readonly pathLength: number | undefined } | undefined;
  /** keyUsage; undefined if it is absent, and then any use is allowed. */
  readonly usage: { readonly signs: boolean; readonly certifies: boolean } | undefined;
  /** extKeyUsage; undefined if it is absent, and then any purpose is allowed. */
  readonly purposes: readonly string[] | undefined;
  /** Extensions that must be understood and are not. */
  readonly notUnderstood: readonly string[];
}

/** Parses one certificate. Throws for whatever is not exactly one in DER. */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const der = new Uint8Array(bytes);
  const { tbsCertificate, tbsCertificateRaw, ...outer } = parseDer(der, Asn1Certificate);
  if (tbsCertificateRaw === undefined) throw new SyntaxError("no certificate");
  const { version, validity, subjectPublicKeyInfo: key } = tbsCertificate;
  const extensions: readonly Extension[] = tbsCertificate.extensions ?? [];
  // RFC 5280 §4.1.1.2: what is signed names the algorithm, or an attacker could choose it.
  if (!equalBytes(toDer(outer.signatureAlgorithm), toDer(tbsCertificate.signature))) {
    throw new SyntaxError("two signature algorithms");
  }
  if (extensions.length > 0 && version !== Version.v3) throw new SyntaxError("extensions before version 3");
  return {
    der,
    signedPart: new Uint8Array(tbsCertificateRaw),
    signatureAlgorithm: readAlgorithm(outer.signatureAlgorithm),
    signature: new Uint8Array(outer.signatureValue),
    issuer: toDer(tbsCertificate.issuer),
    subject: toDer(tbsCertificate.subject),
    notBefore: seconds(validity.notBefore.getTime()),
    notAfter: seconds(validity.notAfter.getTime()),
    publicKey: {
      der: toDer(key),
      algorithm: readAlgorithm(key.algorithm),
      key: new Uint8Array(key.subjectPublicKey),
    },
    ...readExtensions(extensions),
  };
}

function readAlgorithm({ algorithm, parameters }: AlgorithmIdentifier): Algorithm {
  if (parameters === undefined) return { id: algorithm, parameters: undefined };
  return { id: algorithm, parameters: parameters === null ? NULL : new Uint8Array(parameters) };
}

/** DER of NULL, for which the library has `null`. */
const NULL = Uint8Array.of(0x05, 0x00);

/** Throws for fractions of a second, which certificates do not have (RFC 5280 §4.1.2.5). */
const seconds = (date: Date): bigint => BigInt(date.getTime() / 1000);

type Extensions = Pick<Certificate, "names" | "authority" | "usage" | "purposes" | "notUnderstood">;

function readExtensions(extensions: readonly Extension[]): Extensions {
  const values = new Map(extensions.map(({ extnID, extnValue }) => [extnID, new Uint8Array(extnValue.buffer)]));
  if (values.size < extensions.length) throw new SyntaxError("an extension twice"); // RFC 5280 §4.2

  const read = <T>(id: string, type: new () => T): T | undefined => {
    const value = values.get(id);
    return value && parseDer(value, type);
  };
  const names: readonly GeneralName[] = read(id_ce_subjectAltName, SubjectAlternativeName) ?? [];
  const constraints = read(id_ce_basicConstraints, BasicConstraints);
  const usage = read(id_ce_keyUsage, KeyUsage)?.toNumber();
  const purposes = read(id_ce_extKeyUsage, ExtendedKeyUsage);
  return {
    names: names.map(readName),
    authority: constraints && { isAuthority: constraints.cA, pathLength: constraints.pathLenConstraint },
    usage:
      usage === undefined
        ? undefined
        : { signs: has(usage, KeyUsageFlags.digitalSignature), certifies: has(usage, KeyUsageFlags.keyCertSign) },
    purposes: purposes && [...purposes],
    notUnderstood: extensions.filter(mustBeUnderstood).map(({ extnID }) => extnID),
  };
}

const has = (usage: number, flag: KeyUsageFlags): boolean => (usage & flag) !== 0;

const UNDERSTOOD: readonly string[] = [id_ce_basicConstraints, id_ce_keyUsage, id_ce_extKeyUsage, id_ce_subjectAltName];

/** Name constraints always: whoever ignores them lets an authority speak for everybody. */
const mustBeUnderstood = ({ extnID, critical }: Extension): boolean =>
  extnID === id_ce_nameConstraints || (critical && !UNDERSTOOD.includes(extnID));
