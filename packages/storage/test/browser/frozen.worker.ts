/** A context that freezes: its thread stands still from the turn in which it has opened a transaction. */
import { oneRecord, openIndexedDbStore } from "../../src/index.ts";

export interface FreezeOrder {
  readonly name: string;
  readonly call: "write" | "stale write" | "read";
  readonly milliseconds: number;
}

self.addEventListener("message", ({ data }: MessageEvent<FreezeOrder>) => {
  void (async () => {
    const store = await openIndexedDbStore({ name: data.name });
    const wanted: IDBTransactionMode = data.call === "read" ? "readonly" : "readwrite";
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...given) {
      const made = transaction.apply(this, given);
      if (made.mode === wanted) {
        IDBDatabase.prototype.transaction = transaction;
        queueMicrotask(() => {
          self.postMessage("frozen");
          const end = performance.now() + data.milliseconds;
          while (performance.now() < end);
        });
      }
      return made;
    };
    const put = new Map([["a", Uint8Array.of(2)]]);
    const expectedVersion = data.call === "write" ? 2 : 1;
    const call =
      data.call === "read"
        ? store.read("p", [oneRecord("a")])
        : store.write([{ partition: "p", expectedVersion, put }]);
    const outcome = await call.then(
      () => "done",
      (error: unknown) => (error as { code?: string }).code,
    );
    await store.close();
    self.postMessage(outcome);
  })();
});
