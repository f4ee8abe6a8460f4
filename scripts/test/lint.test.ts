import { ESLint } from "eslint";
import { describe, expect, test } from "vitest";
import { root } from "../lib/root.mjs";

/** Linted as if it were this file, with its types: one rule, one violation. */
const violating: readonly (readonly [rule: string, code: string, file: string])[] = [
  ["@typescript-eslint/no-explicit-any", "export const x: any = 1;", "packages/core/src/errors.ts"],
  ["@typescript-eslint/no-non-null-assertion", "export const x = [1][0]!;", "packages/core/src/errors.ts"],
  ["@typescript-eslint/no-floating-promises", "Promise.resolve();", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "export default 1;", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "const x = 1; export { x as default };", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "export enum X { A }", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "export const x = Math.random();", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "export const x = crypto.subtle;", "packages/core/src/errors.ts"],
  ["no-restricted-globals", "export const x = new Date();", "packages/core/src/errors.ts"],
  ["no-console", "console.log(1);", "packages/storage/src/index.ts"],
  ["no-warning-comments", "// TODO", "packages/storage/src/index.ts"],
  ["no-restricted-imports", 'export * from "@coppice/core/src/errors.ts";', "packages/storage/src/index.ts"],
  ["no-restricted-imports", 'export * from "../../../packages/core/src/errors.ts";', "e2e/playwright.config.ts"],
  ["@typescript-eslint/strict-boolean-expressions", "export const f = (n: number): boolean => !n;", "bench/run.ts"],
  ["@typescript-eslint/no-misused-promises", "[1].forEach(async (n) => { await n; });", "bench/run.ts"],
];

describe("lint", () => {
  const linter = new ESLint({ cwd: root });
  test.each(violating)("%s refuses: %s", { timeout: 60_000 }, async (rule, code, filePath) => {
    const [result] = await linter.lintText(`${code}\n`, { filePath: `${root}/${filePath}` });
    expect(result?.messages.map(({ ruleId }) => ruleId)).toContain(rule);
  });
});
