/** Labelled signing, encryption, hashing and derivation (RFC 9420 §5.1.2, §5.1.3, §5.2, §8). */
import { copyBytes } from "@coppice/kit";
import { CoppiceError } from "../errors.ts";
import { type Bytes, EMPTY, utf8 } from "../codec/bytes.ts";
import { written } from "../codec/codec.ts";
import { Writer } from "../codec/writer.ts";
import type { CipherSuite } from "./cipher-suite.ts";
import type { HpkeCiphertext, HpkeKeyPair, Seal } from "./hpke.ts";
import type { Signer } from "./signature.ts";

/** What is signed: its bytes, or what writes them. */
type SignedContent = Bytes | ((writer: Writer) => void);

/** `SignContent`, `EncryptContext` and `RefHashInput` share this shape: a label and a value. */
function writeLabelled(writer: Writer, label: Bytes, value: SignedContent): void {
  writer.opaque(label);
  if (typeof value === "function")
    writer.vector(() => {
      value(writer);
    });
  else writer.opaque(value);
}

/** The protocol has few. */
const labels = new Map<string, Bytes>();

function prefixed(label: string): Bytes {
  const bytes = labels.get(label) ?? utf8(`MLS 1.0 ${label}`);
  labels.set(label, bytes);
  return bytes;
}

const withPrefix = (label: string, value: SignedContent): Bytes =>
  written((writer) => {
    writeLabelled(writer, prefixed(label), value);
  });

/** Signs `SignContent{ "MLS 1.0 " + label, content }`. */
export async function signWithLabel(signer: Signer, label: string, content: SignedContent): Promise<Bytes> {
  const signContent = writeSignContent(label, content);
  try {
    return copyBytes(await signer.sign(signContent.written()), "what the signer returns");
  } finally {
    signContent.release();
  }
}

/** `ERR_MLS_SIGNATURE` unless the signature is by `publicKey` over this label and content. */
export async function verifyWithLabel(
  suite: CipherSuite,
  {
    publicKey,
    label,
    content,
    signature,
  }: { publicKey: Bytes; label: string; content: SignedContent; signature: Bytes },
  requirement = "R-5.1.2-4",
): Promise<void> {
  const signContent = writeSignContent(label, content);
  try {
    if (await suite.signature.verify(publicKey, signContent.written(), signature)) return;
  } finally {
    signContent.release();
  }
  throw new CoppiceError("ERR_MLS_SIGNATURE", `The ${label} signature does not verify`, { requirement });
}

/** To be released: it may hold what is to be encrypted, and joiners verify as many signatures as there are members. */
function writeSignContent(label: string, content: SignedContent): Writer {
  const writer = new Writer();
  writeLabelled(writer, prefixed(label), content);
  return writer;
}

/** HPKE with `EncryptContext{ "MLS 1.0 " + label, context }` as info, to as many public keys as there are. */
export function encryptWithLabel(suite: CipherSuite, label: string, context: Bytes): Seal {
  return suite.hpke.sealer(withPrefix(label, context));
}

/** The reverse; `ERR_MLS_AEAD` if label, context, key or ciphertext differ. */
export function decryptWithLabel(
  suite: CipherSuite,
  { keys, label, context, sealed }: { keys: HpkeKeyPair; label: string; context: Bytes; sealed: HpkeCiphertext },
): Promise<Bytes> {
  return suite.hpke.open(keys, withPrefix(label, context), sealed);
}

/** The label is used as given, without a prefix (R-5.2-1). */
export function refHash(suite: CipherSuite, label: string, value: Bytes): Bytes {
  const writer = new Writer();
  writeLabelled(writer, utf8(label), value);
  return writer.lend((input) => suite.hash.digest(input));
}

/** `KeyPackageRef` over the encoded KeyPackage, not the MLSMessage around it (R-5.2-2). */
export function makeKeyPackageRef(suite: CipherSuite, keyPackage: Bytes): Bytes {
  return refHash(suite, "MLS 1.0 KeyPackage Reference", keyPackage);
}

/** `ProposalRef` over the encoded AuthenticatedContent (R-5.2-3). */
export function makeProposalRef(suite: CipherSuite, authenticatedContent: Bytes): Bytes {
  return refHash(suite, "MLS 1.0 Proposal Reference", authenticatedContent);
}

/** `DeriveSecret(secret, label)`: `Nh` bytes with an empty context. */
export function deriveSecret(suite: CipherSuite, secret: Bytes, label: string): Bytes {
  return suite.hash.expandWithLabel(secret, label, EMPTY, suite.hash.Nh);
}

/** `DeriveSecret` of one secret with several labels, in one call of the kernel: the secrets by the labels' names. */
export function deriveSecrets<Name extends string>(
  { hash }: CipherSuite,
  secret: Bytes,
  labels: Readonly<Record<Name, string>>,
): Record<Name, Bytes> {
  const names = Object.keys(labels) as Name[];
  const derived = hash.expandMany(
    secret,
    names.map((name) => ({ label: labels[name], context: EMPTY, length: hash.Nh })),
  );
  return Object.fromEntries(names.map((name, i) => [name, derived[i]])) as Record<Name, Bytes>;
}
