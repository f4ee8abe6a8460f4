/** Runs dependency-cruiser over a workspace. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cruise } from "dependency-cruiser";
import { boundaryRules } from "./rules.mjs";

/**
 * Finds every import in the workspace `root` that breaks a rule.
 * @param {string} root absolute path
 * @returns {Promise<{ modules: number, violations: { rule: string, from: string, to: string, comment: string }[] }>}
 */
export async function findViolations(root) {
  const rules = boundaryRules(root);
  const comments = new Map(rules.map((rule) => [rule.name, rule.comment ?? ""]));
  const folders = ["packages", "wasm", "examples", "e2e", "bench", "scripts"];
  const result = await cruise(
    folders.filter((folder) => existsSync(join(root, folder))),
    {
      baseDir: root,
      validate: true,
      ruleSet: { forbidden: rules },
      includeOnly: { path: "" },
      exclude: { path: "/dist/|^wasm/assembly/|^scripts/test/fixtures/" },
      doNotFollow: { path: "node_modules/" },
      tsPreCompilationDeps: true,
      detectJSDocImports: false,
      enhancedResolveOptions: {
        exportsFields: ["exports"],
        conditionNames: ["@coppice/source", "types", "import", "default"],
        extensions: [".ts", ".tsx", ".mjs", ".js", ".d.ts"],
      },
    },
  );
  if (typeof result.output === "string") throw new Error("dependency-cruiser returned a report instead of data");
  const { summary } = result.output;
  return {
    modules: summary.totalCruised,
    violations: summary.violations.map(({ rule, from, to, cycle }) => ({
      rule: rule.name,
      from,
      to: cycle === undefined ? to : cycle.map(({ name }) => name).join(" → "),
      comment: comments.get(rule.name) ?? "",
    })),
  };
}
