/** Transcript hashes (RFC 9420 §8.2). */

import { type Bytes, concat, equalConstantTime } from "../codec/bytes.ts";
import { encode, opaque } from "../codec/codec.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";

/** `confirmed_transcript_hash` after a Commit; `input` is its encoded `ConfirmedTranscriptHashInput` (R-8.2-1). */
export function confirmedTranscriptHash(suite: CipherSuite, interimBefore: Bytes, input: Bytes): Bytes {
  return suite.hash.digest(concat(interimBefore, input));
}

/** `interim_transcript_hash` of the epoch that a confirmation tag confirms (R-8.2-2). */
export function interimTranscriptHash(suite: CipherSuite, confirmed: Bytes, confirmationTag: Bytes): Bytes {
  return suite.hash.digest(concat(confirmed, encode(opaque, confirmationTag)));
}

/** `MAC(confirmation_key, confirmed_transcript_hash)` of the new epoch (R-6.1-3). */
export function computeConfirmationTag(suite: CipherSuite, confirmationKey: Bytes, confirmed: Bytes): Bytes {
  return suite.hash.hmac(confirmationKey, confirmed);
}

/** `ERR_MLS_CONFIRMATION` unless the tag is the expected one (R-12.4.2-12). */
export function verifyConfirmationTag(expected: Bytes, received: Bytes | undefined, requirement: string): void {
  if (received === undefined || !equalConstantTime(expected, received)) {
    throw new CoppiceError("ERR_MLS_CONFIRMATION", "The confirmation tag does not match", { requirement });
  }
}
