/** Why a certificate is refused. */

import { type MlsErrorCode, CoppiceError } from "@coppice/core";

/** What is wrong with a credential; `detail.reason` of the error that refuses it. */
export type RefusalReason =
  | "type" // a credential of a type that nobody judges
  | "limit" // too many certificates, or too many bytes
  | "malformed" // not a certificate in DER
  | "key" // the leaf has another key than the end entity
  | "order" // a certificate does not name the next one as its issuer
  | "signature" // the issuer's signature does not verify
  | "algorithm" // signed in a way that is not accepted
  | "untrusted" // no path to a trust anchor
  | "validity" // expired, or not yet valid
  | "authority" // the issuer is no authority, or not for a path of this length
  | "usage" // the key may not be used for this
  | "extension" // critical and not understood
  | "identity" // names nobody
  | "successor"; // names somebody else than the certificate before

interface Refusal {
  readonly reason: RefusalReason;
  readonly requirement: string;
  /** Which certificate of the path, 0 being the end entity's. */
  readonly certificate?: number;
  readonly code?: MlsErrorCode;
  readonly cause?: unknown;
}

export function refusal(message: string, why: Refusal): CoppiceError {
  const { reason, requirement, certificate, code = "ERR_MLS_CREDENTIAL", cause } = why;
  const detail = { reason, ...(certificate === undefined ? {} : { certificate }) };
  return new CoppiceError(code, message, { requirement, detail, cause });
}
