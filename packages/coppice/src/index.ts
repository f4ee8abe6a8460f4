/** End-to-end encrypted group chat for the web: Messaging Layer Security (RFC 9420). */
import { type Client, openInWorker, type OpenInWorkerOptions } from "@coppice/worker";

export type {
  CallOptions,
  Client,
  ClientErrorCode,
  ClientEvents,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  ConversationStatus,
  CoppiceErrorOptions,
  DeliveryErrorCode,
  DeliveryState,
  EngineWorker,
  ErrorCode,
  ErrorDetail,
  HistoryItem,
  Member,
  MlsErrorCode,
  StoreErrorCode,
  StoreKey,
  Unsubscribe,
  WorkerErrorCode,
} from "@coppice/worker";
export { CoppiceError, isCoppiceError } from "@coppice/worker";

/**
 * How to open a client: `name` and `server` are all it takes.
 *
 * - `name`: the name to sign in with, 1 to 64 characters; registered with the server on first use.
 * - `server`: URL of the Delivery Service; in a page it may be relative.
 * - `database`: name of the database on this device. Default: one for each server and name.
 * - `key`: what protects the data at rest. Default: a key that the browser keeps and never reveals.
 * - `worker`: starts the worker, for bundlers that do not find it by themselves. Its script is `coppice/worker`.
 * - `signal`: stops opening.
 */
export type OpenOptions = OpenInWorkerOptions;

/** Entry point of the SDK. */
export const Coppice: {
  /**
   * Signs in and opens everything that this device has of the account. Keys, group state and storage live in a worker;
   * the client that is returned holds immutable snapshots, passes calls on and reports events.
   *
   * An account that exists on this device opens without a network. Any number of tabs may have it open at once.
   *
   * @example
   * ```ts
   * import { Coppice } from "coppice";
   *
   * const client = await Coppice.open({ name: "alice", server: "https://chat.example" });
   * const group = await client.createGroup({ title: "Lunch" });
   * await group.add(["bob"]);
   * group.on("message", ({ sender, data }) => console.log(sender, new TextDecoder().decode(data)));
   * await group.send("Noodles?");
   * ```
   *
   * @returns The client. `close` it to end its worker.
   * @throws `CoppiceError` with a stable `code`: `ERR_DS_NAME_TAKEN`, `ERR_DS_NAME_INVALID`, `ERR_DS_UNREACHABLE` (first
   * sign-in only), `ERR_STORE_WRONG_KEY` and the other codes of `DeliveryErrorCode`, `StoreErrorCode`,
   * `ClientErrorCode` and `WorkerErrorCode`; the signal's reason; `TypeError` for options that make no sense.
   */
  open(options: OpenOptions): Promise<Client>;
} = Object.freeze({ open: openInWorker });
