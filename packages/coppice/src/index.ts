/** End-to-end encrypted group chat for the web: Messaging Layer Security (RFC 9420). */
import {
  changeKeyInWorker,
  type ChangeKeyInWorkerOptions,
  type Client,
  openInWorker,
  type OpenInWorkerOptions,
  wipeInWorker,
  type WipeInWorkerOptions,
} from "@coppice/worker";

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
  ListenOptions,
  Member,
  MembersPage,
  MlsErrorCode,
  Problem,
  PruneQuery,
  StoreErrorCode,
  StoreKey,
  Unsubscribe,
  WorkerErrorCode,
} from "@coppice/worker";
export { CoppiceError, isCoppiceError } from "@coppice/worker";

/**
 * How to open a client: `name` and `server` are all it takes.
 *
 * - `name`: the name to sign in with; registered with the server on first use. It is taken in its normal form: `Alice` is
 *   `alice`.
 * - `server`: URL of the Delivery Service, `http:` or `https:`; in a page it may be relative. Only its origin and path count.
 * - `database`: name of the database on this device, visible to every script of the origin. Default: one for each server and
 *   name, however they are written.
 * - `key`: what protects the data at rest, see `changeKey`. `{ kind: "device" }` (default): a key that the
 *   browser keeps and never reveals. `{ kind: "passphrase", passphrase }`: stretched with Argon2id. `{ kind: "application", key }`:
 *   a `CryptoKey` for HKDF of the application's, for example from the WebAuthn PRF extension.
 * - `shared`: whether all tabs share one worker, and in it one engine and one connection. Default `false`: a worker for each
 *   client; the tabs elect one that holds the connection.
 * - `worker`: starts the worker, for bundlers that do not find it by themselves. Its script is `coppice/worker`.
 * - `signal`: stops opening.
 */
export type OpenOptions = OpenInWorkerOptions;

/** Which account to delete from this device: `name`, `server` and `database` as in `OpenOptions`, and how to start the worker. */
export type WipeOptions = WipeInWorkerOptions;

/** Which account, its key now (`from`, default `{ kind: "device" }`), and the key that it is to have (`to`). */
export type ChangeKeyOptions = ChangeKeyInWorkerOptions;

/** Entry point of the SDK. */
export const Coppice: {
  /**
   * Signs in and opens everything that this device has of the account. Keys, group state and storage live in a worker;
   * the client that is returned holds immutable snapshots, passes calls on and reports events.
   *
   * An account that exists on this device opens without a network. Any number of tabs may have it open at once.
   *
   * @example
   * ```ts check
   * import { Coppice } from "coppice";
   *
   * const client = await Coppice.open({ name: "alice", server: "https://chat.example" });
   * const group = await client.createGroup({ title: "Lunch" });
   * await group.add(["bob"]);
   * group.on("message", ({ sender, data }) => console.log(sender, new TextDecoder().decode(data)));
   * await group.send("Noodles?");
   * ```
   *
   * @returns The client: a frozen object that needs no `this`. `close` it to end its worker.
   * @throws `CoppiceError` with a stable `code`: `ERR_DS_NAME_TAKEN`, `ERR_DS_NAME_INVALID`, `ERR_DS_UNREACHABLE` (first
   * sign-in only), `ERR_STORE_WRONG_KEY` and the other codes of `DeliveryErrorCode`, `StoreErrorCode`,
   * `ClientErrorCode` and `WorkerErrorCode`; the signal's reason; `TypeError` for options that make no sense.
   */
  open(options: OpenOptions): Promise<Client>;

  /**
   * Deletes everything that this device has of an account, without opening it: also when the database is damaged or its key
   * is lost. Clients that have the account open, here or in other tabs, lose it (`ERR_STORE_LOST`). The groups learn nothing of
   * it, and the account at the server stays: this device cannot sign in to it again by its name alone (`ERR_DS_NAME_TAKEN`).
   *
   * @example
   * ```ts check
   * import { Coppice, isCoppiceError, type OpenOptions } from "coppice";
   *
   * async function openOrWipe(options: OpenOptions) {
   *   try {
   *     return await Coppice.open(options);
   *   } catch (error) {
   *     if (!isCoppiceError(error, "ERR_STORE_CORRUPT") || !confirm("Delete what this device has?")) throw error;
   *     await Coppice.wipe({ name: options.name, server: options.server });
   *     return undefined;
   *   }
   * }
   * ```
   *
   * @throws `CoppiceError` `ERR_STORE_BLOCKED` if another context does not let go of the database (it is deleted as soon as
   * that context ends), `ERR_STORE_UNAVAILABLE`, `ERR_STORE_IO`, the codes of `WorkerErrorCode`; the signal's reason;
   * `TypeError` for options that make no sense.
   */
  wipe(options: WipeOptions): Promise<void>;

  /**
   * Changes what protects an account's data on this device, also to another kind of key. It takes one small write, whatever the
   * account holds, and tabs that have it open go on. A copy of the browser's profile that was made before still opens by the old key.
   *
   * @example
   * ```ts check
   * import { Coppice } from "coppice";
   *
   * const account = { name: "alice", server: "https://chat.example" };
   * const key = { kind: "passphrase", passphrase: "correct horse battery staple" } as const;
   * await Coppice.changeKey({ ...account, to: key });
   * const client = await Coppice.open({ ...account, key });
   * ```
   *
   * @throws `CoppiceError` `ERR_STORE_WRONG_KEY`, and nothing has changed, if `from` (default: `{ kind: "device" }`) is not the key;
   * the codes of the store and of `WorkerErrorCode`; the signal's reason; `TypeError` for options that make no sense.
   */
  changeKey(options: ChangeKeyOptions): Promise<void>;
} = Object.freeze({ open: openInWorker, wipe: wipeInWorker, changeKey: changeKeyInWorker });
