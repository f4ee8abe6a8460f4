/** Who may import whom, as dependency-cruiser rules. The tables come first, what is made of them below. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * For each package: the packages it may import, those of which it may import types only (a contract is types), and
 * the libraries it may use the libraries.
 * @type {Record<string, { imports: string[], types?: string[], libraries?: string[] }>}
 */
export const PACKAGES = {
  wasm: { imports: [] },
  "packages/kit": { imports: [] },
  "packages/core": { imports: ["wasm", "packages/kit"], libraries: ["@hpke/", "@noble/"] },
  "packages/x509": { imports: ["packages/core"], libraries: ["@peculiar/"] },
  "packages/storage": { imports: ["packages/kit", "packages/core"], libraries: ["idb/", "@noble/hashes/"] },
  "packages/delivery": { imports: ["packages/kit", "packages/core"], libraries: [] },
  "packages/client": { imports: ["packages/kit", "packages/core"], types: ["packages/storage", "packages/delivery"] },
  "packages/worker": {
    imports: ["packages/kit", "packages/core", "packages/client", "packages/storage", "packages/delivery"],
    libraries: ["comlink/"],
  },
  "packages/coppice": {
    imports: ["packages/worker"],
    types: ["packages/core", "packages/client", "packages/storage", "packages/delivery"],
  },
  "packages/server": {
    imports: ["packages/kit", "packages/core", "packages/delivery"],
    libraries: ["libsql/", "pino/", "prom-client/", "ws/", "@types/ws/"],
  },
};

/** What a contract says in code: rules that both sides judge by. */
const CONTRACT_ENTRY = "/src/contract-entry\\.ts$";

/** Packages that run in Node only and so may use the libraries its built-in modules. */
const NODE_PACKAGES = ["packages/server"];

/**
 * Folders and files of `core/src`, lowest layer first. A file imports from its own layer and the ones before it.
 */
export const CORE_LAYERS = [
  ["errors", "hooks", "in-flight", "limits", "result"],
  ["codec"],
  ["crypto"],
  ["identity"],
  ["extensions"],
  ["tree"],
  ["schedule"],
  ["framing"],
  ["state"],
  ["proposal"],
  ["rules"],
  ["commit"],
  ["group"],
  ["index"],
  ["drafts"],
];

const CORE = "packages/core/src/";

/** Source files that a package publishes: the `@coppice/source` targets of its export map. @param {string} root */
function publishedEntries(root) {
  const folders = [
    "wasm",
    ...["packages", "examples"].flatMap((parent) =>
      existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [],
    ),
  ];
  return folders.flatMap((folder) => {
    const manifest = join(root, folder, "package.json");
    if (!existsSync(manifest)) return [];
    /** @type {{ exports?: Record<string, unknown> }} */
    const { exports = {} } = JSON.parse(readFileSync(manifest, "utf8"));
    return Object.values(exports).flatMap((target) => {
      const source =
        typeof target === "object" && target !== null && "@coppice/source" in target
          ? target["@coppice/source"]
          : target;
      return typeof source === "string" ? [`${folder}/${source.replace(/^\.\//, "")}`] : [];
    });
  });
}

/** @param {string} text */
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
/** @param {string[]} texts */
const list = (texts) => (texts.length === 0 ? "nothing" : texts.join(", "));
/** @param {string[]} texts */
const anyOf = (texts) => (texts.length === 0 ? "(?!)" : `(?:${texts.map(escape).join("|")})`);

/** A pattern for the modules of these folders and files of core. @param {string[]} entries */
const corePath = (entries) => `^${CORE}(?:${entries.map((entry) => `${escape(entry)}(?:/|\\.ts$)`).join("|")})`;

