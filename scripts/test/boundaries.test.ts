import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findViolations } from "../boundaries/cruise.mjs";
import { CORE_LAYERS, PACKAGES } from "../boundaries/rules.mjs";

/** File, what it contains, and the rules it breaks. */
type Case = readonly [file: string, text: string, ...rules: string[]];

const violating: readonly Case[] = [
  ["packages/core/src/codec/a.ts", `import "../tree/node.ts";`, "core-layers:codec"],
  ["packages/core/src/tree/b.ts", `import type {} from "../schedule/psk.ts";`, "core-layers:tree"],
  ["packages/core/src/framing/c.ts", `import "../proposal/add.ts";`, "core-layers:framing"],
  ["packages/core/src/proposal/c.ts", `import "../commit/create.ts";`, "core-layers:proposal"],
  ["packages/core/src/proposal/rules.ts", `import type {} from "../rules.ts";`, "core-layers:proposal"],
  ["packages/core/src/commit/d.ts", `import type {} from "../group/state.ts";`, "core-layers:commit"],
  ["packages/core/src/misc/e.ts", `import "../codec/reader.ts";`, "core-unknown-folder"],
  ["packages/core/src/crypto/f.ts", `import "@coppice/storage";`, "packages:packages/core"],
  ["packages/core/src/crypto/g.ts", `import "idb";`, "libraries:packages/core"],
  ["packages/core/src/crypto/h.ts", `import "node:crypto";`, "no-node-in-browser-packages"],
  ["packages/core/src/crypto/i.ts", `import "../../test/help.ts";`, "no-test-code-in-source"],
  ["packages/core/src/tree/circle1.ts", `import "./circle2.ts";`, "no-cycles"],
  ["wasm/src/j.ts", `import "@coppice/core";`, "packages:wasm"],
  ["packages/client/src/k.ts", `import { open } from "@coppice/storage";`, "types-only:packages/client"],
  ["packages/client/src/l.ts", `import "@coppice/worker";`, "packages:packages/client"],
  ["packages/worker/src/m.ts", `import "@coppice/core/src/codec/reader.ts";`, "no-deep-imports"],
  ["packages/worker/src/n.ts", `import "../../core/src/index.ts";`, "no-relative-import-of-package"],
  ["packages/worker/src/o.ts", `import "left-pad";`, "not-resolvable"],
  ["e2e/p.ts", `import "../packages/core/src/codec/reader.ts";`, "no-deep-imports", "no-relative-import-of-package"],
  ["examples/chat/src/q.ts", `import "@coppice/core/src/codec/reader.ts";`, "no-deep-imports"],
  ["packages/storage/src/r.ts", `import "@coppice/delivery";`, "packages:packages/storage"],
];

const allowed: readonly Case[] = [
  ["packages/core/src/tree/circle2.ts", `import type {} from "./circle1.ts";`], // the circle is reported once
  ["packages/core/src/index.ts", `export * from "./group/state.ts";`],
  ["packages/core/src/codec/reader.ts", `export const reader = 1;`],
  ["packages/core/src/tree/node.ts", `import "../codec/reader.ts"; import "../crypto/hash.ts";`],
  ["packages/core/src/crypto/hash.ts", `import "@coppice/wasm"; import "@noble/hashes";`],
  ["packages/core/src/schedule/psk.ts", `import "../tree/node.ts";`],
  ["packages/core/src/rules.ts", `import "./proposal/add.ts";`],
  ["packages/core/src/proposal/add.ts", `import "../framing/content.ts";`],
  ["packages/core/src/framing/content.ts", `import "../tree/node.ts";`],
  ["packages/core/src/commit/create.ts", `import "../proposal/add.ts";`],
  ["packages/core/src/group/state.ts", `import "../commit/create.ts"; import "../framing/content.ts";`],
  ["packages/core/test/help.ts", `import "../src/codec/reader.ts"; import "node:fs";`],
  ["packages/storage/src/index.ts", `import "idb"; export const open = 1; export type Store = 1;`],
  ["packages/delivery/src/index.ts", `import "@coppice/core"; export type Service = 1;`],
  ["packages/delivery/src/contract-entry.ts", `export const rule = 1;`],
  ["packages/client/src/index.ts", `import type { Store } from "@coppice/storage"; import "@coppice/core";`],
  ["packages/client/src/s.ts", `import { rule } from "@coppice/delivery/contract"; export { rule };`],
  ["packages/client/test/engine.test.ts", `import "@coppice/storage"; import "../src/index.ts";`],
  ["packages/worker/src/index.ts", `import "@coppice/storage"; import "comlink";`],
  ["wasm/src/index.ts", `export const kernel = 1;`],
  ["bench/run.ts", `import "@coppice/core"; import "node:os";`],
];

const packages: Readonly<Record<string, string>> = {
  wasm: "@coppice/wasm",
  "packages/core": "@coppice/core",
  "packages/storage": "@coppice/storage",
  "packages/delivery": "@coppice/delivery",
  "packages/client": "@coppice/client",
  "packages/worker": "@coppice/worker",
};

let root = "";

function write(file: string, text: string): void {
  mkdirSync(join(root, dirname(file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "coppice-boundaries-"));
  for (const [folder, name] of Object.entries(packages)) {
    const exports = {
      ".": { "@coppice/source": "./src/index.ts" },
      "./contract": { "@coppice/source": "./src/contract-entry.ts" },
      "./src/*": "./src/*",
    };
    write(`${folder}/package.json`, JSON.stringify({ name, type: "module", exports }));
    mkdirSync(join(root, "node_modules/@coppice"), { recursive: true });
    symlinkSync(join(root, folder), join(root, "node_modules", name));
  }
  for (const name of ["idb", "comlink", "@noble/hashes"]) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: "index.js" }));
    write(`node_modules/${name}/index.js`, "");
  }
  for (const [file, text] of [...allowed, ...violating]) write(file, text);
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

describe("import boundaries", () => {
  test("every rule fires on its violation and on nothing else", async () => {
    const { violations } = await findViolations(root);
    const found = new Map<string, Set<string>>();
    for (const { from, rule } of violations) found.set(from, (found.get(from) ?? new Set()).add(rule));
    const actual = Object.fromEntries([...found].map(([file, rules]) => [file, [...rules].sort()]));
    const expected = Object.fromEntries(violating.map(([file, , ...rules]) => [file, rules.sort()]));
    expect(actual).toEqual(expected);
  });

  test("the layers and the packages are each listed once", () => {
    const layers = CORE_LAYERS.flat();
    expect(new Set(layers).size).toBe(layers.length);
    for (const { imports, types = [] } of Object.values(PACKAGES)) {
      for (const name of [...imports, ...types]) expect(Object.keys(PACKAGES)).toContain(name);
    }
  });
});
