/** The rules of CONTRIBUTING.md ("How we write") that a linter can check. Import boundaries: scripts/boundaries/rules.mjs. */
import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const source = ["packages/*/src/**/*.ts", "wasm/src/**/*.ts"];
const tests = ["**/test/**/*.{ts,tsx}", "e2e/**/*.ts"];
const configFiles = ["**/*.config.{js,ts}"];

/** Syntax that is refused everywhere; entries for single files are appended to it. */
const syntax = [
  {
    selector: "TSEnumDeclaration",
    message: "Use a union of literals or an `as const` object: enums are not erasable.",
  },
  { selector: "ExportSpecifier[exported.name='default']", message: "No default exports." },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: "Randomness comes from crypto.getRandomValues.",
  },
];
const noDefaultExport = { selector: "ExportDefaultDeclaration", message: "No default exports." };
const noSubtle = {
  selector: "MemberExpression[property.name='subtle']",
  message: "crypto.subtle is touched in core/src/crypto only.",
};

/** What a pure state machine must not reach: the same inputs give the same outputs, in every context. */
const impureGlobals = [
  "fetch",
  "indexedDB",
  "localStorage",
  "sessionStorage",
  "navigator",
  "location",
  "window",
  "document",
  "self",
  "caches",
  "WebSocket",
  "BroadcastChannel",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "performance",
  "Date",
  "process",
  "Buffer",
].map((name) => ({ name, message: "core has no storage, network, clock or other globals: take it as a parameter." }));

export default defineConfig(
  globalIgnores([
    "**/dist/",
    "**/generated/",
    "**/coverage/",
    "**/test-results/",
    "**/playwright-report/",
    ".cache/",
    ".data/",
    "wasm/assembly/", // AssemblyScript: TypeScript's syntax, another language
    "scripts/test/fixtures/",
  ]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { project: "tsconfig.lint.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-restricted-syntax": ["error", ...syntax, noDefaultExport],
      "no-undef": "off", // TypeScript checks it, in the .mjs files too
      "no-warning-comments": ["error", { terms: ["todo", "fixme", "xxx", "hack"] }],
      eqeqeq: ["error", "always"],
      "no-implicit-coercion": ["error", { boolean: false }],
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { regex: "^@coppice/[^/]+/(src|dist)(/|$)", message: "Import a package's published entry point." },
            { regex: "^(\\.\\./)+(packages|wasm|examples)/", message: "Import a package by its name." },
          ],
        },
      ],
      "@typescript-eslint/consistent-type-imports": [
        "error",
        { fixStyle: "separate-type-imports", disallowTypeAnnotations: false },
      ],
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/strict-boolean-expressions": [
        "error",
        { allowString: false, allowNumber: false, allowNullableObject: true, allowNullableBoolean: false },
      ],
      "@typescript-eslint/prefer-readonly": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    files: source,
    rules: {
      "no-console": "error",
      "no-eval": "error",
      "no-new-func": "error",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["packages/core/src/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", ...impureGlobals],
      "no-restricted-syntax": ["error", ...syntax, noDefaultExport, noSubtle],
    },
  },
  {
    files: ["packages/core/src/crypto/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...syntax, noDefaultExport] },
  },
  {
    // Untrusted data has no type: tests cast on purpose and hand over wrong types on purpose.
    files: tests,
    rules: {
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-extraneous-class": "off",
      "@typescript-eslint/no-misused-spread": "off", // a forgery is a copy with one thing changed
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    // JavaScript has no casts: a type is given to what JSON.parse returns by declaring it.
    files: ["**/*.{js,mjs}"],
    rules: { "@typescript-eslint/no-unsafe-assignment": "off" },
  },
  { files: configFiles, rules: { "no-restricted-syntax": ["error", ...syntax] } },
  {
    // Command-line programs.
    files: ["scripts/**", "bench/**", "e2e/**", "**/bin.ts", "packages/core/{fuzz,vectors}/**", "**/*.mjs"],
    rules: { "no-console": "off" },
  },
);
