/** An authentication service (RFC 9420 §5.3.1) for X.509 credentials. */

import {
  type AuthenticationService,
  type Bytes,
  type Credential,
  type Identity,
  type ValidationMoment,
  type X509Credential,
  CredentialType,
  equalBytes,
  sameCredential,
} from "@coppice/core";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { type PresentedIdentity, defaultIdentity } from "./names.ts";
import { findPath } from "./path.ts";
import { signatureKeyOf } from "./public-key.ts";
import { refusal } from "./refusal.ts";

/** A credential that was found genuine: the application says whether it is the expected one. */
export interface GenuineCredential extends PresentedIdentity {
  /** The validated path in DER: the end entity's certificate, its issuers, a trust anchor. */
  readonly path: readonly Bytes[];
  readonly signatureKey: Bytes;
  readonly moment: ValidationMoment;
}

/** Bounds that are checked before certificates are parsed. */
export interface X509Limits {
  /** Certificates of a credential, and of a path. Default 8. */
  readonly certificates: number;
  /** Bytes of all certificates of a credential together. Default 32 KiB. */
  readonly bytes: number;
}

export interface X509AuthenticationOptions {
  /** Certificates, in DER, of the authorities that are trusted. */
  readonly trustAnchors: readonly Uint8Array[];
  /** Certificates of authorities that credentials may leave out, since they are known here (R-5.3-3). Default none. */
  readonly intermediates?: readonly Uint8Array[];
  /** Seconds since 1970; the same function that `Rules` have. */
  readonly now: () => bigint;
  /**
   * Throws unless this subject is expected here: whether Alice may be in this group is nothing that her certificate says.
   * Revocation is checked here too, as nothing is fetched. It agrees by resolving with undefined: anything else refuses. Default:
   * whoever the trust anchors vouch for.
   */
  readonly accept?: (credential: GenuineCredential) => Promise<void>;
  /**
   * What two certificates of the same subject have in common; undefined if the certificate names nobody, which is refused. A
   * certificate takes the place of another one only if this is the same (R-5.3.1-8). Default: all entries of subjectAltName, or the distinguished name if there are none.
   */
  readonly identityOf?: (identity: PresentedIdentity) => string | undefined;
  /** Whether two certificates belong to the same client, not just to the same subject. Default: never. */
  readonly sameClient?: (a: PresentedIdentity, b: PresentedIdentity) => boolean;
  /**
   * Object identifiers of the purposes (extKeyUsage) of which a certificate has to have one, if it has any.
   * Default: instant messaging, `1.3.6.1.5.5.7.3.40` (RFC 9734). `anyExtendedKeyUsage` always will do.
   */
  readonly purposes?: readonly string[];
  /** Judges credentials of other types. Default: they are refused. */
  readonly others?: AuthenticationService;
  readonly limits?: Partial<X509Limits>;
}

const DEFAULT_LIMITS: X509Limits = { certificates: 8, bytes: 32 * 1024 };

/** id-kp-imUri (RFC 9734). */
const INSTANT_MESSAGING = "1.3.6.1.5.5.7.3.40";

/**
 * An authentication service that accepts X.509 credentials whose end-entity certificate has the leaf's key (R-5.3-2) and a
 * valid path (RFC 5280 §6.1) to a trust anchor. It refuses with `ERR_MLS_CREDENTIAL`, or `ERR_MLS_LIMIT` beyond a bound;
 * `detail.reason` is a `RefusalReason`. `ERR_MLS_CRYPTO` if the platform lacks the algorithm of a signature. The core passes
 * these on as the `cause` of its own error.
 *
 * A credential that a member keeps is not judged anew, so that members who catch up can follow Commits of others whose
 * certificate has expired since (R-5.3.2-2). Throws a `TypeError` if one of the given certificates is malformed.
 *
 * @example
 * ```ts run
 * import { CredentialType, makeRules } from "@coppice/core";
 * import { x509Authentication } from "@coppice/x509";
 * import { alicesCertificate, alicesKey, authority } from "./example-certificates.ts"; // docs/examples
 *
 * const now = () => BigInt(Math.floor(Date.now() / 1000));
 * const authentication = x509Authentication({ trustAnchors: [authority], now });
 * const rules = makeRules({ authentication, now });
 *
 * const credential = { credentialType: CredentialType.x509, certificates: [alicesCertificate] };
 * const signatureKey = alicesKey.publicKey.slice();
 * await rules.authentication.validate({ credential, signatureKey, moment: "add", previous: undefined });
 * ```
 */
