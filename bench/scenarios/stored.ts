/** What an account's calls cost on a real store: until the history has it durably, against a bare transaction of the same bytes. */
import { openClient, type Client, type Conversation } from "@coppice/client";
import { createMemoryDelivery, type MemoryDelivery, type MemoryNetwork } from "@coppice/delivery";
import { openIndexedDbStore, type PartitionWrite, type Store } from "@coppice/storage";
import type { Scenario } from "../src/scenario.ts";

/** Lengths of the records that one write puts, as they are stored. */
type Shape = readonly number[];

/** Bytes that a stored record has beside its value: see the store's README. */
const ENVELOPE = 36;

const sizeOf = ({ length }: Uint8Array): number => ENVELOPE + length;

/** A store that tells what is written. */
function watched(store: Store, onWrite: (writes: readonly PartitionWrite[]) => void): Store {
  return new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (key === "write") onWrite(args[0] as readonly PartitionWrite[]);
        return (value as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

interface Account {
  readonly client: Client;
  readonly group: Conversation;
  readonly network: MemoryNetwork;
  /** What each write put, oldest first. */
  readonly writes: Shape[];
}

/** A group of one on a new database, and a server in memory. */
async function openAccount(): Promise<Account> {
  const writes: Shape[] = [];
  const store = watched(await openIndexedDbStore({ name: `bench ${crypto.randomUUID()}` }), (parts) => {
    writes.push(parts.flatMap(({ put = new Map<string, Uint8Array>() }) => [...put.values()].map(sizeOf)));
  });
  const { network, connect } = memoryServer();
  const client = await openClient({ name: "alice", store, connect });
  const group = await client.createGroup({ title: "Bench" });
  await group.update();
  await client.sync();
  return { client, group, network, writes };
}

function memoryServer(): { network: MemoryNetwork; connect: MemoryDelivery["connect"] } {
  const server = createMemoryDelivery();
  return { network: server.network, connect: (identity) => server.connect(identity) };
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("A request failed"));
    };
  });
}

/** One durable transaction that puts as many values of the same lengths. */
async function bareTransaction(shape: Shape): Promise<(index: number) => Promise<void>> {
  const opening = indexedDB.open(`bare ${crypto.randomUUID()}`, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("records");
  };
  const database = await done(opening);
  const values = shape.map((length) => crypto.getRandomValues(new Uint8Array(length)));
  return (index) =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction("records", "readwrite", { durability: "strict" });
      transaction.oncomplete = () => {
        resolve();
      };
      transaction.onabort = () => {
        reject(transaction.error ?? new Error("The transaction was aborted"));
      };
      const records = transaction.objectStore("records");
      values.forEach((value, place) => records.put(value, `${String(index)}/${String(place)}`));
      transaction.commit();
    });
}

const BARE = "a bare transaction";
/** Messages of which the mean is taken. */
const MESSAGES = 20;
const textOf = (length: number): string => "x".repeat(length);

export const storedScenarios: readonly Scenario[] = [
  {
    name: "stored: send",
    sizes: [100, 10_000],
    sizeUnit: "bytes",
    engines: ["chromium", "firefox"],
    reference: BARE,
    setup: async (size) => {
      const { group, network, writes } = await openAccount();
      // What is sent waits: posting and its answer are not timed.
      network.reachable = false;
      writes.length = 0;
      await group.send(textOf(size));
      const [first = []] = writes;
      return { coppice: () => group.send(textOf(size)), peers: { [BARE]: await bareTransaction(first) } };
    },
  },
  {
    // From `send` to `sent`, over the records of all writes, as they are stored; without their names and the journal.
    name: "stored: bytes of a message",
    sizes: [100],
    sizeUnit: "bytes",
    engines: ["chromium", "firefox"],
    promise: 1,
    setup: async (size) => {
      const { client, group, writes } = await openAccount();
      writes.length = 0;
      for (let message = 0; message < MESSAGES; message++) {
        await group.send(textOf(size));
        await client.sync();
      }
      const bytes = writes.flat().reduce((sum, length) => sum + length, 0);
      return { bytes: { coppice: Math.round(bytes / MESSAGES) }, limit: 1300 };
    },
  },
];
