/** The one place where the parts are put together. */
import { type CallOptions, type Client, openClient } from "@coppice/client";
import { loadKernel, toHex, utf8 } from "@coppice/core";
import { connectDelivery } from "@coppice/delivery";
import { openIndexedDbStore, type Store } from "@coppice/storage";
import type { OpenRequest } from "./protocol.ts";

/** Replaces what a context lacks. */
export interface EngineParts {
  /** Where the account is kept; the client closes it. Default: an encrypted database in IndexedDB. */
  readonly store?: Store;
}

/** Opens the engine in this context. */
export async function openEngine(request: OpenRequest & CallOptions & EngineParts): Promise<Client> {
  const { name, server, key, signal } = request;
  signal?.throwIfAborted();
  const store =
    request.store ??
    (await openIndexedDbStore({
      name: request.database ?? (await defaultDatabase(server, name)),
      ...(key === undefined ? {} : { key }),
    }));
  try {
    return await openClient({
      name,
      store,
      ...(signal === undefined ? {} : { signal }),
      connect: (identity) => connectDelivery({ url: server, identity }),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A database for each account, under a name that does not show whose it is at a glance. */
async function defaultDatabase(server: string, name: string): Promise<string> {
  const { sha256 } = await loadKernel();
  return `coppice-${toHex(sha256.digest(utf8(`${server}\0${name.normalize("NFC")}`)).subarray(0, 16))}`;
}
