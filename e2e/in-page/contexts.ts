/** A page that does what a spec tells it, with the built packages: no user interface. */
import type { Order } from "./obedient-worker.ts";
import { type Client, type Conversation, Coppice, isCoppiceError } from "coppice";

/** Set by the spec: hears of what was acknowledged even if the page ends before it could say so itself. */
declare function acknowledged(text: string): Promise<void>;

interface Told {
  readonly problems: string[];
  /** Texts of `message` events. */
  readonly messages: string[];
}

let client: Client | undefined;
/** Of the worker that does what it is told, if that is asked for: one for each page, or one for all. */
let workerName = "";
const told: Told = { problems: [], messages: [] };

function opened(): Client {
  if (client === undefined) throw new Error("Nothing is open");
  return client;
}

function conversation(id: string): Conversation {
  const found = opened().conversation(id);
  if (found === undefined) throw new Error(`There is no conversation ${id}`);
  return found;
}

const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);

const contexts = {
  /** Opens an account in this page's worker, or in one that all pages share; its code if it is refused. */
  open: async (
    name: string,
    options: { readonly shared?: boolean; readonly passphrase?: string; readonly obedient?: boolean } = {},
  ) => {
    const { shared = false, passphrase, obedient = false } = options;
    workerName = shared ? "obedient" : crypto.randomUUID();
    const worker = (): Worker | SharedWorker =>
      new (shared ? SharedWorker : Worker)("/obedient-worker.js", { type: "module", name: workerName });
    try {
      client = await Coppice.open({
        name,
        server: location.origin,
        ...(obedient ? { worker } : { shared }),
        ...(passphrase === undefined ? {} : { key: { kind: "passphrase", passphrase } }),
      });
    } catch (error) {
      if (!isCoppiceError(error)) throw error;
      return error.code;
    }
    client.on("problem", ({ code }) => told.problems.push(code));
    return "open";
  },

  close: () => opened().close(),

  /** Tells this page's worker, if it is an obedient one. */
  order: (order: Order) => {
    new BroadcastChannel(workerName).postMessage(order);
  },

  online: () => opened().online,

  conversations: () => opened().conversations.map(({ id }) => id),

  createGroup: async (title: string, users: readonly string[]) => {
    const group = await opened().createGroup({ title });
    await group.add(users);
    return group.id;
  },

  listen: (id: string) => {
    conversation(id).on("message", ({ data }) => told.messages.push(textOf(data)));
  },

  /** Sends texts at once; each is acknowledged when it is stored durably. */
  send: async (id: string, texts: readonly string[]) => {
    await Promise.all(
      texts.map(async (text) => {
        await conversation(id).send(text);
        await acknowledged(text);
      }),
    );
  },

  /** Every message of the history: its text and, for own ones, its state. */
  read: async (id: string) => {
    const found: [text: string, state: string][] = [];
    for (let before: number | undefined; ;) {
      const items = await conversation(id).history({ limit: 500, ...(before === undefined ? {} : { before }) });
      for (const item of items) if (item.kind === "message") found.push([textOf(item.data), item.state]);
      const [first] = items;
      if (first === undefined || items.length < 500) return found;
      before = first.seq;
    }
  },

  told: () => told,

  /** Engines that wait for the place of the one that talks to the server; pages and workers only watch each other. */
  followers: async () => {
    const { pending = [] } = await navigator.locks.query();
    return pending.filter(({ name = "" }) => !/^coppice-(?:page|worker):/.test(name)).length;
  },

  /** The code that creating a group is refused with. */
  tryToCreate: async () => {
    try {
      await opened().createGroup();
      return "created";
    } catch (error) {
      return isCoppiceError(error) ? error.code : String(error);
    }
  },

  wipe: (name: string, options: { readonly shared?: boolean } = {}) =>
    Coppice.wipe({ name, server: location.origin, ...options }),

  databases: async () => (await indexedDB.databases()).map(({ name = "" }) => name),

  /** Overwrites every value of a database that nobody has open. */
  damage: async (name: string) => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => {
          resolve(request.result);
        };
        request.onerror = () => {
          reject(request.error ?? new Error("The request failed"));
        };
      });
    const database = await settled(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const objects = database.transaction(store, "readwrite").objectStore(store);
      const keys = await settled(objects.getAllKeys());
      for (const key of keys) {
        if (objects.keyPath === null) await settled(objects.put("x", key));
        else await settled(objects.delete(key));
      }
    }
    database.close();
  },
};

export type Contexts = typeof contexts;
Object.assign(globalThis, { contexts });
