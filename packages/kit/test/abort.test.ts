/** Waiting with signals. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { abortReason, anySignal, assertSignal, untilAborted } from "../src/abort.ts";
import { countedSignal, never } from "./counted-signal.ts";

describe("until aborted", () => {
  test("settles like the work, and leaves nothing behind on the signal", async () => {
    const { signal, listeners } = countedSignal();
    await expect(untilAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(untilAborted(Promise.reject(new Error("work")), signal)).rejects.toThrow("work");
    expect(listeners()).toBe(0);
  });

  test("rejects with the signal's reason as soon as it aborts, after telling", async () => {
    const { controller, signal } = countedSignal();
    const told = vi.fn();
    const wait = untilAborted(never, signal, told);
    await Promise.resolve();
    expect(told).not.toHaveBeenCalled();
    controller.abort(new Error("enough"));
    expect(told).toHaveBeenCalledTimes(1);
    await expect(wait).rejects.toThrow("enough");
  });

  test("rejects at once where the signal aborted before, even if the work is done", async () => {
    const told = vi.fn();
    await expect(untilAborted(Promise.resolve(7), AbortSignal.abort(new Error("before")), told)).rejects.toThrow(
      "before",
    );
    expect(told).toHaveBeenCalledTimes(1);
  });

  test("a failure of work that goes on after the abort is nobody's uncaught one", async () => {
    const controller = new AbortController();
    let fail = (_error: Error): void => undefined;
    const work = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const wait = untilAborted(work, controller.signal);
    controller.abort(new Error("enough"));
    await expect(wait).rejects.toThrow("enough");
    fail(new Error("later")); // an unhandled rejection would fail the run
    await new Promise((resolve) => setImmediate(resolve));
  });

  test("without a signal it is the work itself", () => {
    const work = Promise.resolve(1);
    expect(untilAborted(work, undefined)).toBe(work);
  });

  test("the default reason is the platform's", () => {
    expect(abortReason(AbortSignal.abort())).toMatchObject({ name: "AbortError" });
    expect(abortReason(undefined)).toBeUndefined();
  });
});

test("a signal is an AbortSignal, or there is none", () => {
  for (const signal of [undefined, new AbortController().signal, AbortSignal.abort()])
    expect(() => {
      assertSignal(signal);
    }).not.toThrow();
  for (const none of [null, 7, "x", {}, { aborted: "no" }, new AbortController()])
    expect(() => {
      assertSignal(none);
    }).toThrow(new TypeError("signal: an AbortSignal is expected"));
});

describe("any signal", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("aborts with the first, with its reason, also where the platform has no AbortSignal.any", () => {
    class Older {
      static readonly any = undefined;
    }
    vi.stubGlobal("AbortSignal", Older);
    const [a, b] = [countedSignal(), countedSignal()];
    const { signal } = anySignal(a.signal, undefined, b.signal);
    expect(signal.aborted).toBe(false);
    b.controller.abort(new Error("b"));
    a.controller.abort(new Error("a"));
    expect(signal.reason).toEqual(new Error("b"));
    expect([a.listeners(), b.listeners()]).toEqual([0, 0]);
  });

  test("is aborted already where one of them is", () => {
    const { signal } = anySignal(new AbortController().signal, AbortSignal.abort(new Error("before")));
    expect(signal.reason).toEqual(new Error("before"));
  });

  test("lets go of the signals when released, and does not abort any more", () => {
    const a = countedSignal();
    const { signal, release } = anySignal(a.signal);
    release();
    expect(a.listeners()).toBe(0);
    a.controller.abort();
    expect(signal.aborted).toBe(false);
  });

  test("of none never aborts", () => {
    expect(anySignal(undefined).signal.aborted).toBe(false);
  });
});
