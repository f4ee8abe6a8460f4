import { expose, wrap } from "comlink";
import { describe, expect, it, onTestFinished } from "vitest";
import { decodeError, encodeError, registerErrorHandler } from "../src/errors.ts";
import { CoppiceError, isCoppiceError } from "../src/index.ts";
import { connect, rejection } from "./connect.ts";
import { FakeClient, FakeConversation } from "./fake-client.ts";

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

  it("adversarial 42: keeps name and message of any other error", async () => {
    expect(await across(new TypeError("t"))).toBeInstanceOf(TypeError);
    const own = Object.assign(new Error("custom"), { name: "MyError" });
    expect(await across(own)).toMatchObject({ name: "MyError", message: "custom" });
    const abort = await across(new DOMException("stop", "AbortError"));
    expect(abort).toBeInstanceOf(DOMException);
    expect(abort).toMatchObject({ name: "AbortError", message: "stop" });
  });

  it("makes an error of a thrown value, without its content", async () => {
    for (const value of ["secret", undefined, { key: "secret" }, () => "secret"]) {
      const error = await across(value);
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).not.toContain("secret");
    }
  });

  it("leaves stacks and unknown properties behind", () => {
    const error = Object.assign(new CoppiceError("ERR_MLS_AEAD", "m"), { secret: new Uint8Array(32) });
    expect(Object.keys(encodeError(error)).sort()).toEqual(["code", "detail", "kind", "message", "name"]);
  });

  it("bounds depth, texts and detail, also of causes in a circle", () => {
    const loop = new Error("loop");
    loop.cause = loop;
    let depth = 0;
    for (let at: unknown = decodeError(encodeError(loop)); at instanceof Error; at = at.cause) depth += 1;
    expect(depth).toBe(9);
    expect(decodeError(encodeError(new Error("x".repeat(1e6)))).message).toHaveLength(2048);
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
    ["no detail", { kind: "coppice", name: "", message: "", code: "ERR_MLS_AEAD" }],
    ["a bad cause", { kind: "error", name: "Error", message: "", cause: "x" }],
  ])("refuses a description with %s", (_, wire) => {
    expect(() => decodeError(wire)).toThrow(TypeError);
  });

  it("leaves the errors of the application's own Comlink endpoints as they are", async () => {
    registerErrorHandler();
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    expose({ fail: (value: Error) => Promise.reject(value) }, port1);
    const remote = wrap<{ fail: (value: unknown) => Promise<never> }>(port2);
    expect(await rejection(remote.fail("a string"))).toBe("a string");
    expect(await rejection(remote.fail({ a: 1 }))).toEqual({ a: 1 });
  });

  it("carries errors of opening", async () => {
    const error = new CoppiceError("ERR_DS_NAME_TAKEN", "taken");
    expect(await rejection(connect({ open: () => Promise.reject(error) }))).toMatchObject({
      code: "ERR_DS_NAME_TAKEN",
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
