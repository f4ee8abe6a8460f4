/** The README's examples run as they stand. */
import "fake-indexeddb/auto";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import * as conformance from "../src/conformance.ts";
import * as storage from "../src/index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const examples = Array.from(readme.matchAll(/```js\n(.*?)```/gs), ([, code]) => code ?? "");
const entries: Record<string, object> = {
  "@coppice/storage": storage,
  "@coppice/storage/conformance": conformance,
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe("README", () => {
  test("has examples", () => expect(examples).toHaveLength(6));

  test.each(examples)("%s", async (code) => {
    const printed: unknown[][] = [];
    vi.spyOn(console, "log").mockImplementation((...values) => void printed.push(values));
    const imports: [string, unknown][] = [];
    const body = code.replaceAll(/^import \{ (.*) \} from "(.*)";$/gm, (_line, names: string, entry: string) => {
      for (const name of names.split(", ")) imports.push([name, Reflect.get(entries[entry] ?? {}, name)]);
      return "";
    });
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- our own README
    const run = new Function(...imports.map(([name]) => name), `return (async () => {${body}})();`) as (
      ...values: unknown[]
    ) => Promise<void>;
    await run(...imports.map(([, value]) => value));
    const promised = Array.from(code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm), ([, comment]) => comment);
    const shown = printed.map((values) => values.map(asWritten));
    expect(shown.map((values) => values.join(" "))).toEqual(promised);
  });
});

/** A value as one would write it. */
function asWritten(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll(/"(\w+)":/g, " $1: ")
    .replace(/\}$/, " }");
}
