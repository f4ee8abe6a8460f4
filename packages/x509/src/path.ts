/** Certification paths (RFC 5280 §6.1): from an end entity up to a trust anchor. */
import { equalBytes, isCoppiceError, type CoppiceError } from "@coppice/core";
import type { Certificate } from "./certificate.ts";
import { type RefusalReason, refusal } from "./refusal.ts";
import { isSignedBy } from "./signature.ts";

/** Certificates, the end entity's first, each certified by the next one; the last is a trust anchor. */
export type Path = readonly Certificate[];

export interface PathRequest {
  /** As received, the end entity's first; not empty. */
  readonly chain: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  /** Issuers that are known, but not trusted by themselves (R-5.3-3). */
  readonly intermediates: readonly Certificate[];
  /** Seconds since 1970. */
  readonly now: bigint;
  /** Object identifiers of the purposes that are good for MLS. */
  readonly purposes: readonly string[];
  /** Most certificates in a path. */
  readonly maxLength: number;
}

/** The first path that is valid. If there is none, says why the first one that leads to a trust anchor is not. */
export async function findPath(request: PathRequest): Promise<Path> {
  await checkOrder(request.chain);
  let why: CoppiceError | undefined;
  for await (const path of pathsOf(request)) {
    try {
      checkPath(path, request);
      return path;
    } catch (error) {
      if (!isCoppiceError(error)) throw error;
      why ??= error;
    }
  }
  throw why ?? invalid("no path leads to a trust anchor", "untrusted");
}

const invalid = (message: string, reason: RefusalReason, certificate?: number): CoppiceError =>
  refusal(message, { reason, requirement: "R-5.3.1-1", ...(certificate === undefined ? {} : { certificate }) });

/** Each certificate of the chain has to certify the one before directly. */
async function checkOrder(chain: readonly Certificate[]): Promise<void> {
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer === undefined) return;
    if (!equalBytes(certificate.issuer, issuer.subject)) {
      throw invalid("the next certificate is not the issuer's", "order", index);
    }
    if (!(await isSignedBy(certificate, issuer.publicKey))) {
      throw invalid("the issuer's signature does not verify", "signature", index);
    }
  }
}

/** Paths that hold as far as names and signatures go. An anchor may certify any certificate of the chain, or be in it. */
async function* pathsOf({ chain, anchors, intermediates, maxLength }: PathRequest): AsyncGenerator<Path> {
  for (const [index, certificate] of chain.entries()) {
    const path = chain.slice(0, index + 1);
    if (index > 0 && anchors.some((anchor) => isSame(anchor, certificate))) yield path;
    else yield* extended(path, anchors);
  }
  yield* upwards(chain);

  async function* upwards(path: Path): AsyncGenerator<Path> {
    if (path.length + 2 > maxLength) return; // an intermediate and an anchor are to come
    for await (const longer of extended(path, intermediates)) {
      yield* extended(longer, anchors);
      yield* upwards(longer);
    }
  }
}

/** The path with each of `issuers` that certifies its last certificate and is not in it. */
async function* extended(path: Path, issuers: readonly Certificate[]): AsyncGenerator<Path> {
  const last = path.at(-1);
  if (last === undefined) return;
  for (const issuer of issuers) {
    if (!equalBytes(last.issuer, issuer.subject) || path.some((other) => isSame(other, issuer))) continue;
    if (await isSignedBy(last, issuer.publicKey)) yield [...path, issuer];
  }
}

const isSame = (a: Certificate, b: Certificate): boolean => equalBytes(a.der, b.der);

/** What each certificate has to be in its place. Anchors are held to the same rules. */
function checkPath(path: Path, request: PathRequest): void {
  if (path.length > request.maxLength) throw invalid("the path is too long", "limit");
  for (const [index, certificate] of path.entries()) {
    checkAny(certificate, index, request);
    if (index === 0) checkEndEntity(certificate);
    else checkIssuer(certificate, index, path);
  }
}

/** extKeyUsage for every purpose (RFC 5280 §4.2.1.12). */
const ANY_PURPOSE = "2.5.29.37.0";

function checkAny(certificate: Certificate, index: number, { now, purposes: wanted }: PathRequest): void {
  const { notBefore, notAfter, notUnderstood, purposes } = certificate;
  if (now < notBefore) throw invalid("a certificate is not valid yet", "validity", index);
  if (now > notAfter) throw invalid("a certificate has expired", "validity", index);
  const [unknown] = notUnderstood;
  if (unknown !== undefined) throw invalid(`extension ${unknown} is critical and not understood`, "extension", index);
  if (purposes?.some((purpose) => purpose === ANY_PURPOSE || wanted.includes(purpose)) === false) {
    throw invalid("a certificate is for other purposes", "usage", index);
  }
}

function checkEndEntity({ authority, usage }: Certificate): void {
  if (authority?.isAuthority === true) throw invalid("the end entity is a certification authority", "authority", 0);
  if (usage?.signs === false) throw invalid("the end entity's key is not for signatures", "usage", 0);
}

function checkIssuer({ authority, usage }: Certificate, index: number, path: Path): void {
  if (authority?.isAuthority !== true) throw invalid("an issuer is not a certification authority", "authority", index);
  if (usage?.certifies === false) throw invalid("an issuer's key is not for signing certificates", "usage", index);
  const { pathLength } = authority;
  if (pathLength === undefined) return;
  // RFC 5280 §4.2.1.9: the end entity does not count, nor do authorities that renewed their own key.
  const below = path.slice(1, index).filter(({ issuer, subject }) => !equalBytes(issuer, subject));
  if (below.length > pathLength)
    throw invalid("an issuer may not have so many authorities below it", "authority", index);
}
