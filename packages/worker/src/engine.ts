/** The one place where the parts are put together. */
import {
  broadcastPeers,
  type CallOptions,
  checkName,
  type Client,
  openClient,
  openEngine,
  type OpenEngineOptions,
} from "@coppice/client";
import { loadKernel, toHex, utf8 } from "@coppice/core";
import { connectDelivery, normalServerUrl } from "@coppice/delivery";
import { changeStoreKey, deleteIndexedDbStore, openIndexedDbStore, type Store } from "@coppice/storage";
import type { Account, EngineSource } from "./host/engines.ts";
import type { AccountRequest, OpenRequest } from "./protocol.ts";

/** Replaces what a context lacks. */
export interface EngineParts {
  /** Where the account is kept; the engine closes it. Default: an encrypted database in IndexedDB. */
  readonly store?: Store;
}

/** Accounts in IndexedDB, each in a database of its own. */
export const engineSource: EngineSource = {
  locate,
  open: (account, key, options) => assemble(openEngine, account, { ...options, key }),
  checkKey: async (account, key) => {
    const store = await openDatabase(account, key);
    await store.close();
  },
  changeKey: ({ database }, { from, to }) => changeStoreKey({ name: database, from, to }),
  backUp: async function* (account, { key, ...work }) {
    const { backUp } = await import("./engine-backup.ts");
    yield* backUp({ ...work, open: () => openDatabase(account, key) });
  },
  restore: async (account, file, { key, ...work }) => {
    const { restore } = await import("./engine-backup.ts");
    await restore(file, { ...work, open: () => openDatabase(account, key), user: account.name });
  },
  wipe: ({ database }) => deleteIndexedDbStore(database),
};

/** Opens an engine in this context, which ends with its only client. */
export async function openAlone(request: OpenRequest, options: CallOptions & EngineParts): Promise<Client> {
  return assemble(openClient, await locate(request), { ...options, key: request.key });
}

/** The account in normal form: the same database for the same account, however its name and server are written. */
export async function locate(request: AccountRequest): Promise<Account> {
  const name = checkName(request.name);
  const server = normalServerUrl(request.server);
  return { name, server, database: request.database ?? (await defaultDatabase(server, name)) };
}

async function assemble<T>(
  open: (options: OpenEngineOptions) => Promise<T>,
  account: Account,
  { key, signal, store: given }: CallOptions & EngineParts & Pick<OpenRequest, "key">,
): Promise<T> {
  signal?.throwIfAborted();
  const store = given ?? (await openDatabase(account, key));
  // A store of the application's may be anywhere: only who shares a database has the same channel.
  const peers = given === undefined ? broadcastPeers(`coppice-engines ${account.database}`) : undefined;
  try {
    return await open({
      name: account.name,
      store,
      peers,
      connect: (identity) => connectDelivery({ url: account.server, identity }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    peers?.close();
    await store.close();
    throw error;
  }
}

function openDatabase({ database }: Account, key: OpenRequest["key"]): Promise<Store> {
  return openIndexedDbStore({ name: database, ...(key === undefined ? {} : { key }) });
}

/** A database for each account, under a name that does not show whose it is at a glance. */
async function defaultDatabase(server: string, name: string): Promise<string> {
  const { sha256 } = await loadKernel();
  return `coppice-${toHex(sha256.digest(utf8(`${server}\0${name}`)).subarray(0, 16))}`;
}
