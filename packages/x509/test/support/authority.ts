/** Certification authorities for tests, and the certificates that they issue. */
import "reflect-metadata"; // before @peculiar/x509, which does not load without it
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { ECDSASigValue } from "@peculiar/asn1-ecc";
import { AsnConvert } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, Certificate } from "@peculiar/asn1-x509";
import type { JsonGeneralNames } from "@peculiar/x509";
import type { Bytes, CipherSuite, LocalSigner, SignatureScheme, Signer } from "@coppice/core";
import { concat, fromHex } from "@coppice/core";

cryptoProvider.set(globalThis.crypto);
export { ExtendedKeyUsageExtension, Extension, KeyUsageFlags };

/** Seconds since 1970; certificates of these tests are valid for an hour before and a day after it. */
export const NOW = 1_800_000_000n;
const date = (seconds: bigint): Date => new Date(Number(seconds) * 1000);

/** subjectPublicKeyInfo up to the key itself. */
const SPKI_PREFIX: Readonly<Partial<Record<SignatureScheme["name"], string>>> = {
  Ed25519: "302a300506032b6570032100",
  Ed448: "3043300506032b6571033a00",
  "P-256": "3059301306072a8648ce3d020106082a8648ce3d030107034200",
  "P-384": "3076301006072a8648ce3d020106052b81040022036200",
  "P-521": "30819b301006072a8648ce3d020106052b81040023038186" + "00",
};

export function spki(name: SignatureScheme["name"], key: Bytes): Bytes {
  const prefix = SPKI_PREFIX[name];
  if (prefix === undefined) throw new RangeError(`No certificate of these tests has a key of ${name}`);
  return concat(fromHex(prefix), key);
}

/** What one certificate has otherwise than a valid one. */
export interface CertificateChanges {
  readonly notBefore?: bigint;
  readonly notAfter?: bigint;
  /** basicConstraints; false leaves them out. Default: of an authority for authorities, none for others. */
  readonly authority?: { readonly isAuthority: boolean; readonly pathLength?: number } | false;
  /** keyUsage; false leaves it out. */
  readonly usage?: KeyUsageFlags | false;
  /** subjectAltName. Default: an address of the name at example.org; none for authorities. */
  readonly names?: JsonGeneralNames;
  /** The subject's distinguished name. Default: CN=name. */
  readonly subject?: string;
  readonly extensions?: readonly Extension[];
}

type Algorithm = { readonly name: string } & Partial<EcKeyGenParams & RsaHashedKeyGenParams>;
const P256 = { name: "ECDSA", namedCurve: "P-256" };

export class Authority {
  readonly name: string;
  /** In DER. */
  readonly certificate: Bytes;
  readonly #keys: CryptoKeyPair;
  readonly #hash: string;

  private constructor(name: string, certificate: Bytes, keys: CryptoKeyPair, hash: string) {
    this.name = name;
    this.certificate = certificate;
    this.#keys = keys;
    this.#hash = hash;
  }

  /** With a certificate that it signed itself. */
  static async root(
    name: string,
    changes: CertificateChanges & { readonly algorithm?: Algorithm; readonly hash?: string } = {},
  ): Promise<Authority> {
    const { algorithm = P256, hash = "SHA-256" } = changes;
    const keys = await generateKeys(algorithm);
    const signing = { issuer: `CN=${name}`, keys, hash };
    return new Authority(name, await certify(signing, name, keys.publicKey, authorityChanges(changes)), keys, hash);
  }

