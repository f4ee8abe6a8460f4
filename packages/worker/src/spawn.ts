/** Starting the worker, and what a connection is made of. */
import { workerError } from "./errors.ts";
import type { Connection } from "./page/link.ts";

/** Where an engine may run: a worker of its own, a shared worker, or behind a port to either. */
export type EngineWorker = Worker | SharedWorker | MessagePort;

/**
 * Starts the worker that this package brings. Bundlers recognise the expression and emit the worker as a chunk of its own;
 * from sources, Vite finds `worker.ts` under the name that the compiler will give it.
 */
export function startWorker(): Worker {
  if (typeof Worker === "undefined") {
    throw workerError("ERR_WORKER_UNSUPPORTED", "This context cannot start workers; use openHere of the direct entry");
  }
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "coppice" });
}

/** Connects to what `start` makes. `ERR_WORKER_UNSUPPORTED` if the browser refuses it. */
export function connectWorker(start: () => EngineWorker): Connection {
  const worker = started(start);
  if ("terminate" in worker) {
    return {
      port: worker,
      errors: [worker],
      release: () => {
        worker.terminate();
      },
    };
  }
  const port = "port" in worker ? worker.port : worker;
  return {
    port,
    errors: worker === port ? [port] : [worker, port],
    release: () => {
      port.close();
    },
  };
}

function started(start: () => EngineWorker): EngineWorker {
  try {
    return start();
  } catch (error) {
    // A content security policy, or a script of another origin.
    if (!(error instanceof DOMException)) throw error;
    throw workerError("ERR_WORKER_UNSUPPORTED", "The browser refused to start the worker", { cause: error });
  }
}
