/** The Authentication Service (RFC 9420 §5.3.1), as the application provides it. */
import type { Bytes } from "../codec/bytes.ts";
import { CoppiceError } from "../errors.ts";
import { ask, yesOrNo } from "../hooks.ts";
import { type Credential, CredentialType, sameCredential, unsupported } from "./credential.ts";

/** When a credential is judged (R-5.3.1-2 to R-5.3.1-7). */
export type ValidationMoment = "key_package" | "group_info" | "add" | "update" | "commit" | "external_senders";

/** A credential with the key it is to be bound to. */
export interface Identity {
  readonly credential: Credential;
  readonly signatureKey: Bytes;
}

/** The Authentication Service of RFC 9750 §4, as far as a client asks it. */
export interface AuthenticationService {
  /**
   * Throws unless the identity is genuine and expected here. With `previous`, which it takes the place of and is the same identity as
   * (see `sameIdentity`), it must also be an acceptable successor (R-5.3.1-8). For an X.509 credential, genuine includes that the end entity's certificate has `signatureKey` (R-5.3-2),
   * which the core does not check; the service of `@coppice/x509` does.
   */
  readonly validate: (
    request: Identity & { moment: ValidationMoment; previous: Identity | undefined },
  ) => Promise<void>;
  /** Whether two leaves are the same client, beyond having the same signature key. Default: never. */
  readonly sameClient?: (a: Identity, b: Identity) => boolean;
  /**
   * Whether two credentials present the same identifier. A leaf keeps its identity: a credential takes the place of another one only
   * if they do (R-5.3.1-8), and members match by it when a group succeeds another one (R-11.3-3). Default: if they are equal byte for
   * byte, so that a credential that is renewed in other bytes needs this.
   */
  readonly sameIdentity?: (a: Credential, b: Credential) => boolean;
  /** Types of credentials beside `basic` and `x509` that `validate` judges. All others are refused without asking it. Default none. */
  readonly credentialTypes?: readonly number[];
}

/** The part of `Rules` that says who may be who. */
export interface IdentityRules {
  readonly authentication: AuthenticationService;
}

/**
 * Asks the authentication service: `ERR_MLS_CREDENTIAL` if it throws, and if it resolves with anything.
 */
export async function validateCredential(
  rules: IdentityRules,
  identity: Identity,
  moment: ValidationMoment,
  previous?: Identity,
): Promise<void> {
  const { credential, signatureKey } = identity;
  const { credentialType } = credential;
  const isDraft = credentialType !== CredentialType.basic && credentialType !== CredentialType.x509;
  if (isDraft && rules.authentication.credentialTypes?.includes(credentialType) !== true) {
    throw unsupported(credentialType);
  }
  await ask(() => rules.authentication.validate({ credential, signatureKey, moment, previous }), {
    ...{ code: "ERR_MLS_CREDENTIAL", message: "The authentication service refused a credential" },
    ...{ requirement: previous === undefined ? "R-5.3.1-1" : "R-5.3.1-8", detail: { moment } },
  });
}

/** Whether two credentials are of one identity, by the application's way to tell or byte for byte. */
export function isSameIdentity(
  { authentication: { sameIdentity } }: IdentityRules,
  a: Credential,
  b: Credential,
): boolean {
  return sameCredential(a, b) || (sameIdentity !== undefined && yesOrNo("sameIdentity", () => sameIdentity(a, b)));
}

/** `ERR_MLS_CREDENTIAL` unless a leaf keeps the identity of the one that it replaces (R-5.3.1-8). */
export function checkIdentityKept(rules: IdentityRules, previous: Credential, next: Credential): void {
  if (isSameIdentity(rules, previous, next)) return;
  throw new CoppiceError("ERR_MLS_CREDENTIAL", "The credential is of another identity than the one that it replaces", {
    requirement: "R-5.3.1-8",
  });
}
