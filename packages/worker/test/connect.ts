/** A page and a worker in one process, over a real MessageChannel. */
import { onTestFinished } from "vitest";
import type { OpenEngine } from "../src/host/session.ts";
import { servePort } from "../src/host.ts";
import { type Client, openInWorker } from "../src/index.ts";
import { FakeClient } from "./fake-client.ts";

export interface Pair {
  readonly engine: FakeClient;
  readonly client: Client;
  /** The worker's end of the port. */
  readonly workerPort: MessagePort;
  /** The page's end of the port. */
  readonly pagePort: MessagePort;
}

export async function connect({
  engine = new FakeClient("alice"),
  open = async () => engine,
}: { engine?: FakeClient; open?: OpenEngine } = {}): Promise<Pair> {
  const { port1: pagePort, port2: workerPort } = new MessageChannel();
  servePort(workerPort, open);
  const client = await openInWorker({ name: "alice", server: "https://chat.example", worker: () => pagePort });
  onTestFinished(() => client.close());
  return { engine, client, workerPort, pagePort };
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
  throw new Error("it did not reject");
}
