/** Messages that neither side of this build would send. */
import { describe, expect, it, onTestFinished } from "vitest";
import { PROTOCOL } from "../src/calls.ts";
import { type Client, isCoppiceError, openInWorker } from "../src/index.ts";
import type { Request } from "../src/protocol.ts";
import { encodeError } from "../src/wire/error.ts";
import { rejection, serve, settled } from "./connect.ts";
import { FakeConversation } from "./fake-client.ts";
import { FakeSource } from "./fake-engine.ts";

const snapshot = new FakeConversation("0a").snapshot;
const state = { online: true, conversations: ["0a"], snapshots: [snapshot] };

/** A worker that a test plays by hand. */
class Puppet {
  readonly port: MessagePort;
  readonly client: Promise<Client>;
  /** Answers by method; anything else is left unanswered. */
  answers: Record<string, unknown>;
  /** Goes with the next reply. */
  state: unknown;
  readonly #ids = new Map<string, string>();

  constructor(answers: Record<string, unknown> = {}) {
    this.answers = {
      greet: { protocol: PROTOCOL, locked: false },
      open: { name: "alice", device: "d0" },
      close: undefined,
      ...answers,
    };
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    port2.addEventListener("message", ({ data }: MessageEvent<{ id: string; argumentList: { value: Request }[] }>) => {
      const method = data.argumentList[0]?.value.method ?? "";
      this.#ids.set(method, data.id);
      if (method in this.answers) this.answer(method, this.answers[method]);
    });
    port2.start();
    this.client = openInWorker({ name: "alice", server: "https://chat.example", worker: () => port1 });
    this.client.catch(() => undefined);
    onTestFinished(() => port2.close());
  }

  /** Answers the last call of a method. */
  answer(method: string, value: unknown): void {
    this.reply(method, { type: "RAW", value: { ok: true, value, state: this.state } });
    this.state = undefined;
  }

