/** The worker in a browser: posts `{ ready }`, takes an order, posts `{ row }` for each row, then `{ done }` or `{ error }`. */
import { measureAll, type Order } from "./inside.ts";

self.addEventListener("message", (event: MessageEvent<Order>) => {
  measureAll(event.data, (row) => {
    self.postMessage({ row });
  }).then(
    () => {
      self.postMessage({ done: true });
    },
    (error: unknown) => {
      self.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    },
  );
});

// Modules that await while they load come before the listener, and messages that come before it are lost in Firefox.
self.postMessage({ ready: true });
