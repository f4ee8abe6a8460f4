import { runInNewContext } from "node:vm";
import { transferHandlers } from "comlink";
import { describe, expect, it } from "vitest";
import { CoppiceError, isCoppiceError } from "../src/index.ts";
import { decodeError, encodeError } from "../src/wire/error.ts";
import { connect, rejection } from "./connect.ts";
import { FakeClient, FakeConversation } from "./fake-client.ts";
import { FakeSource } from "./fake-engine.ts";

/** What the page sees of `error` thrown by the engine. */
async function across(error: unknown): Promise<unknown> {
  const engine = new FakeClient("alice");
  const thrown = error as Error;
  engine.syncBehaviour = () => Promise.reject(thrown);
  const { client } = await connect({ engine });
  return rejection(client.sync());
}

describe("errors across the boundary", () => {
  it("keeps class, code, requirement, detail and causes", async () => {
    const cause = new CoppiceError("ERR_MLS_SIGNATURE", "inner", {
      requirement: "R-7.3-4",
      cause: new RangeError("innermost"),
    });
    const seen = await across(
      new CoppiceError("ERR_CLIENT_ALREADY_MEMBER", "bob is a member", {
        detail: { name: "bob", epoch: 2n, list: ["a", 1], flag: true },
        cause,
      }),
    );
    expect(isCoppiceError(seen, "ERR_CLIENT_ALREADY_MEMBER")).toBe(true);
    expect(seen).toMatchObject({
      name: "CoppiceError",
      message: "bob is a member",
      requirement: undefined,
      detail: { name: "bob", epoch: 2n, list: ["a", 1], flag: true },
      cause: { code: "ERR_MLS_SIGNATURE", message: "inner", requirement: "R-7.3-4" },
    });
    const innermost = seen instanceof Error && seen.cause instanceof Error ? seen.cause.cause : undefined;
    expect(innermost).toBeInstanceOf(RangeError);
  });

  it("recognises errors of another copy of the SDK, on both sides", async () => {
    const copy = Object.assign(new Error("bob is a member"), {
      code: "ERR_CLIENT_ALREADY_MEMBER",
      detail: { user: "bob" },
      requirement: undefined,
    });
    Object.defineProperty(copy, Symbol.for("coppice.error"), { value: true });
    expect(copy).not.toBeInstanceOf(CoppiceError);
    const seen = await across(copy);
    expect(isCoppiceError(seen, "ERR_CLIENT_ALREADY_MEMBER")).toBe(true);
    expect(seen).toMatchObject({ message: "bob is a member", detail: { user: "bob" } });
  });

  it("keeps the class of a caller's mistake", async () => {
    expect(await across(new TypeError("t"))).toBeInstanceOf(TypeError);
    expect(await across(new RangeError("r", { cause: new Error("c") }))).toMatchObject({
      name: "RangeError",
      cause: { message: "c" },
    });
    const foreign = runInNewContext("new RangeError('foreign')") as Error;
    expect(await across(foreign)).toBeInstanceOf(RangeError);
  });

  it("adversarial 42: gives any other error a code, and keeps its name and message as the cause", async () => {
    const own = Object.assign(new Error("custom"), { name: "MyError" });
    for (const [error, cause] of [
      [own, { name: "MyError", message: "custom" }],
      [new DOMException("stop", "AbortError"), { name: "AbortError", message: "stop" }],
      [new SyntaxError("syntax"), { name: "SyntaxError", message: "syntax" }],
      [runInNewContext("new Error('foreign')") as Error, { name: "Error", message: "foreign" }],
    ]) {
      const seen = await across(error);
      expect(isCoppiceError(seen, "ERR_WORKER_INTERNAL")).toBe(true);
      expect(seen).toMatchObject({ cause });
    }
  });

  it("makes an error of a thrown value, without its content", async () => {
    for (const value of ["secret", undefined, { key: "secret" }, () => "secret"]) {
      const error = await across(value);
      expect(error).toMatchObject({ code: "ERR_WORKER_INTERNAL" });
      expect(String(error) + String((error as Error).cause)).not.toContain("secret");
    }
  });

  it("leaves stacks and unknown properties behind", () => {
    const error = Object.assign(new CoppiceError("ERR_MLS_AEAD", "m"), { secret: new Uint8Array(32) });
    expect(Object.keys(encodeError(error)).sort()).toEqual(["code", "detail", "kind", "message"]);
  });

  it("bounds depth, texts and detail, also of causes in a circle", () => {
    const loop = new TypeError("loop");
    loop.cause = loop;
    let depth = 0;
    for (let at: unknown = decodeError(encodeError(loop)); at instanceof Error; at = at.cause) depth += 1;
    expect(depth).toBe(9);
    expect(decodeError(encodeError(new TypeError("x".repeat(1e6)))).message).toHaveLength(2048);
    const detail = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, index]));
    const wide = decodeError(encodeError(new CoppiceError("ERR_MLS_AEAD", "m", { detail })));
    expect(isCoppiceError(wide) && Object.keys(wide.detail)).toHaveLength(32);
    const odd = { deep: { secret: 1 }, bytes: new Uint8Array(3), list: [1, "a", {}] } as never;
    const clean = decodeError(encodeError(new CoppiceError("ERR_MLS_AEAD", "m", { detail: odd })));
    expect(isCoppiceError(clean) && clean.detail).toEqual({ list: [1, "a"] });
  });

  it.each([
    ["no object", 7],
    ["no kind", { name: "Error", message: "" }],
    ["no message", { kind: "error", name: "Error" }],
    ["a foreign code", { kind: "coppice", name: "", message: "", code: "EVIL", detail: {} }],
    ["a class that is no caller's mistake", { kind: "error", name: "Error", message: "" }],
    ["no detail", { kind: "coppice", name: "", message: "", code: "ERR_MLS_AEAD" }],
    ["a bad cause", { kind: "error", name: "TypeError", message: "", cause: "x" }],
  ])("refuses a description with %s", (_, wire) => {
    expect(() => decodeError(wire)).toThrow(TypeError);
  });

  it("leaves Comlink's handlers, which an application may use itself, as they are", async () => {
    const before = new Map(transferHandlers);
    await across(new TypeError("t"));
    expect(new Map(transferHandlers)).toEqual(before);
  });

  it("carries errors of opening", async () => {
    const error = new CoppiceError("ERR_DS_NAME_TAKEN", "taken");
    const source = new FakeSource();
    source.opening = () => Promise.reject(error);
    expect(await rejection(connect({ source }))).toMatchObject({
      code: "ERR_DS_NAME_TAKEN",
    });
  });

  it("gives an impossible result of the engine a code", async () => {
    const engine = new FakeClient("alice");
    const group = engine.appear(new FakeConversation("0a"));
    group.safetyNumber = () => Promise.resolve(7 as never);
    const { client } = await connect({ engine });
    expect(await rejection(client.conversation("0a")?.safetyNumber() ?? expect.fail())).toMatchObject({
      code: "ERR_WORKER_INTERNAL",
      cause: { message: "a string is expected" },
    });
  });

  it("answers for a conversation that is gone", async () => {
    const engine = new FakeClient("alice");
    engine.appear(new FakeConversation("0a"));
    const { client } = await connect({ engine });
    const group = client.conversation("0a");
    engine.conversations = [];
    await expect(group?.update()).rejects.toMatchObject({ code: "ERR_CLIENT_UNKNOWN_CONVERSATION" });
  });
});