  reply(method: string, reply: object): void {
    this.port.postMessage({ id: this.#ids.get(method), ...reply });
  }

  /** A client that knows the conversation 0a. */
  async opened(): Promise<Client> {
    this.state = state;
    const client = await this.client;
    await settled();
    return client;
  }
}

describe("a hostile worker", () => {
  it("of another build is refused by its fingerprint", async () => {
    const puppet = new Puppet({ greet: { protocol: "0", locked: false } });
    const error = await rejection(puppet.client);
    expect(error).toMatchObject({ code: "ERR_WORKER_VERSION", detail: { page: PROTOCOL, worker: "0" } });
  });

  it.each([
    ["greeting", { greet: "hello" }],
    ["fingerprint", { greet: { protocol: 1, locked: false } }],
    ["lock flag", { greet: { protocol: PROTOCOL } }],
    ["name", { open: { name: { toString: "alice" }, device: "d0" } }],
  ])("that answers with a malformed %s is refused", async (_, answers) => {
    expect(await rejection(new Puppet(answers).client)).toMatchObject({ code: "ERR_WORKER_MESSAGE" });
  });

  it.each([
    ["another handler of Comlink's", { type: "HANDLER", name: "proxy", value: null }],
    ["an error for another handler", { type: "HANDLER", name: "proxy", value: encodeError(new TypeError("x")) }],
    ["an unknown handler", { type: "HANDLER", name: "evil", value: 1 }],
    ["Comlink's plain error", { type: "HANDLER", name: "throw", value: { isError: true, value: { stack: "x" } } }],
    ["no type", { value: { ok: true } }],
    ["no outcome", { type: "RAW", value: {} }],
    ["a malformed error", { type: "RAW", value: { ok: false, error: 7 } }],
    ["an error that has no code", { type: "RAW", value: { ok: false, error: { kind: "error", name: "Error" } } }],
  ])("that replies with %s rejects that call only", async (_, reply) => {
    const puppet = new Puppet();
    const client = await puppet.client;
    const call = rejection(client.sync());
    await settled();
    puppet.reply("sync", reply);
    expect(await call).toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    puppet.answers["sync"] = undefined;
    await client.sync();
  });

  const broken = (change: object) => ({ ...state, snapshots: [{ ...snapshot, ...change }] });

  it.each([
    ["nothing in it", 7],
    ["a conversation without a snapshot", { ...state, snapshots: [] }],
    ["a bad number of members", broken({ memberCount: undefined })],
    ["a negative epoch", broken({ epoch: -1n })],
    ["an unknown status", broken({ status: "x" })],
    ["a snapshot without a title", broken({ title: undefined })],
  ])("that sends a state with %s ends the link", async (_, sent) => {
    const puppet = new Puppet();
    const client = await puppet.client;
    const problems: string[] = [];
    client.on("problem", ({ code }) => problems.push(code));
    const call = rejection(client.sync());
    await settled();
    puppet.state = sent;
    puppet.answer("sync", undefined);
    expect(await call).toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    expect(problems).toEqual(["ERR_WORKER_MESSAGE"]);
    expect(client.conversations).toEqual([]);
    expect(await rejection(client.sync())).toMatchObject({ code: "ERR_WORKER_MESSAGE" });
  });

  it.each([
    ["no events", 7],
    ["an unknown event", [{ type: "constructor", value: {} }]],
    ["a message that is none", [{ type: "message", conversation: "0a", value: { kind: "change" } }]],
    ["too many events", Array.from({ length: 1000 }, () => ({ type: "problem", value: {} }))],
  ])("that reports %s ends the link", async (_, events) => {
    const puppet = new Puppet();
    const client = await puppet.opened();
    const problems: string[] = [];
    client.on("problem", ({ code }) => problems.push(code));
    const call = rejection(client.sync());
    await settled();
    puppet.answer("next", events);
    expect(await call).toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    expect(problems).toEqual(["ERR_WORKER_MESSAGE"]);
    expect(await rejection(client.sync())).toMatchObject({ code: "ERR_WORKER_MESSAGE" });
  });

  it("that sends noise is not heard", async () => {
    const puppet = new Puppet({ sync: undefined });
    const client = await puppet.client;
    for (const noise of [
      null,
      1,
      "x",
      [],
      {},
      { id: 1 },
      { id: "", type: "RAW" },
      { id: "unknown", type: "RAW", value: { ok: true, state } },
      { id: "x".repeat(1e5), type: "RAW" },
      { id: "1", type: "APPLY", path: [], argumentList: [] },
    ]) {
      puppet.port.postMessage(noise);
    }
    await client.sync();
    expect(client.conversations).toEqual([]);
  });

  it("that answers with other things than history, members or secrets rejects the call", async () => {
    const puppet = new Puppet({
      history: [{ kind: "message" }],
      exportSecret: "secret",
      send: null,
      members: { members: [{ user: 1 }], next: undefined },
      createGroup: "99",
    });
    puppet.state = state;
    const client = await puppet.client;
    const group = client.conversation("0a");
    await expect(group?.history()).rejects.toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    await expect(group?.exportSecret("l", new Uint8Array(), 1)).rejects.toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    await expect(group?.send("x")).rejects.toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    await expect(group?.members()).rejects.toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    await expect(client.createGroup()).rejects.toMatchObject({ code: "ERR_WORKER_MESSAGE" });
  });
});

describe("a hostile page", () => {
  interface Answer {
    readonly id: string;
    readonly type: string;
    readonly value: { readonly ok: boolean; readonly error: { readonly name?: string; readonly code?: string } };
  }

  /** Posts messages to a worker and returns its replies. */
  async function replies(...messages: readonly unknown[]): Promise<readonly Answer[]> {
    const { pagePort } = serve(new FakeSource());
    const answers: Answer[] = [];
    pagePort.onmessage = ({ data }: MessageEvent<Answer>) => answers.push(data);
    for (const message of messages) pagePort.postMessage(message);
    await settled();
    return answers;
  }

  const raw = (value: unknown) => ({ id: "1", type: "APPLY", path: [], argumentList: [{ type: "RAW", value }] });
  const ask = (method: string, args: readonly unknown[], more: object = {}) =>
    raw({ call: 1, target: "session", conversation: undefined, method, args, ...more });
  const open = ask("open", [{ name: "a", server: "https://a", database: undefined, key: undefined }, undefined]);

  it.each([
    ["reads a property", { type: "GET", path: ["call"] }],
    ["sets a property", { type: "SET", path: ["call"], value: { type: "RAW", value: 1 } }],
    ["constructs", { type: "CONSTRUCT", path: [], argumentList: [] }],
    ["asks for an endpoint", { type: "ENDPOINT" }],
    ["walks to a property", { type: "APPLY", path: ["call"], argumentList: [{ type: "RAW", value: {} }] }],
    ["walks to a constructor", { type: "APPLY", path: ["constructor"], argumentList: [{ type: "RAW", value: "x" }] }],
    ["hands in a proxy", { type: "APPLY", path: [], argumentList: [{ type: "HANDLER", name: "proxy", value: 1 }] }],
    ["hands in nothing", { type: "APPLY", path: [], argumentList: [] }],
    ["hands in no list", { type: "APPLY", path: [], argumentList: { length: 1 } }],
    ["hands in a long list", { type: "APPLY", path: [], argumentList: Array(1000).fill({ type: "RAW" }) }],
  ])("that %s is refused before Comlink sees it", async (_, message) => {
    expect(await replies({ id: "1", ...message })).toMatchObject([
      { id: "1", type: "RAW", value: { ok: false, error: { code: "ERR_WORKER_MESSAGE" } } },
    ]);
  });

  it("that releases Comlink's proxy, or makes noise, is not answered and does no harm", async () => {
    const noise = [null, 1, "x", [], {}, { id: 1 }, { id: "" }, { id: "x".repeat(100), type: "GET" }];
    expect(await replies({ id: "1", type: "RELEASE", path: [] }, ...noise, open)).toMatchObject([
      { value: { ok: true, value: { name: "a" } } },
    ]);
  });

  it.each([
    ["a call before opening", ask("sync", [undefined], { target: "client" })],
    ["no call", raw(7)],
    ["a call without a number", ask("close", [], { call: "1" })],
    ["an unknown target", ask("close", [], { target: "constructor" })],
    ["an unknown method", ask("constructor", [])],
    ["a method that is not in the table", ask("end", [])],
    ["too many arguments", ask("close", Array(100).fill(0))],
    ["a bad request to open", ask("open", [{ name: 1 }, undefined])],
    ["a bad key", ask("open", [{ name: "a", server: "https://a", key: { kind: "application", key: {} } }, undefined])],
    ["a bad greeting", ask("greet", [{ connection: 5 }])],
  ])("that sends %s gets a TypeError", async (_, message) => {
    expect(await replies(message)).toMatchObject([{ value: { ok: false, error: { name: "TypeError" } } }]);
  });

  it.each([
    ["an unknown event", ask("listen", ["0a", "change"])],
    ["a second account", { ...open, id: "2" }],
    ["a method of a client that is not in the table", ask("close", [], { target: "client" })],
    ["a method that every object has", ask("toString", [], { target: "client" })],
    ["a bad argument", ask("createGroup", [{ title: 1 }], { target: "client" })],
  ])("that sends %s on an open account gets a TypeError", async (_, message) => {
    const [, answer] = await replies(open, message);
    expect(answer).toMatchObject({ value: { ok: false, error: { name: "TypeError" } } });
  });

  it("that waits for events twice, or gives two calls a number, is refused", async () => {
    const sync = ask("sync", [undefined], { target: "client", call: 5 });
    const source = new FakeSource();
    const { pagePort } = serve(source);
    const answers: Answer[] = [];
    pagePort.onmessage = ({ data }: MessageEvent<Answer>) => answers.push(data);
    pagePort.postMessage(open);
    await settled();
    const session = source.engines[0]?.sessions[0];
    if (session !== undefined) session.syncBehaviour = () => new Promise(() => undefined);
    for (const message of [sync, sync, ask("next", []), ask("next", [])]) pagePort.postMessage(message);
    await settled();
    expect(answers.slice(1)).toMatchObject([
      { value: { ok: false, error: { name: "TypeError" } } },
      { value: { ok: false, error: { name: "TypeError" } } },
    ]);
  });

  it("learns nothing of the engine's errors but what crosses by rule", async () => {
    const error = await rejection(
      openInWorker({
        name: "a",
        server: "https://a.example",
        worker: () => {
          const source = new FakeSource();
          source.opening = () => Promise.reject(Object.assign(new Error("m"), { secret: "s" }));
          return serve(source).pagePort;
        },
      }),
    );
    expect(isCoppiceError(error, "ERR_WORKER_INTERNAL")).toBe(true);
    expect(Object.keys((error as Error).cause as object)).toEqual([]);
  });
});