/** @returns {import("dependency-cruiser").IForbiddenRuleType[]} */
function coreRules() {
  const unknown = {
    name: "core-unknown-folder",
    comment: "Every folder and file of core/src has a place in CORE_LAYERS (scripts/boundaries/rules.mjs).",
    severity: /** @type {const} */ ("error"),
  };
  const nowhere = { path: `^${CORE}`, pathNot: corePath(CORE_LAYERS.flat()) };
  return [
    { ...unknown, from: nowhere, to: {} },
    { ...unknown, from: {}, to: nowhere },
    ...CORE_LAYERS.slice(0, -1).map((layer, index) => {
      const above = CORE_LAYERS.slice(index + 1).flat();
      return {
        name: `core-layers:${layer[0] ?? ""}`,
        comment: `core's ${list(layer)} may not import from a higher layer (${list(above)}).`,
        severity: /** @type {const} */ ("error"),
        from: { path: corePath(layer) },
        to: { path: corePath(above) },
      };
    }),
  ];
}

/** @returns {import("dependency-cruiser").IForbiddenRuleType[]} */
function packageRules() {
  return Object.entries(PACKAGES).flatMap(([name, { imports, types = [], libraries = [] }]) => [
    {
      name: `packages:${name}`,
      comment: `${name} may import ${list(imports)}${types.length > 0 ? `, and types of ${list(types)}` : ""}.`,
      severity: "error",
      from: { path: `^${name}/src/` },
      to: { path: "^(?:packages/[^/]+|wasm|examples|e2e|bench)/", pathNot: `^${anyOf([name, ...imports, ...types])}/` },
    },
    {
      name: `types-only:${name}`,
      comment: `${name} knows ${types.join(", ")} by their contracts: \`import type\`, or the entry that is the contract.`,
      severity: "error",
      from: { path: `^${name}/src/` },
      to: { path: `^${anyOf(types)}/`, pathNot: CONTRACT_ENTRY, dependencyTypesNot: ["type-only"] },
    },
    {
      name: `libraries:${name}`,
      comment: `${name} may use the libraries ${list(libraries)}.`,
      severity: "error",
      from: { path: `^${name}/src/` },
      to: { path: "node_modules/", pathNot: `node_modules/${anyOf(libraries)}` },
    },
  ]);
}

/**
 * All rules, for the workspace in `root`.
 * @param {string} root
 * @returns {import("dependency-cruiser").IForbiddenRuleType[]}
 */
export function boundaryRules(root) {
  return [
    ...packageRules(),
    ...coreRules(),
    {
      name: "no-cycles",
      comment: "Files do not import each other in a circle, not even for types.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-deep-imports",
      comment: "Other packages, examples, e2e and bench import published entry points only.",
      severity: "error",
      from: { path: "^(packages/[^/]+|wasm|examples/[^/]+|e2e|bench|scripts)/" },
      to: { path: "^(?:packages/[^/]+|wasm)/", pathNot: ["^$1/", `^${anyOf(publishedEntries(root))}$`] },
    },
    {
      name: "no-relative-import-of-package",
      comment: "Packages are imported by their name.",
      severity: "error",
      from: { path: "^(packages/[^/]+|wasm|examples/[^/]+|e2e|bench|scripts)/" },
      to: { path: "^(?:packages/[^/]+|wasm)/", pathNot: "^$1/", dependencyTypes: ["local"] },
    },
    {
      name: "no-node-in-browser-packages",
      comment: "These packages run in browsers.",
      severity: "error",
      from: { path: "^(?:packages/[^/]+|wasm)/src/", pathNot: `^${anyOf(NODE_PACKAGES)}/` },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-test-code-in-source",
      comment: "What is published does not import tests or development code.",
      severity: "error",
      from: { path: "^(?:packages/[^/]+|wasm|examples/[^/]+)/src/" },
      to: { path: "/(?:test|dev|bench|fuzz|vectors)/|^packages/client/model/", pathNot: "node_modules/" },
    },
    {
      name: "not-resolvable",
      comment: "The imported module does not exist, or is not in this package's dependencies.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "\\?" },
    },
  ];
}
