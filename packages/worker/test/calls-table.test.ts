/** The table of calls: what does not fit a method does not compile, and both sides know each other by its fingerprint. */
import { describe, expect, it } from "vitest";
import { type Call, type Calls, CALLS, findCall, PROTOCOL } from "../src/calls.ts";
import type { CallOptions, Conversation } from "../src/index.ts";
import { list, optional, plain, struct, tagged } from "../src/wire/codec.ts";
import { bytes, constant, count, nothing, text } from "../src/wire/primitives.ts";
import { callOptions, item, users } from "../src/wire/values.ts";

interface Api {
  readonly name: string;
  on(event: string): () => void;
  rename(title: string, options?: CallOptions): Promise<void>;
  find(query?: string): Promise<number | undefined>;
}

describe("the table", () => {
  it("has a line for each method that returns a promise, and for nothing else", () => {
    const calls: Calls<Api> = {
      rename: { args: [text, callOptions], result: nothing },
      find: { args: [optional(text)], result: optional(count) },
    };
    // @ts-expect-error a line is missing
    const missing: Calls<Api> = { rename: { args: [text, callOptions], result: nothing } };
    // @ts-expect-error there is no such method
    const unknown: Calls<Api> = { ...calls, forget: { args: [], result: nothing } };
    // @ts-expect-error it returns no promise
    const event: Calls<Api> = { ...calls, on: { args: [text], result: nothing } };
    expect([calls, missing, unknown, event]).toHaveLength(4);
  });

  it("has lines that fit their methods", () => {
    const lines: Call<Api["rename"]>[] = [
      { args: [text, callOptions], result: nothing },
      // @ts-expect-error another parameter
      { args: [count, callOptions], result: nothing },
      // @ts-expect-error a parameter is missing
      { args: [text], result: nothing },
      // @ts-expect-error one too many
      { args: [text, text, callOptions], result: nothing },
      // @ts-expect-error another result
      { args: [text, callOptions], result: text },
      // @ts-expect-error a codec that drops the signal
      { args: [text, plain<CallOptions | undefined>("", () => undefined)], result: nothing },
    ];
    const optionals: Call<Api["find"]>[] = [
      { args: [optional(text)], result: optional(count) },
      // @ts-expect-error the argument may be missing
      { args: [text], result: optional(count) },
      // @ts-expect-error the result may be missing
      { args: [optional(text)], result: count },
    ];
    const wide: Call<Conversation["add"]>[] = [
      { args: [users, callOptions], result: nothing },
      // @ts-expect-error one name is allowed, too
      { args: [list(text), callOptions], result: nothing },
    ];
    const results: Call<Conversation["send"]>["result"][] = [
      item,
      // @ts-expect-error not every item is a message
      struct<{ readonly kind: "message" }>({ kind: constant("message") }),
    ];
    expect([lines.length, optionals.length, wide.length, results.length]).toEqual([6, 3, 2, 2]);
  });

  it("has codecs that fit their types", () => {
    interface Point {
      readonly x: number;
      readonly label?: string;
    }
    const codecs = [
      struct<Point>({ x: count, label: text }),
      // @ts-expect-error a property is missing
      struct<Point>({ x: count }),
      // @ts-expect-error another type
      struct<Point>({ x: text, label: text }),
      // @ts-expect-error a property that there is not
      struct<Point>({ x: count, label: text, y: count }),
      // @ts-expect-error a variant is missing
      tagged<"kind", { readonly kind: "a" } | { readonly kind: "b" }>("kind", { a: struct({ kind: constant("a") }) }),
    ];
    expect(codecs).toHaveLength(5);
  });

  it("knows which calls can be aborted", () => {
    const abortable = Object.keys(CALLS.conversation).filter(
      (name) => findCall("conversation", name)?.takesSignal === true,
    );
    expect(Object.keys(CALLS.conversation).filter((name) => !abortable.includes(name))).toEqual(["exportSecret"]);
    expect(findCall("client", "createGroup")?.takesSignal).toBe(true);
    expect(findCall("session", "next")?.takesSignal).toBe(false);
  });

  it("has nothing in it that a line does not say", () => {
    for (const method of ["toString", "constructor", "__proto__", "end", "call", ""]) {
      for (const target of ["session", "client", "conversation"] as const) {
        expect(findCall(target, method)).toBeUndefined();
      }
    }
  });

  it("has a fingerprint made of its shapes", () => {
    expect(PROTOCOL).toMatch(/^2-[0-9a-z]{1,7}$/);
    expect(struct<{ a: string; b: readonly number[] }>({ a: text, b: list(count) }).form).toBe("{a:text,b:[count]}");
    expect(optional(bytes).form).toBe("bytes?");
    expect(item.form).toContain("kind:gap");
  });
});
