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

/** What packages leave to `@coppice/kit`, so that tests run on virtual time and two copies of the SDK get along. */
const leftToKit = [
  {
    selector:
      "MemberExpression[object.name=/^(globalThis|self|window)$/][property.name=/^(setTimeout|setInterval|setImmediate)$/]",
    message: "Wait with `sleep`, `Scope` or `Time.after` of @coppice/kit.",
  },
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: "Read the clock with `Time.now` of @coppice/kit.",
  },
  {
    selector: ":matches(NewExpression, CallExpression)[callee.name='Date'][arguments.length=0]",
    message: "Read the clock with `Time.now` of @coppice/kit.",
  },
  {
    selector: "MemberExpression[object.name='performance'][property.name='now']",
    message: "Measure with `Time.elapsed` of @coppice/kit.",
  },
];
const timers = ["setTimeout", "setInterval", "setImmediate"].map((name) => ({
  name,
  message: "Wait with `sleep`, `Scope` or `Time.after` of @coppice/kit.",
}));

/** Errors are known by their brand: an application may load two copies of the SDK. */
const noInstanceof = {
  selector: "BinaryExpression[operator='instanceof'][right.name='CoppiceError']",
  message: "Use `isCoppiceError`.",
};

/**
 * What the engines of package.json's `browserslist` do not all have: of the DOM, what was ever reached for. Of the
 * language, TypeScript's `lib` (ES2023) has nothing newer.
 */
const tooNew = [
  {
    selector: "MemberExpression[object.name='AbortSignal'][property.name=/^(any|timeout)$/]",
    message:
      "Safari 17.0 has no AbortSignal.any, and a timeout runs on real time: use `anySignal` and `sleep` of @coppice/kit.",
  },
  {
    selector: "MemberExpression[object.name='URL'][property.name=/^(parse|canParse)$/]",
    message: "Chromium 111 has neither URL.parse nor URL.canParse: use `new URL`.",
  },
  {
    selector: "CallExpression[callee.property.name='bytes'][arguments.length=0]",
    message: "Safari 17.0 has no `bytes()` of Blob and Response: use `arrayBuffer()`.",
  },
  {
    selector: "ForOfStatement[await=true] > Identifier.right[name=/[sS]tream$/]",
    message: "Safari has no asynchronous iteration of streams: use a reader.",
  },
];
const tooNewGlobals = ["scheduler", "requestIdleCallback", "cookieStore"].map((name) => ({
  name,
  message: "Not all supported engines have it: see `browserslist` in package.json.",
}));

const everywhere = [...syntax, noDefaultExport, noInstanceof, ...tooNew];

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
        { fixStyle: "inline-type-imports", disallowTypeAnnotations: false },
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
      "no-restricted-globals": ["error", ...timers, ...tooNewGlobals],
      "no-restricted-syntax": ["error", ...everywhere, ...leftToKit],
      // One import for values and types of a module.
      "no-duplicate-imports": "error",
      "no-console": "error",
      "no-eval": "error",
      "no-new-func": "error",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["packages/kit/src/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", ...tooNewGlobals],
      "no-restricted-syntax": ["error", ...everywhere],
    },
  },
  {
    files: ["packages/core/src/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", ...impureGlobals],
      "no-restricted-syntax": ["error", ...everywhere, ...leftToKit, noSubtle],
    },
  },
  {
    files: ["packages/core/src/crypto/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...everywhere, ...leftToKit] },
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
    files: [
      "scripts/**",
      "bench/**",
      "e2e/**",
      "interop/**",
      "**/bin.ts",
      "packages/core/{fuzz,vectors}/**",
      "packages/client/model/**",
      "packages/server/load/**",
      "**/*.mjs",
    ],
    rules: { "no-console": "off" },
  },
);
