/** The page's end of the boundary. */
import type { Client } from "@coppice/client";
import { type EngineOptions, openRequest } from "./options.ts";
import { RemoteClient } from "./page/remote-client.ts";
import { connectWorker, type EngineWorker, startWorker } from "./spawn.ts";

export interface OpenInWorkerOptions extends EngineOptions {
  /**
   * Starts the worker, for bundlers that do not find it by themselves and for shared workers. Its script is
   * `@coppice/worker/worker`. A worker made here belongs to the client, which terminates it.
   */
  readonly worker?: () => EngineWorker;
  /** Stops opening; the worker is ended. */
  readonly signal?: AbortSignal;
}

/**
 * Opens an engine in a worker of its own and returns what the page needs of it: the newest snapshots, calls and events.
 * Keys, group state and storage never reach the page. `close` ends the worker.
 *
 * Everything that waits when the worker ends rejects with `ERR_WORKER_DIED`, and the client reports a `problem`; open it
 * again then, nothing acknowledged is lost.
 *
 * @throws `CoppiceError` with the codes of the engine, the store and the Delivery Service, and those of
 * `WorkerErrorCode`; the signal's reason; `TypeError` for options that make no sense.
 */
export async function openInWorker({ worker = startWorker, signal, ...options }: OpenInWorkerOptions): Promise<Client> {
  const request = openRequest(options);
  signal?.throwIfAborted();
  return RemoteClient.open(connectWorker(worker), request, signal === undefined ? {} : { signal });
}
