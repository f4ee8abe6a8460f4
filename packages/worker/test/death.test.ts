/** Ports and workers that go away. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { isCoppiceError, openInWorker } from "../src/index.ts";
import { servePort, serveWorker } from "../src/host.ts";
import { connect, rejection, settled } from "./connect.ts";
import { FakeClient, never } from "./fake-client.ts";

/** A `Worker` whose thread is this one. */
class LocalWorker extends EventTarget {
  readonly #port: MessagePort;
  terminated = false;

  constructor(engine: FakeClient) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    servePort(port2, async () => engine);
    port1.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (!this.terminated) this.dispatchEvent(new MessageEvent("message", { data }));
    };
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    if (!this.terminated) this.#port.postMessage(message, transfer as never);
  }

  terminate(): void {
    this.terminated = true;
    this.#port.close();
  }
}

async function withWorker() {
  const engine = new FakeClient("alice");
  engine.syncBehaviour = (options) => never(options?.signal);
  const worker = new LocalWorker(engine);
  const client = await openInWorker({
    name: "alice",
    server: "https://chat.example",
    worker: () => worker as unknown as Worker,
  });
  return { engine, worker, client };
}

describe("the end of a worker", () => {
  it.each([
    ["error", "ERR_WORKER_DIED"],
    ["messageerror", "ERR_WORKER_MESSAGE"],
  ])("adversarial 42: %s rejects everything that waits and everything after", async (type, code) => {
    const { worker, client } = await withWorker();
    const events: unknown[] = [];
    client.on("problem", (problem) => events.push(problem.code));
    client.on("connection", (connection) => events.push(connection));
    const calls = [client.sync(), client.sync()].map(rejection);
    await settled();
    worker.dispatchEvent(new Event(type));
    expect(await Promise.all(calls)).toMatchObject([{ code }, { code }]);
    expect(worker.terminated).toBe(true);
    expect(events).toEqual([{ online: false }, code]);
    expect(await rejection(client.sync())).toMatchObject({ code });
    await client.close();
  });

  it("at its start rejects the opening", async () => {
    const worker = new LocalWorker(new FakeClient("alice"));
    const opening = rejection(
      openInWorker({ name: "a", server: "https://a.example", worker: () => worker as unknown as Worker }),
    );
    worker.dispatchEvent(new Event("error"));
    expect(await opening).toMatchObject({ code: "ERR_WORKER_DIED" });
    expect(worker.terminated).toBe(true);
  });

  it("that never answers is noticed", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { port1 } = new MessageChannel();
    const opening = rejection(openInWorker({ name: "a", server: "https://a.example", worker: () => port1 }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await opening).toMatchObject({ code: "ERR_WORKER_DIED" });
  });

  it("that does not close in time is ended all the same", async () => {
    const { engine, worker, client } = await withWorker();
    engine.close = () => new Promise(() => undefined);
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const closing = client.close();
    await vi.advanceTimersByTimeAsync(5_000);
    await closing;
    expect(worker.terminated).toBe(true);
  });

  it("refused by the browser is ERR_WORKER_UNSUPPORTED", async () => {
    const error = await rejection(
      openInWorker({
        name: "a",
        server: "https://a.example",
        worker: () => {
          throw new DOMException("policy", "SecurityError");
        },
      }),
    );
    expect(isCoppiceError(error, "ERR_WORKER_UNSUPPORTED")).toBe(true);
  });
});

describe("a closed port", () => {
  it("rejects everything that waits with ERR_WORKER_CLOSED", async () => {
    const engine = new FakeClient("alice");
    engine.syncBehaviour = (options) => never(options?.signal);
    const { client, workerPort } = await connect({ engine });
    const call = rejection(client.sync());
    await settled();
    workerPort.close();
    expect(await call).toMatchObject({ code: "ERR_WORKER_CLOSED" });
    expect(await rejection(client.sync())).toMatchObject({ code: "ERR_WORKER_CLOSED" });
  });

  it("closes the engine behind it and releases its listeners", async () => {
    const { engine, pagePort } = await connect();
    pagePort.close();
    await settled();
    expect(engine.closed).toBe(1);
    const sets = Object.values(engine.listeners);
    expect(sets.map(({ size }) => size)).toEqual([0, 0, 0]);
  });
});

describe("a shared worker", () => {
  it("gives every page an engine of its own, closed with its port", async () => {
    const engines: FakeClient[] = [];
    const scope = Object.assign(new EventTarget(), { onconnect: null });
    serveWorker(async ({ name }) => {
      const engine = new FakeClient(name);
      engines.push(engine);
      return engine;
    }, scope);
    const open = (name: string) => {
      const { port1, port2 } = new MessageChannel();
      scope.dispatchEvent(Object.assign(new Event("connect"), { ports: [port2] }));
      return openInWorker({ name, server: "https://chat.example", worker: () => port1 });
    };
    const [alice, bob] = await Promise.all([open("alice"), open("bob")]);
    expect([alice.name, bob.name]).toEqual(["alice", "bob"]);
    await alice.close();
    expect(engines.map(({ closed }) => closed)).toEqual([1, 0]);
    await bob.sync();
    await bob.close();
  });

  it("is recognised by its scope; anything that is no worker is refused", () => {
    expect(() => serveWorker(async () => new FakeClient("a"), {})).toThrow(TypeError);
  });
});
