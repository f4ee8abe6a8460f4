/** The script of the worker: storage, Delivery Service and engine, served to whoever started it. */
import { engineSource } from "./engine.ts";
import { serveWorker } from "./host.ts";

serveWorker(engineSource);