  /** An authority below this one, or this one anew if `keys` are its own. */
  async authority(name: string, changes: CertificateChanges = {}): Promise<Authority> {
    const keys = name === this.name ? this.#keys : await generateKeys(P256);
    const certificate = await certify(this.#signing, name, keys.publicKey, authorityChanges(changes));
    return new Authority(name, certificate, keys, "SHA-256");
  }

  /** The certificate, in DER, of somebody who is no authority. `publicKey` is a subjectPublicKeyInfo. */
  issue(name: string, publicKey: Bytes, changes: CertificateChanges = {}): Promise<Bytes> {
    const names: JsonGeneralNames = [{ type: "email", value: `${name}@example.org` }];
    return certify(this.#signing, name, publicKey, { usage: KeyUsageFlags.digitalSignature, names, ...changes });
  }

  get #signing(): Signing {
    return { issuer: `CN=${this.name}`, keys: this.#keys, hash: this.#hash };
  }
}

const authorityChanges = (changes: CertificateChanges): CertificateChanges => ({
  authority: { isAuthority: true },
  usage: KeyUsageFlags.keyCertSign,
  names: [],
  ...changes,
});

async function generateKeys(algorithm: Algorithm): Promise<CryptoKeyPair> {
  const keys = await globalThis.crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  if (!("privateKey" in keys)) throw new Error("a pair of keys is expected");
  return keys;
}

interface Signing {
  readonly issuer: string;
  readonly keys: CryptoKeyPair;
  readonly hash: string;
}

async function certify(
  { issuer, keys, hash }: Signing,
  name: string,
  publicKey: Bytes | CryptoKey,
  changes: CertificateChanges,
): Promise<Bytes> {
  const { authority = false, usage = false, names = [], extensions = [] } = changes;
  const made = await X509CertificateGenerator.create({
    subject: changes.subject ?? `CN=${name}`,
    issuer,
    notBefore: date(changes.notBefore ?? NOW - 3600n),
    notAfter: date(changes.notAfter ?? NOW + 86_400n),
    publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: { ...keys.privateKey.algorithm, hash },
    extensions: [
      ...(authority === false
        ? []
        : [new BasicConstraintsExtension(authority.isAuthority, authority.pathLength, true)]),
      ...(usage === false ? [] : [new KeyUsagesExtension(usage, true)]),
      ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
      ...extensions,
    ],
  });
  return new Uint8Array(made.rawData);
}

/** A signature key of the suite and its subjectPublicKeyInfo. */
export async function generateSigner(suite: CipherSuite): Promise<{ signer: LocalSigner; publicKey: Bytes }> {
  const { privateKey } = await suite.signature.generateKeyPair();
  const signer = await suite.signature.importSigner(privateKey);
  return { signer, publicKey: spki(suite.signature.name, signer.publicKey) };
}

/** The certificate with another signature; @peculiar/x509 has no Ed448. `algorithm` is an object identifier. */
export async function signAnew(certificate: Bytes, algorithm: string, signer: Signer): Promise<Bytes> {
  const made = AsnConvert.parse(certificate, Certificate);
  made.signatureAlgorithm = made.tbsCertificate.signature = new AlgorithmIdentifier({ algorithm });
  const signature = await signer.sign(new Uint8Array(AsnConvert.serialize(made.tbsCertificate)));
  made.signatureValue = new Uint8Array(signature).buffer;
  return new Uint8Array(AsnConvert.serialize(made));
}

/** The certificate with the integers of its ECDSA signature as they would be if they had signs. */
export function withSignedIntegers(certificate: Bytes): Bytes {
  const made = AsnConvert.parse(certificate, Certificate);
  const { r, s } = AsnConvert.parse(made.signatureValue, ECDSASigValue);
  const unpadded = (integer: ArrayBuffer): ArrayBuffer =>
    new Uint8Array(integer)[0] === 0 ? integer.slice(1) : integer;
  made.signatureValue = AsnConvert.serialize(new ECDSASigValue({ r: unpadded(r), s: unpadded(s) }));
  return new Uint8Array(AsnConvert.serialize(made));
}

/** The certificate with another integer in its ECDSA signature, in DER. */
export function withInteger(certificate: Bytes, which: "r" | "s", integer: Bytes): Bytes {
  const made = AsnConvert.parse(certificate, Certificate);
  const { r, s } = AsnConvert.parse(made.signatureValue, ECDSASigValue);
  made.signatureValue = AsnConvert.serialize(new ECDSASigValue({ r, s, [which]: integer.buffer }));
  return new Uint8Array(AsnConvert.serialize(made));
}
