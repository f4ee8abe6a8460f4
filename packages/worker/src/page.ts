/** The page's end of the boundary. */
import type { Client } from "@coppice/client";
import { systemTime } from "@coppice/kit";
import {
  type AccountOptions,
  accountOf,
  type ChangeKeyOptions,
  type EngineOptions,
  keyChange,
  openRequest,
} from "./options.ts";
import { callRemote, openRemote } from "./page/remote-client.ts";
import { connectWorker, type EngineWorker } from "./spawn.ts";

/** How to reach the worker. */
export interface WorkerOptions {
  /**
   * Starts the worker, for bundlers that do not find it by themselves. Its script is `@coppice/worker/worker`. A `Worker` made
   * here belongs to the client, which terminates it; a `SharedWorker` serves any number of pages. Default: the package's own
   * worker.
   */
  readonly worker?: () => EngineWorker;
  /**
   * Whether the package's own worker is shared by all pages of the origin, where the browser has shared workers: one engine
   * and one connection for all of them. Default `false`: a worker for each client, which elect one that holds the connection.
   */
  readonly shared?: boolean;
  /** Stops the call; a worker that was started for it is ended. */
  readonly signal?: AbortSignal;
}

export interface OpenInWorkerOptions extends EngineOptions, WorkerOptions {}

export interface ChangeKeyInWorkerOptions extends ChangeKeyOptions, WorkerOptions {}

export interface WipeInWorkerOptions extends AccountOptions, WorkerOptions {}

/**
 * Opens an account in a worker and returns what the page needs of it: the newest snapshots, calls and events. Keys, group state
 * and storage never reach the page. `close` ends the session, and with the last one its engine.
 *
 * Everything that waits when the worker ends rejects with `ERR_WORKER_DIED`, and the client reports a `problem`; open it
 * again then, nothing acknowledged is lost.
 *
 * @throws `CoppiceError` with the codes of the engine, the store and the Delivery Service, and those of
 * `WorkerErrorCode`; the signal's reason; `TypeError` for options that make no sense.
 */
export async function openInWorker(options: OpenInWorkerOptions): Promise<Client> {
  const request = openRequest(options);
  const { worker, shared = false, signal } = options;
  signal?.throwIfAborted();
  return openRemote(connectWorker({ worker, shared }), request, { time: systemTime, signal });
}

/**
 * Deletes an account's database from this device without opening it, also one that is damaged or of which the key is lost. The
 * account at the server stays, and so does its name. Clients that have it open lose it (`ERR_STORE_LOST`).
 *
 * @throws `CoppiceError` `ERR_STORE_BLOCKED` if another context does not let go of the database (it is deleted as soon as that
 * context ends), `ERR_STORE_UNAVAILABLE`, `ERR_STORE_IO`, the codes of `WorkerErrorCode`; the signal's reason; `TypeError` for
 * options that make no sense.
 */
export async function wipeInWorker(options: WipeInWorkerOptions): Promise<void> {
  const request = accountOf(options);
  const { worker, shared = false, signal } = options;
  signal?.throwIfAborted();
  await callRemote(connectWorker({ worker, shared }), (session) => session.wipe(request), { time: systemTime, signal });
}

/**
 * Changes what protects an account's data on this device. It takes one small write, whatever the account holds, and contexts that have it
 * open go on. A copy of the browser's profile that was made before still opens by the old key.
 *
 * @throws `CoppiceError` `ERR_STORE_WRONG_KEY`, and nothing has changed, if `from` is not the key; the codes of the store and of
 * `WorkerErrorCode`; the signal's reason; `TypeError` for options that make no sense.
 */
export async function changeKeyInWorker(options: ChangeKeyInWorkerOptions): Promise<void> {
  const change = keyChange(options);
  const { worker, shared = false, signal } = options;
  signal?.throwIfAborted();
  const connection = connectWorker({ worker, shared });
  await callRemote(connection, (session) => session.changeKey(change), { time: systemTime, signal });
}
