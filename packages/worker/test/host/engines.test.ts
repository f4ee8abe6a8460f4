import { systemTime } from "@coppice/kit";
import { describe, expect, it } from "vitest";
import { type EndSession, Engines } from "../../src/host/engines.ts";
import { rejection, settled } from "../connect.ts";
import { never } from "../fake-client.ts";
import { FakeSource } from "../fake-engine.ts";

const alice = { name: "alice", server: "https://chat.example", database: undefined, key: undefined };
const { signal: unaborted } = new AbortController();

function setUp() {
  const source = new FakeSource();
  const engines = new Engines(source, systemTime);
  const open = (request: object = {}, signal = unaborted, onEnd: EndSession = () => undefined) =>
    engines.open({ ...alice, ...request }, signal, onEnd);
  return { source, engines, open };
}

describe("engines", () => {
  it("opens one for whoever means the same account, however they write it", async () => {
    const { source, open } = setUp();
    const leases = await Promise.all([open(), open({ name: "ALICE" }), open({ server: "https://chat.example/" })]);
    expect(source.engines).toHaveLength(1);
    expect(new Set(leases.map(({ client }) => client)).size).toBe(3);
  });

  it("refuses a session with another key than that of the store", async () => {
    const { source, open } = setUp();
    const passphrase = { kind: "passphrase", passphrase: "right" };
    await open({ key: passphrase });
    for (const key of [{ kind: "passphrase", passphrase: "wrong" }, { kind: "device" }, undefined]) {
      expect(await rejection(open({ key }))).toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
    }
    await open({ key: passphrase });
    expect(source.engines).toHaveLength(1);
    expect(source.engines[0]?.sessions).toHaveLength(2);
  });

  it("refuses a session of another account on the same database", async () => {
    const { open } = setUp();
    await open({ database: "chat" });
    const others = [
      { database: "chat", name: "bob" },
      { database: "chat", server: "https://other.example" },
    ];
    for (const other of others) {
      expect(await rejection(open(other))).toMatchObject({ code: "ERR_CLIENT_WRONG_ACCOUNT" });
    }
  });

  it("closes an engine with its last session, and opens another only when it has closed", async () => {
    const { source, open } = setUp();
    const [first, second] = await Promise.all([open(), open()]);
    await first.release();
    expect(source.engines[0]?.closed).toBe(0);
    await Promise.all([second.release(), second.release()]);
    expect(source.engines[0]?.closed).toBe(1);

    const third = await open();
    const engine = source.engines[1];
    let closed = (): void => undefined;
    if (engine !== undefined) engine.close = () => new Promise((resolve) => (closed = resolve));
    const releasing = third.release();
    await settled();
    const fourth = open();
    await settled();
    expect(source.engines).toHaveLength(2);
    closed();
    await Promise.all([releasing, fourth]);
    expect(source.engines).toHaveLength(3);
  });

  it("lets the next one try when the first gives up or fails", async () => {
    const { source, open } = setUp();
    source.opening = (signal) => never(signal);
    const controller = new AbortController();
    const first = open({}, controller.signal);
    const second = open();
    const waiting = new AbortController();
    const third = open({}, waiting.signal);
    await settled();
    waiting.abort();
    await expect(third).rejects.toThrow(DOMException);
    source.opening = undefined;
    controller.abort(new Error("first"));
    await expect(first).rejects.toThrow("first");
    await second;
    expect(source.engines).toHaveLength(1);
  });

  it("keeps an engine that cannot be closed from being used again", async () => {
    const { source, open } = setUp();
    const lease = await open();
    const [engine] = source.engines;
    if (engine !== undefined) engine.close = () => Promise.reject(new Error("defect"));
    await lease.release();
    await open();
    expect(source.engines).toHaveLength(2);
  });

  it("ends the sessions of an account that is wiped, and only those", async () => {
    const { source, engines, open } = setUp();
    const ended: string[] = [];
    const lease = await open({}, unaborted, ({ code }) => void ended.push(`alice ${code}`));
    await open({ name: "bob" }, unaborted, ({ code }) => void ended.push(`bob ${code}`));
    await engines.wipe(alice);
    expect(ended).toEqual(["alice ERR_STORE_LOST"]);
    expect(source.wiped).toEqual(["https://chat.example alice"]);
    expect(source.engines.map(({ closed }) => closed)).toEqual([1, 0]);
    await lease.release();
    expect(source.engines[0]?.closed).toBe(1);
  });

  it("wipes what nobody has open, whatever key it has", async () => {
    const { source, engines, open } = setUp();
    const lease = await open({ key: { kind: "passphrase", passphrase: "forgotten" } });
    await lease.release();
    await engines.wipe(alice);
    expect(source.engines).toHaveLength(1);
    await open();
  });
});
