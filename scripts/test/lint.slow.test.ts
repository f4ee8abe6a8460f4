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
  ["no-restricted-globals", "setTimeout(() => undefined, 1);", "packages/client/src/index.ts"],
  ["no-restricted-globals", "setInterval(() => undefined, 1);", "packages/client/src/index.ts"],
  ["no-restricted-globals", "setImmediate(() => undefined);", "packages/server/src/index.ts"],
  ["no-restricted-globals", "requestIdleCallback(() => undefined);", "packages/kit/src/index.ts"],
  ["no-restricted-syntax", "globalThis.setTimeout(() => undefined, 1);", "packages/client/src/index.ts"],
  ["no-restricted-syntax", "export const c1 = Date.now();", "packages/client/src/index.ts"],
  ["no-restricted-syntax", "export const c2 = new Date();", "packages/client/src/index.ts"],
  ["no-restricted-syntax", "export const c3 = performance.now();", "packages/client/src/index.ts"],
  ["no-restricted-syntax", "export const c4 = AbortSignal.any([]);", "packages/client/src/index.ts"],
  ["no-restricted-syntax", "export const c5 = AbortSignal.timeout(1);", "packages/kit/src/index.ts"],
  ["no-restricted-syntax", 'export const c6 = URL.canParse("x");', "packages/client/src/index.ts"],
  ["no-restricted-syntax", "export const c7 = await new Blob([]).bytes();", "packages/client/src/index.ts"],
  [
    "no-restricted-syntax",
    "export async function c8(stream: AsyncIterable<number>) { for await (const part of stream) part.toFixed(); }",
    "packages/client/src/index.ts",
  ],
  [
    "no-restricted-syntax",
    "class CoppiceError {} export const c9 = (e: unknown) => e instanceof CoppiceError;",
    "packages/core/src/crypto/index.ts",
  ],
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

/** A line that is allowed in its file: what it does is that file's business. */
const allowed: readonly (readonly [code: string, file: string])[] = [
  ["export const d1 = Date.now(); setTimeout(() => undefined, performance.now());", "packages/kit/src/time.ts"],
  ["export const d2 = new Date(0);", "packages/client/src/date.ts"],
  ["setTimeout(() => undefined, 1);", "packages/client/test/timer.test.ts"],
];

let workspace = "";

beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), "coppice-lint-"));
  const compilerOptions = { strict: true, target: "ES2022", module: "ESNext", types: [] };
  writeFileSync(join(workspace, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*.ts"] }));
  for (const [line, file] of [...violating.map(([, code, place]) => [code, place] as const), ...allowed]) {
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
  const restricted = ["no-restricted-globals", "no-restricted-syntax"];
  for (const [text, file] of allowed) {
    const result = results.find(({ filePath }) => filePath === join(workspace, file));
    expect(
      result?.messages.filter(({ ruleId }) => restricted.includes(String(ruleId))),
      text,
    ).toEqual([]);
  }
});
