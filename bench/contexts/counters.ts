/**
 * Counts what an engine asks of its platform, from outside: records of IndexedDB that are read and written, durable
 * transactions, locks, requests. Load it before the engine.
 */

export interface Counts {
  recordsRead: number;
  recordsWritten: number;
  /** Transactions that may write. */
  transactions: number;
  locks: number;
  /** HTTP requests. */
  requests: number;
  /** WebSockets that were opened. */
  sockets: number;
}

const counts: Counts = { recordsRead: 0, recordsWritten: 0, transactions: 0, locks: 0, requests: 0, sockets: 0 };

/** Replaces a method by one that counts and then does the same. */
function tap<T extends object>(
  target: T,
  name: keyof T,
  count: (args: readonly unknown[], result: unknown) => void,
): void {
  const original = target[name] as unknown as (...args: unknown[]) => unknown;
  Object.defineProperty(target, name, {
    configurable: true,
    value(this: unknown, ...args: unknown[]): unknown {
      const result = original.apply(this, args);
      count(args, result);
      return result;
    },
  });
}

/** Counts the records that a request yields. */
function whenRead(result: unknown): void {
  const request = result as IDBRequest<unknown>;
  request.addEventListener("success", () => {
    const value = request.result;
    if (Array.isArray(value)) counts.recordsRead += value.length;
    else if (value !== undefined && value !== null) counts.recordsRead += 1;
  });
}

// Who asks for values and their keys reads each record once.
for (const method of ["get", "getKey", "getAll", "openCursor"] as const) {
  for (const source of [IDBObjectStore.prototype, IDBIndex.prototype]) {
    tap(source, method, (_, result) => {
      whenRead(result);
    });
  }
}
tap(IDBObjectStore.prototype, "put", () => (counts.recordsWritten += 1));
tap(IDBObjectStore.prototype, "delete", () => (counts.recordsWritten += 1));
tap(IDBDatabase.prototype, "transaction", ([, mode]) => {
  if (mode === "readwrite") counts.transactions += 1;
});
tap(LockManager.prototype, "request", () => (counts.locks += 1));
tap(globalThis, "fetch", () => (counts.requests += 1));

const NativeWebSocket = WebSocket;
globalThis.WebSocket = class extends NativeWebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    counts.sockets += 1;
  }
};

/** The page asks over a channel that has the worker's name. */
const channel = new BroadcastChannel(`counts:${self.name}`);
channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
  if (data === "ask") channel.postMessage({ ...counts });
});
