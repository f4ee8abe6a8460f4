/** Codes of the worker boundary. */
import { CoppiceError, type CoppiceErrorOptions } from "@coppice/kit";

/** Codes that the worker boundary adds to those of the engine. */
export type WorkerErrorCode =
  | "ERR_WORKER_DIED" // the worker ended or crashed: open the client again
  | "ERR_WORKER_NOT_LOADED" // the worker's script could not be loaded; `detail.url` if this package started it
  | "ERR_WORKER_MESSAGE" // a message was lost or malformed
  | "ERR_WORKER_CLOSED" // the port to the worker was closed
  | "ERR_WORKER_VERSION" // page and worker are of different builds; `detail.page`, `detail.worker`
  | "ERR_WORKER_INTERNAL" // the engine failed with an error that has no code: `cause`
  | "ERR_WORKER_UNSUPPORTED"; // this context cannot start workers, or a policy forbids it

/** Builds a `CoppiceError` with one of the boundary's codes. */
export function workerError(code: WorkerErrorCode, message: string, options?: CoppiceErrorOptions): CoppiceError {
  return new CoppiceError(code, message, options);
}

export const closedError = (): CoppiceError => new CoppiceError("ERR_CLIENT_CLOSED", "This client was closed");
