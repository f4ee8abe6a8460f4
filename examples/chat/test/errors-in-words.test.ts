import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { FakeError } from "../dev/fake-client.ts";
import { codeInWords, errorInWords, knownErrorCodes } from "../src/errors-in-words.ts";

vi.mock("coppice", async () => await import("../dev/coppice.ts"));

/** The unions in the contracts: the compiler checks the table against them, this checks it against what is written. */
const contracts = [
  "../../../packages/kit/src/errors.ts",
  "../../../packages/storage/src/contract.ts",
  "../../../packages/delivery/src/contract.ts",
  "../../../packages/client/src/api.ts",
  "../../../packages/worker/src/errors.ts",
];

describe("errors in words", () => {
  let contractCodes: string[] = [];
  beforeAll(() => {
    const text = contracts.map((path) => readFileSync(new URL(path, import.meta.url), "utf8")).join("\n");
    contractCodes = [...text.matchAll(/^ {2}\| "(ERR_[A-Z_]+)"/gmu)].map(([, code = ""]) => code);
  });

  it("has words for every code of the contracts and for no others", () => {
    expect(contractCodes.length).toBeGreaterThan(60);
    expect([...knownErrorCodes].sort()).toEqual([...contractCodes].sort());
  });

  it("never shows a code or a gap, with or without detail", () => {
    for (const code of knownErrorCodes) {
      for (const detail of [{}, { user: "bob", name: "bob", retryAfter: 2.5 }]) {
        const words = codeInWords(code, detail);
        expect(words).toMatch(/^[“A-Z].*[.]$/u);
        expect(words).not.toMatch(/ERR_|undefined|NaN/u);
      }
    }
  });

  it("names who it is about, isolated from the sentence", () => {
    const error = new FakeError("ERR_DS_UNKNOWN_USER", { user: "\u202Ebob" });
    expect(errorInWords(error)).toContain("“\u2068\u202Ebob\u2069”");
  });

  it("says how long to wait", () => {
    expect(codeInWords("ERR_DS_RATE_LIMITED", { retryAfter: 0.2 })).toContain("1 second.");
    expect(codeInWords("ERR_DS_RATE_LIMITED", { retryAfter: 2.5 })).toContain("3 seconds");
    expect(codeInWords("ERR_DS_RATE_LIMITED")).toContain("a moment");
  });

  it("falls back to general words that name a code it does not know", () => {
    expect(codeInWords("ERR_WORKER_DEAD")).toContain("ERR_WORKER_DEAD");
    expect(codeInWords("constructor")).toContain("(constructor)");
  });

  it("says nothing of what other errors contain", () => {
    expect(errorInWords(new Error("secret"))).not.toContain("secret");
    expect(errorInWords("secret")).not.toContain("secret");
  });
});
