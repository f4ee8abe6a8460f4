/** Parts of a state that were not loaded: see `restoreMessaging`. */
import { CoppiceError } from "./errors.ts";

/** `ERR_MLS_NOT_LOADED`: a mistake of the caller, not a refusal of what was received. */
export const notLoaded = (detail: CoppiceError["detail"] = {}): CoppiceError =>
  new CoppiceError("ERR_MLS_NOT_LOADED", "A record of the group is needed that was not loaded", { detail });
