/** The engine without a worker: for service workers, extensions' backgrounds and Node. */
import type { Client } from "@coppice/client";
import { localClient } from "./direct/local-client.ts";
import { type EngineParts, engineSource, locate, openAlone } from "./engine.ts";
import {
  type AccountOptions,
  accountOf,
  type ChangeKeyOptions,
  type EngineOptions,
  keyChange,
  openRequest,
} from "./options.ts";

export { createMemoryStore, type Store } from "@coppice/storage";
export type { EngineParts } from "./engine.ts";
export type { AccountOptions, ChangeKeyOptions } from "./options.ts";

export interface OpenHereOptions extends EngineOptions, EngineParts {
  /** Stops opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens the engine in this context, where it does its work between everything else. In a page use `openInWorker`.
 * It needs `fetch`; without a `WebSocket` (Node before version 22) events come by long polling. A relative `server` is one of
 * this context's own location.
 *
 * @throws `CoppiceError` with the codes of the engine, the store and the Delivery Service; the signal's reason;
 * `TypeError` for options that make no sense.
 */
export async function openHere(options: OpenHereOptions): Promise<Client> {
  const request = openRequest(options);
  const { signal, store } = options;
  const client = await openAlone(request, {
    ...(signal === undefined ? {} : { signal }),
    ...(store === undefined ? {} : { store }),
  });
  return localClient(client);
}

/**
 * Changes what protects an account's data on this device. It takes one small write, and contexts that have the account open go on.
 *
 * @throws `CoppiceError` `ERR_STORE_WRONG_KEY`, and nothing has changed, if `from` is not the key; the codes of the store;
 * `TypeError` for options that make no sense.
 */
export async function changeKeyHere(options: ChangeKeyOptions): Promise<void> {
  const { from, to, ...request } = keyChange(options);
  await engineSource.changeKey(await locate(request), { from, to });
}

/**
 * Deletes an account's database from this device without opening it, also one that is damaged or of which the key is lost.
 * Clients that have it open lose it (`ERR_STORE_LOST`).
 *
 * @throws `CoppiceError` `ERR_STORE_BLOCKED` if a context does not let go of the database, `ERR_STORE_UNAVAILABLE`,
 * `ERR_STORE_IO`; `TypeError` for options that make no sense.
 */
export async function wipeHere(options: AccountOptions): Promise<void> {
  await engineSource.wipe(await locate(accountOf(options)));
}
