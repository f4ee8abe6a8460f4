/** The engine without a worker: for service workers, extensions' backgrounds and Node. */
import type { Client } from "@coppice/client";
import { type EngineParts, openEngine } from "./engine.ts";
import { type EngineOptions, openRequest } from "./options.ts";

export { createMemoryStore, type Store } from "@coppice/storage";
export type { EngineParts } from "./engine.ts";

export interface OpenHereOptions extends EngineOptions, EngineParts {
  /** Stops opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens the engine in this context, where it does its work between everything else. In a page use `openInWorker`.
 * It needs `fetch` and `WebSocket`, of which Node has the latter from version 22 on.
 *
 * @throws `CoppiceError` with the codes of the engine, the store and the Delivery Service; the signal's reason;
 * `TypeError` for options that make no sense.
 */
export async function openHere({ signal, store, ...options }: OpenHereOptions): Promise<Client> {
  return openEngine({
    ...openRequest(options),
    ...(signal === undefined ? {} : { signal }),
    ...(store === undefined ? {} : { store }),
  });
}
