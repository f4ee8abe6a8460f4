/** Ports and workers that go away. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { isCoppiceError, openInWorker, wipeInWorker } from "../src/index.ts";
import { serveWorker } from "../src/host.ts";
import { connect, rejection, serve, settled } from "./connect.ts";
import { FakeClient, FakeConversation, never } from "./fake-client.ts";
import { FakeSource } from "./fake-engine.ts";

/** A `Worker` whose thread is this one. */
class LocalWorker extends EventTarget {
  readonly #port: MessagePort;
  terminated = false;

  constructor(engine: FakeClient) {
    super();
    const { pagePort } = serve(new FakeSource(() => engine));
    this.#port = pagePort;
    pagePort.onmessage = ({ data }: MessageEvent<unknown>) => {
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
    expect(events).toEqual([{ online: false, transport: undefined }, code]);
    expect(await rejection(client.sync())).toMatchObject({ code });
    await client.close();
  });

  it.each([
    ["because its script fails", Object.assign(new Event("error"), { message: "x is not defined" }), "ERR_WORKER_DIED"],
    ["because its script cannot be loaded", new Event("error"), "ERR_WORKER_NOT_LOADED"],
  ])("at its start %s rejects the opening", async (_, event, code) => {
    const worker = new LocalWorker(new FakeClient("alice"));
    const opening = rejection(
      openInWorker({ name: "a", server: "https://a.example", worker: () => worker as unknown as Worker }),
    );
    worker.dispatchEvent(event);
    expect(await opening).toMatchObject({ code });
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
    expect(sets.map(({ size }) => size)).toEqual([0, 0, 0, 0]);
  });
});

describe("a shared worker", () => {
  /** A shared worker's scope, and pages that open accounts in it. */
  function shared(source: FakeSource) {
    const scope = Object.assign(new EventTarget(), { onconnect: null });
    serveWorker(source, scope);
    const port = () => {
      const { port1, port2 } = new MessageChannel();
      scope.dispatchEvent(Object.assign(new Event("connect"), { ports: [port2] }));
      onTestFinished(() => port1.close());
      return port1;
    };
    const open = (name: string, pagePort = port()) =>
      openInWorker({ name, server: "https://chat.example", worker: () => pagePort });
    return { open, port };
  }

  it("gives every account an engine of its own, closed with its last page", async () => {
    const source = new FakeSource();
    const { open } = shared(source);
    const [alice, bob] = await Promise.all([open("alice"), open("bob")]);
    expect([alice.name, bob.name]).toEqual(["alice", "bob"]);
    await alice.close();
    expect(source.engines.map(({ closed }) => closed)).toEqual([1, 0]);
    await bob.sync();
    await bob.close();
    expect(source.running).toEqual([]);
  });

  it("holds one engine for all pages of an account; a page that dies ends its session only", async () => {
    const source = new FakeSource();
    const { open, port } = shared(source);
    const ports = [port(), port(), port(), port()];
    const clients = await Promise.all(ports.map((own) => open("alice", own)));
    expect(source.engines).toHaveLength(1);
    const [engine] = source.engines;
    expect(engine?.sessions).toHaveLength(4);
    ports[0]?.close();
    await settled();
    await clients[1]?.close();
    expect(engine?.sessions.map(({ closed }) => closed)).toEqual([1, 1, 0, 0]);
    expect(engine?.closed).toBe(0);
    await clients[2]?.sync();
    ports[2]?.close();
    await clients[3]?.close();
    await settled();
    expect(engine?.closed).toBe(1);
    const again = await open("alice");
    expect(source.engines).toHaveLength(2);
    await again.close();
  });

  it("tells each session what its engine tells it", async () => {
    const source = new FakeSource();
    const { open } = shared(source);
    const clients = await Promise.all([open("alice"), open("alice")]);
    const seen: unknown[] = [];
    for (const [index, client] of clients.entries()) client.on("conversation", ({ id }) => seen.push([index, id]));
    const sessions = source.engines[0]?.sessions ?? [];
    for (const session of sessions) session.appear(new FakeConversation("0a", "Lunch"));
    await settled();
    expect(seen).toEqual([
      [0, "0a"],
      [1, "0a"],
    ]);
    await Promise.all(clients.map((client) => client.close()));
  });

  it("tells the pages of an account that another page wiped", async () => {
    const source = new FakeSource();
    const { open, port } = shared(source);
    const [alice, bob] = await Promise.all([open("alice"), open("bob")]);
    const problems: string[] = [];
    alice.on("problem", ({ code }) => problems.push(code));
    const pagePort = port();
    await wipeInWorker({ name: "alice", server: "https://chat.example", worker: () => pagePort });
    await settled();
    expect(problems).toEqual(["ERR_STORE_LOST"]);
    expect(await rejection(alice.sync())).toMatchObject({ code: "ERR_STORE_LOST" });
    expect(alice.online).toBe(false);
    await bob.sync();
    expect(source.engines.map(({ closed }) => closed)).toEqual([1, 0]);
    await bob.close();
  });

  it("is recognised by its scope; anything that is no worker is refused", () => {
    expect(() => serveWorker(new FakeSource(), {})).toThrow(TypeError);
  });
});
