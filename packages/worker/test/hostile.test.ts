/** Messages that neither side of this build would send. */
import { describe, expect, it, onTestFinished } from "vitest";
import { thrown } from "../src/errors.ts";
import { servePort } from "../src/host.ts";
import { type Client, type CoppiceError, isCoppiceError, openInWorker } from "../src/index.ts";
import { PAGE_METHODS, PROTOCOL_VERSION, WORKER_METHODS } from "../src/protocol.ts";
import { rejection, settled } from "./connect.ts";
import { FakeClient, FakeConversation } from "./fake-client.ts";

/** A worker that a test plays by hand. */
class Puppet {
  readonly requests: { readonly id: string; readonly path: readonly string[] }[] = [];
  readonly port: MessagePort;
  readonly client: Promise<Client>;
  /** Answers by method; anything else is left unanswered. */
  answers: Record<string, unknown>;

  constructor(answers: Record<string, unknown> = {}) {
    this.answers = { greet: { version: PROTOCOL_VERSION, locked: false }, open: "alice", close: undefined, ...answers };
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    port2.addEventListener("message", ({ data }: MessageEvent<{ id: string; path?: string[]; type: string }>) => {
      const method = data.path?.[0];
      if (method === undefined) return;
      this.requests.push({ id: data.id, path: data.path ?? [] });
      if (method in this.answers) port2.postMessage({ id: data.id, type: "RAW", value: this.answers[method] });
    });
    port2.start();
    this.client = openInWorker({ name: "alice", server: "https://chat.example", worker: () => port1 });
    this.client.catch(() => undefined);
    onTestFinished(() => port2.close());
  }

  id(method: string): string {
    return this.requests.findLast(({ path }) => path[0] === method)?.id ?? "";
  }

  deliver(batch: unknown): void {
    this.port.postMessage({
      id: "1-2-3-4",
      type: "APPLY",
      path: ["deliver"],
      argumentList: [{ type: "RAW", value: batch }],
    });
  }
}

const snapshot = new FakeConversation("0a").snapshot;
const state = { online: true, conversations: ["0a"], snapshots: [snapshot] };

describe("a hostile worker", () => {
  it("of another build is refused by its version", async () => {
    const puppet = new Puppet({ greet: { version: PROTOCOL_VERSION + 1, locked: false } });
    const error = await rejection(puppet.client);
    expect(isCoppiceError(error, "ERR_WORKER_VERSION")).toBe(true);
    expect((error as CoppiceError).detail).toEqual({ page: PROTOCOL_VERSION, worker: PROTOCOL_VERSION + 1 });
  });

  it.each([
    ["greeting", { greet: "hello" }],
    ["version", { greet: { version: "1", locked: false } }],
    ["lock flag", { greet: { version: PROTOCOL_VERSION } }],
    ["name", { open: { toString: "alice" } }],
  ])("that answers with a malformed %s is refused", async (_, answers) => {
    const error = await rejection(new Puppet(answers).client);
    expect(isCoppiceError(error) || error instanceof TypeError).toBe(true);
  });

  it.each([
    ["another handler of Comlink's", { type: "HANDLER", name: "proxy", value: null }],
    ["an error for another handler", { type: "HANDLER", name: "proxy", value: thrown(new Error("x")) }],
    ["an unknown handler", { type: "HANDLER", name: "evil", value: 1 }],
    ["Comlink's plain error", { type: "HANDLER", name: "throw", value: { isError: true, value: { stack: "x" } } }],
    ["a malformed error", { type: "HANDLER", name: "throw", value: { isError: true, value: { coppice: 7 } } }],
  ])("that replies with %s rejects that call only", async (_, reply) => {
    const puppet = new Puppet();
    const client = await puppet.client;
    const call = rejection(client.sync());
    await settled();
    puppet.port.postMessage({ id: puppet.id("sync"), ...reply });
    expect(await call).toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    puppet.answers["sync"] = undefined;
    await client.sync();
  });

  it.each([
    ["no batch", 7],
    ["no state", { events: [] }],
    ["a conversation without a snapshot", { state: { ...state, snapshots: [] }, events: [] }],
    ["no members", { state: { ...state, snapshots: [{ ...snapshot, members: undefined }] }, events: [] }],
    ["a bad member", { state: { ...state, snapshots: [{ ...snapshot, members: [{ name: 1 }] }] }, events: [] }],
    ["a negative epoch", { state: { ...state, snapshots: [{ ...snapshot, epoch: -1n }] }, events: [] }],
    ["an unknown status", { state: { ...state, snapshots: [{ ...snapshot, status: "x" }] }, events: [] }],
    ["an unknown event", { state, events: [{ type: "constructor", value: {} }] }],
    ["a message that is none", { state, events: [{ type: "message", conversation: "0a", value: { kind: "change" } }] }],
    ["too many events", { state, events: Array.from({ length: 1000 }, () => ({ type: "problem", value: {} })) }],
  ])("that delivers %s ends the link", async (_, batch) => {
    const puppet = new Puppet();
    const client = await puppet.client;
    const problems: string[] = [];
    client.on("problem", ({ code }) => problems.push(code));
    const call = rejection(client.sync());
    puppet.deliver(batch);
    expect(await call).toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    expect(problems).toEqual(["ERR_WORKER_MESSAGE"]);
    expect(await rejection(client.sync())).toMatchObject({ code: "ERR_WORKER_MESSAGE" });
  });

  it("that sends noise is not heard", async () => {
    const puppet = new Puppet({ sync: undefined });
    const client = await puppet.client;
    puppet.deliver({ state, events: [] });
    await settled();
    for (const noise of [
      null,
      1,
      "x",
      [],
      {},
      { id: 1 },
      { id: "", type: "RAW" },
      { id: "x".repeat(1e5), type: "RAW" },
    ]) {
      puppet.port.postMessage(noise);
    }
    await client.sync();
    expect(client.conversations).toHaveLength(1);
  });

  it("that answers with other things than history or secrets rejects the call", async () => {
    const puppet = new Puppet({
      history: [{ kind: "message" }],
      exportSecret: "secret",
      send: null,
      createGroup: "99",
    });
    const client = await puppet.client;
    puppet.deliver({ state, events: [] });
    await settled();
    const group = client.conversation("0a");
    await expect(group?.history()).rejects.toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    await expect(group?.exportSecret("l", new Uint8Array(), 1)).rejects.toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    await expect(group?.send("x")).rejects.toMatchObject({ code: "ERR_WORKER_MESSAGE" });
    await expect(client.createGroup()).rejects.toMatchObject({ code: "ERR_WORKER_MESSAGE" });
  });
});

