import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ESLint } from "eslint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../lib/root.mjs";

/** A rule, a line that breaks it, and the file of that name in which the line stands. */
const violating: readonly (readonly [rule: string, code: string, file: string])[] = [
  ["@typescript-eslint/no-explicit-any", "export const x1: any = 1;", "packages/core/src/errors.ts"],
  ["@typescript-eslint/no-non-null-assertion", "export const x2 = [1][0]!;", "packages/core/src/errors.ts"],
  ["@typescript-eslint/no-floating-promises", "Promise.resolve();", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "export default 1;", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "export { y as default }; const y = 1;", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "export enum X { A }", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "export const x3 = Math.random();", "packages/core/src/errors.ts"],
  ["no-restricted-syntax", "export const x4 = crypto.subtle;", "packages/core/src/errors.ts"],
  ["no-restricted-globals", "export const x5 = new Date();", "packages/core/src/errors.ts"],
  ["no-console", "console.log(1);", "packages/storage/src/index.ts"],
  ["no-warning-comments", "// TODO", "packages/storage/src/index.ts"],
  ["no-restricted-imports", 'export * from "@coppice/core/src/errors.ts";', "packages/storage/src/index.ts"],
  ["no-restricted-imports", 'export * from "../../../packages/core/src/errors.ts";', "e2e/playwright.config.ts"],
  [
    "@typescript-eslint/strict-boolean-expressions",
    "export const f = (n: number): boolean => !n;",
    "scripts/test/lint.slow.test.ts",
  ],
  [
    "@typescript-eslint/no-misused-promises",
    "[1].forEach(async (n) => { await n; });",
    "scripts/test/lint.slow.test.ts",
  ],
];

let workspace = "";

beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), "coppice-lint-"));
  const compilerOptions = { strict: true, target: "ES2022", module: "ESNext", types: [] };
  writeFileSync(join(workspace, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*.ts"] }));
  for (const [, line, file] of violating) {
    mkdirSync(join(workspace, dirname(file)), { recursive: true });
    appendFileSync(join(workspace, file), `${line}\n`);
  }
});

afterAll(() => {
  rmSync(workspace, { recursive: true });
});

test("the linter refuses each of these lines by its rule", { timeout: 60_000 }, async () => {
  const linter = new ESLint({
    cwd: workspace,
    overrideConfigFile: join(root, "eslint.config.js"),
    overrideConfig: { languageOptions: { parserOptions: { project: "tsconfig.json", tsconfigRootDir: workspace } } },
  });
  const results = await linter.lintFiles(["**/*.ts"]);
  for (const [rule, text, file] of violating) {
    const result = results.find(({ filePath }) => filePath === join(workspace, file));
    const line = 1 + violating.filter((entry) => entry[2] === file).findIndex((entry) => entry[1] === text);
    const rules = result?.messages.filter((message) => message.line === line).map(({ ruleId }) => ruleId);
    expect(rules, text).toContain(rule);
  }
});
