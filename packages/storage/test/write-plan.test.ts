import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { planWrites } from "../src/write-plan.ts";

function plan(value: unknown) {
  return planWrites([{ partition: "p", expectedVersion: 0, put: new Map([["a", value as Uint8Array]]) }]);
}

test("bytes of another realm are taken, as this realm's", () => {
  const foreign: unknown = runInNewContext("Uint8Array.of(1, 2, 3)");
  expect(foreign instanceof Uint8Array).toBe(false);
  const value = plan(foreign)[0]?.put.get("a");
  expect(value).toEqual(Uint8Array.of(1, 2, 3));
  expect(value instanceof Uint8Array).toBe(true);
});

test("a Buffer and a part of a larger array are copied, not shared", () => {
  const whole = Uint8Array.of(0, 1, 2, 3);
  const [fromBuffer, fromPart] = [Buffer.from(whole), whole.subarray(1, 3)].map((value) =>
    plan(value)[0]?.put.get("a"),
  );
  whole.fill(9);
  expect([fromBuffer, fromPart]).toEqual([Uint8Array.of(0, 1, 2, 3), Uint8Array.of(1, 2)]);
  expect(fromPart?.buffer.byteLength).toBe(2);
});

test.each<[string, unknown]>([
  ["a string", "hello"],
  ["an array", [1, 2]],
  ["an ArrayBuffer", new ArrayBuffer(2)],
  ["a DataView", new DataView(new ArrayBuffer(2))],
  ["another typed array", new Uint16Array(2)],
  ["an object that looks like one", { length: 2, 0: 1, 1: 2, [Symbol.toStringTag]: "Uint8Array" }],
  ["null", null],
  ["undefined", undefined],
])("%s is a TypeError", (_what, value) => {
  expect(() => plan(value)).toThrow(TypeError);
});
