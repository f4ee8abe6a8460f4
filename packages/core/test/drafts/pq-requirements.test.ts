/** The published rules of the post-quantum suites: each that refuses has its test, and no test names a rule that is not published. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const CATALOGUE = new URL("../../../../docs/drafts/post-quantum.md", import.meta.url);
const TESTS = new URL("../", import.meta.url);

test("each published rule that refuses has a test, and each that a test names is published", () => {
  const rows = [...readFileSync(CATALOGUE, "utf8").matchAll(/^\| `(Q-[\d.]+-\d+)` .*\|\s*(\S[^|]*?)\s*\|$/gm)];
  const published = rows.map(([, id = "", refusedWith = ""]) => ({ id, refuses: refusedWith !== "-" }));
  expect(published.length).toBeGreaterThan(8);
  const named = new Set(
    readdirSync(TESTS, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".test.ts"))
      .flatMap((file) => [...readFileSync(new URL(file, TESTS), "utf8").matchAll(/Q-[\d.]+-\d+/g)].map(([id]) => id)),
  );
  expect(published.filter(({ id, refuses }) => refuses && !named.has(id)).map(({ id }) => id)).toEqual([]);
  expect([...named].filter((id) => !published.some((rule) => rule.id === id))).toEqual([]);
});
