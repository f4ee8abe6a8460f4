/**
 * `npm run mutation [-- -m FILE[:FROM-TO]]`: changes each condition, comparison, call and block of the files that validate, one
 * at a time, and counts which changes no test notices. Texts are left alone: what an error says is not behaviour.
 */
const validation = [
  "codec/reader.ts",
  "commit/process.ts",
  "commit/validate.ts",
  "framing/framed-content.ts",
  "framing/key-package.ts",
  "framing/mls-message.ts",
  "framing/private-message.ts",
  "framing/protect.ts",
  "framing/public-message.ts",
  "framing/unprotect.ts",
  "group/check-group-info.ts",
  "group/external-join.ts",
  "group/join.ts",
  "group/open-many.ts",
  "group/open-private.ts",
  "group/public-group.ts",
  "group/receive.ts",
  "group/senders.ts",
  "group/succession.ts",
  "hooks.ts",
  "identity/authentication.ts",
  "proposal/apply.ts",
  "proposal/custom-proposal.ts",
  "proposal/policy.ts",
  "proposal/select.ts",
  "proposal/validate-list.ts",
  "schedule/psk.ts",
  "schedule/secret-tree.ts",
  "tree/key-index.ts",
  "tree/leaf-node-validation.ts",
  "tree/parent-hash.ts",
  "tree/validate-tree.ts",
];

export default {
  mutate: validation.map((path) => `packages/core/src/${path}`),
  mutator: { excludedMutations: ["StringLiteral"] },
  plugins: ["@stryker-mutator/vitest-runner"],
  testRunner: "vitest",
  vitest: { configFile: "packages/core/vitest.mutation.config.ts", related: false },
  coverageAnalysis: "perTest",
  // Runs what a table or a fixture changes against the tests that meet it, not against all.
  ignoreStatic: true,
  concurrency: 1,
  // On a busy machine a slow test must not count as one that noticed; endless loops are counted, not timed.
  timeoutMS: 20_000,
  tempDirName: ".cache/stryker",
  reporters: ["clear-text", "json", "html"],
  clearTextReporter: { logTests: false, reportTests: false, allowEmojis: false },
  jsonReporter: { fileName: ".cache/mutation/report.json" },
  htmlReporter: { fileName: ".cache/mutation/report.html" },
  thresholds: { high: 95, low: 90, break: 85 },
};
