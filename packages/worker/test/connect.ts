/** A page and a worker in one process, over a real MessageChannel. */
import { systemTime } from "@coppice/kit";
import { onTestFinished } from "vitest";
import { Engines, type EngineSource } from "../src/host/engines.ts";
import { servePort } from "../src/host.ts";
import { type Client, openInWorker } from "../src/index.ts";
import { FakeClient } from "./fake-client.ts";
import { FakeSource } from "./fake-engine.ts";

export interface Pair {
  readonly engine: FakeClient;
  readonly client: Client;
  /** The worker's end of the port. */
  readonly workerPort: MessagePort;
  /** The page's end of the port. */
  readonly pagePort: MessagePort;
}

/** `engine` is the client that the only session has. */
export async function connect({
  engine = new FakeClient("alice"),
  source = new FakeSource(() => engine),
}: { engine?: FakeClient; source?: EngineSource } = {}): Promise<Pair> {
  const { pagePort, workerPort } = serve(source);
  const client = await openInWorker({ name: "alice", server: "https://chat.example", worker: () => pagePort });
  onTestFinished(() => client.close());
  return { engine, client, workerPort, pagePort };
}

/** A port to a worker of its own. */
export function serve(source: EngineSource): { readonly pagePort: MessagePort; readonly workerPort: MessagePort } {
  const { port1: pagePort, port2: workerPort } = new MessageChannel();
  servePort(workerPort, new Engines(source, systemTime));
  onTestFinished(() => pagePort.close());
  return { pagePort, workerPort };
}

/** Lets everything that is in flight arrive. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It did not reject");
}
