/** Errors are recognised by brand: an application may load two copies of the SDK. */
import { expect, test, vi } from "vitest";
import { CoppiceError, isCoppiceError } from "../src/errors.ts";

async function anotherCopy(): Promise<typeof import("../src/errors.ts")> {
  vi.resetModules();
  return import("../src/errors.ts");
}

test("an error of another copy of the class is recognised, and this copy's by the other", async () => {
  const other = await anotherCopy();
  expect(other.CoppiceError).not.toBe(CoppiceError);
  const foreign: unknown = new other.CoppiceError("ERR_MLS_EPOCH", "Another epoch");
  expect(foreign).not.toBeInstanceOf(CoppiceError);
  expect(isCoppiceError(foreign)).toBe(true);
  expect(isCoppiceError(foreign, "ERR_MLS_EPOCH")).toBe(true);
  expect(isCoppiceError(foreign, "ERR_MLS_AEAD")).toBe(false);
  expect(other.isCoppiceError(new CoppiceError("ERR_MLS_EPOCH", "Another epoch"), "ERR_MLS_EPOCH")).toBe(true);
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["null", null],
  ["a string", "ERR_MLS_EPOCH"],
  ["an error that only looks like one", Object.assign(new Error("m"), { name: "CoppiceError", code: "ERR_MLS_EPOCH" })],
  ["what a structured clone leaves", structuredClone(new CoppiceError("ERR_MLS_EPOCH", "m"))],
])("%s is none", (_what, value) => {
  expect(isCoppiceError(value)).toBe(false);
  expect(isCoppiceError(value, "ERR_MLS_EPOCH")).toBe(false);
});

test("it carries code, requirement, detail and cause, and shows no brand", () => {
  const cause = new Error("why");
  const error = new CoppiceError("ERR_MLS_LEAF_NODE", "The leaf is invalid", {
    requirement: "R-7.3-4",
    detail: { leaf: 3 },
    cause,
  });
  expect(error).toMatchObject({ name: "CoppiceError", code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-4", cause });
  expect(error.detail).toEqual({ leaf: 3 });
  expect(error).toBeInstanceOf(Error);
  expect(Object.keys(error).sort()).toEqual(["code", "detail", "name", "requirement"]);
  const plain = new CoppiceError("ERR_MLS_EPOCH", "m");
  expect("cause" in plain).toBe(false);
  expect(plain.detail).toEqual({});
});