describe("a hostile page", () => {
  /** Posts one message to a worker and returns the reply. */
  async function reply(message: Record<string, unknown>): Promise<{ value?: { value?: unknown } } | undefined> {
    const { port1, port2 } = new MessageChannel();
    servePort(port2, async () => new FakeClient("alice"));
    onTestFinished(() => port1.close());
    let answer: { value?: { value?: unknown } } | undefined;
    port1.onmessage = ({ data }: MessageEvent<{ value?: { value?: unknown } }>) => (answer = data);
    port1.postMessage(message);
    await settled();
    return answer;
  }

  const refusal = { type: "HANDLER", value: { value: { coppice: { code: "ERR_WORKER_MESSAGE" } } } };

  it.each([
    ["reads a property", { type: "GET", path: ["open"] }],
    ["sets a property", { type: "SET", path: ["open"], value: { type: "RAW", value: 1 } }],
    ["constructs", { type: "CONSTRUCT", path: ["open"], argumentList: [] }],
    ["asks for an endpoint", { type: "ENDPOINT" }],
    ["walks to a constructor", { type: "APPLY", path: ["open", "constructor"], argumentList: [] }],
    ["calls an inherited method", { type: "APPLY", path: ["toString"], argumentList: [] }],
    ["calls the page's method", { type: "APPLY", path: ["deliver"], argumentList: [] }],
    [
      "hands in a proxy",
      { type: "APPLY", path: ["sync"], argumentList: [{ type: "HANDLER", name: "proxy", value: 1 }] },
    ],
    ["hands in no list", { type: "APPLY", path: ["sync"], argumentList: { length: 1 } }],
    ["hands in a long list", { type: "APPLY", path: ["sync"], argumentList: Array(1000).fill({ type: "RAW" }) }],
  ])("that %s is refused", async (_, message) => {
    expect(await reply({ id: "1", ...message })).toMatchObject({ id: "1", ...refusal });
  });

  it.each([
    ["a call before opening", "sync", [1]],
    ["a call without a number", "sync", []],
    ["a bad request to open", "open", [1, { name: 1 }]],
    ["a bad key", "open", [1, { name: "a", server: "https://a", key: { kind: "application", key: {} } }]],
    ["a bad greeting", "greet", [{ connection: 5 }]],
    ["an unknown event", "listen", ["0a", "change"]],
  ])("that sends %s gets a TypeError", async (_, method, args) => {
    const argumentList = args.map((value) => ({ type: "RAW", value }));
    expect(await reply({ id: "1", type: "APPLY", path: [method], argumentList })).toMatchObject({
      value: { value: { name: "TypeError" } },
    });
  });
});

it("the protocol is frozen: whoever changes the methods raises PROTOCOL_VERSION", () => {
  expect({ version: PROTOCOL_VERSION, worker: Object.keys(WORKER_METHODS), page: Object.keys(PAGE_METHODS) }).toEqual({
    version: 1,
    worker: [
      ...["greet", "open", "createGroup", "sync", "history", "add", "remove", "leave", "rename", "update", "send"],
      ...["resend", "discard", "exportSecret", "forget", "abort", "listen", "unlisten", "close"],
    ],
    page: ["deliver"],
  });
});
