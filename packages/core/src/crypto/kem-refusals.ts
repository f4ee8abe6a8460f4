/** What the KEMs of draft-ietf-hpke-pq refuse before they compute (its §3 and §4, FIPS 203 §7.2 and §7.3). */
import { CoppiceError } from "../errors.ts";

/** A public key of the wrong length, with a coefficient that is not below the modulus, or whose curve point is unusable. */
export const unusableKey = (): CoppiceError =>
  new CoppiceError("ERR_MLS_CRYPTO", "The bytes are not a public key of this suite's KEM", { requirement: "Q-2-2" });

/** A KEM output of the wrong length, or whose curve point is unusable. */
export const unusableOutput = (): CoppiceError =>
  new CoppiceError("ERR_MLS_AEAD", "The bytes are not an output of this suite's KEM", { requirement: "Q-2-3" });