export function x509Authentication(options: X509AuthenticationOptions): AuthenticationService {
  const { now, accept, others, sameClient, purposes = [INSTANT_MESSAGING] } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const anchors = options.trustAnchors.map(ownCertificate);
  const intermediates = (options.intermediates ?? []).map(ownCertificate);
  const identityOf = (presentedBy: PresentedIdentity): string | undefined => {
    const identity: unknown = (options.identityOf ?? defaultIdentity)(presentedBy);
    if (identity === undefined || typeof identity === "string") return identity;
    throw new TypeError("`identityOf` returned something: it names a subject by a string, and nobody by undefined");
  };
  const isSameSubject = (a: PresentedIdentity, b: PresentedIdentity): boolean => {
    const identity = identityOf(a);
    return identity !== undefined && identity === identityOf(b);
  };

  async function judge(credential: X509Credential, request: Identity & { moment: ValidationMoment }): Promise<void> {
    const chain = parseChain(credential, limits);
    const [endEntity] = chain;
    checkKey(endEntity, request.signatureKey);
    const path = await findPath({
      chain,
      anchors,
      intermediates,
      now: now(),
      purposes,
      maxLength: limits.certificates,
    });
    const identity = presented(endEntity);
    if (identityOf(identity) === undefined) {
      throw refusal("the certificate names nobody", { reason: "identity", requirement: "R-5.3.1-1", certificate: 0 });
    }
    const { signatureKey, moment } = request;
    const answer: unknown = await accept?.({ ...identity, path: path.map(({ der }) => der), signatureKey, moment });
    if (answer !== undefined) throw new TypeError("`accept` resolved with something: it agrees with undefined alone");
  }

  function checkSuccessor(credential: X509Credential, previous: Credential): void {
    const found = isX509(previous) && isSameSubject(identify(credential, limits), identify(previous, limits));
    if (!found)
      throw refusal("not a successor of the credential before", { reason: "successor", requirement: "R-5.3.1-8" });
  }

  return {
    validate: async (request) => {
      const { credential, signatureKey, previous } = request;
      if (!isX509(credential)) {
        // A signed name must not become a mere claim of the same name.
        if (previous !== undefined && isX509(previous.credential)) {
          throw refusal("not an X.509 credential any more", { reason: "successor", requirement: "R-5.3.1-8" });
        }
        if (others !== undefined) return others.validate(request);
        const message = `nobody judges credentials of type ${String(credential.credentialType)}`;
        throw refusal(message, { reason: "type", requirement: "R-5.3.1-1" });
      }
      if (previous !== undefined && sameCredential(credential, previous.credential)) {
        checkKey(parseChain(credential, limits)[0], signatureKey);
        return;
      }
      await judge(credential, request);
      if (previous !== undefined) checkSuccessor(credential, previous.credential);
    },
    sameClient: (a, b) => {
      if (isX509(a.credential) && isX509(b.credential)) {
        return sameClient !== undefined && sameClient(identify(a.credential, limits), identify(b.credential, limits));
      }
      return areOthers(a.credential, b.credential) && others?.sameClient !== undefined && others.sameClient(a, b);
    },
    sameIdentity: (a, b) => {
      if (isX509(a) && isX509(b)) return isSameSubject(identify(a, limits), identify(b, limits));
      return areOthers(a, b) && (others?.sameIdentity ?? sameCredential)(a, b);
    },
  };
}

const isX509 = (credential: Credential): credential is X509Credential =>
  credential.credentialType === CredentialType.x509;

const areOthers = (a: Credential, b: Credential): boolean => !isX509(a) && !isX509(b);

/** A certificate that the application gave. */
function ownCertificate(der: Uint8Array): Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw new TypeError("a trust anchor or intermediate is not a certificate in DER", { cause });
  }
}

type Chain = readonly [Certificate, ...Certificate[]];

function parseChain({ certificates }: X509Credential, limits: X509Limits): Chain {
  const bytes = certificates.reduce((sum, { length }) => sum + length, 0);
  if (certificates.length > limits.certificates || bytes > limits.bytes) {
    const message = "the credential has too many certificates, or too long ones";
    throw refusal(message, { reason: "limit", requirement: "R-5.3-1", code: "ERR_MLS_LIMIT" });
  }
  const [endEntity, ...issuers] = certificates.map((der, certificate) => {
    try {
      return parseCertificate(der);
    } catch (cause) {
      const message = "this is not a certificate in DER";
      throw refusal(message, { reason: "malformed", requirement: "R-5.3-1", certificate, cause });
    }
  });
  if (endEntity === undefined) {
    throw refusal("the credential has no certificate", { reason: "malformed", requirement: "R-5.3-1" });
  }
  return [endEntity, ...issuers];
}

function checkKey({ publicKey }: Certificate, signatureKey: Bytes): void {
  const key = signatureKeyOf(publicKey);
  if (key !== undefined && equalBytes(key, signatureKey)) return;
  const message = "the leaf has another signature key than its certificate";
  throw refusal(message, { reason: "key", requirement: "R-5.3-2", certificate: 0 });
}

const presented = ({ names, subject, der }: Certificate): PresentedIdentity => ({ names, subject, certificate: der });

/** Whom a credential names, whether that is true or not: its path is judged where it is introduced. */
const identify = (credential: X509Credential, limits: X509Limits): PresentedIdentity =>
  presented(parseChain(credential, limits)[0]);
