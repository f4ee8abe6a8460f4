/** The one place where the parts are put together. */
import { type CallOptions, openClient } from "@coppice/client";
import { loadKernel, toHex, utf8 } from "@coppice/core";
import { connectDelivery } from "@coppice/delivery";
import { deleteIndexedDbStore, openIndexedDbStore, type Store } from "@coppice/storage";
import type { Account, Engine, EngineSource } from "./host/engines.ts";
import type { AccountRequest, OpenRequest } from "./protocol.ts";

/** Replaces what a context lacks. */
export interface EngineParts {
  /** Where the account is kept; the engine closes it. Default: an encrypted database in IndexedDB. */
  readonly store?: Store;
}

/** Accounts in IndexedDB, each in a database of its own. */
export const engineSource: EngineSource = {
  locate,
  open: (account, key, options) => openEngine(account, { ...options, key }),
  checkKey: async (account, key) => {
    const store = await openDatabase(account, key);
    await store.close();
  },
  wipe: ({ database }) => deleteIndexedDbStore(database),
};

/** Opens the engine in this context. */
export async function openEngine(
  account: Account,
  { key, signal, store: given }: CallOptions & EngineParts & Pick<OpenRequest, "key">,
): Promise<Engine> {
  const { name, server } = account;
  signal?.throwIfAborted();
  const store = given ?? (await openDatabase(account, key));
  try {
    const client = await openClient({
      name,
      store,
      ...(signal === undefined ? {} : { signal }),
      connect: (identity) => connectDelivery({ url: server, identity }),
    });
    return { session: () => client, close: () => client.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The account in normal form. */
export async function locate({ name, server, database }: AccountRequest): Promise<Account> {
  return { name, server, database: database ?? (await defaultDatabase(server, name)) };
}

function openDatabase({ database }: Account, key: OpenRequest["key"]): Promise<Store> {
  return openIndexedDbStore({ name: database, ...(key === undefined ? {} : { key }) });
}

/** A database for each account, under a name that does not show whose it is at a glance. */
async function defaultDatabase(server: string, name: string): Promise<string> {
  const { sha256 } = await loadKernel();
  return `coppice-${toHex(sha256.digest(utf8(`${server}\0${name.normalize("NFC")}`)).subarray(0, 16))}`;
}
