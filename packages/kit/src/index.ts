/** The ground floor of Coppice: what more than one package needs, once. */
export { abortReason, anySignal, assertSignal, untilAborted } from "./abort.ts";
export { Ahead, MAX_AHEAD } from "./ahead.ts";
export { assertBytes, copyBytes, describe, isUint8Array, randomBytes } from "./bytes.ts";
export {
  CoppiceError,
  type CoppiceErrorOptions,
  type ErrorCode,
  type ErrorDetail,
  isCoppiceError,
  type MlsErrorCode,
} from "./errors.ts";
export { Listeners, reportUncaught } from "./listeners.ts";
export { type LockInfo, type LockOptions, type LockProvider, Locks, type Overdue, platformLocks } from "./locks.ts";
export { mapLimit } from "./map-limit.ts";
export { Prefix } from "./prefix.ts";
export { ProcessLocks } from "./process-locks.ts";
export { type Backoff, backoff, Retrying, type RetryingOptions } from "./retry.ts";
export { Scope } from "./scope.ts";
export { SingleFlight } from "./single-flight.ts";
export { sleep } from "./sleep.ts";
export { jitter, systemTime, type Time } from "./time.ts";
