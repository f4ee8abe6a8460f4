/** Checks import boundaries and cycles. Exit code 1 if a rule is broken. */
import { findViolations } from "./boundaries/cruise.mjs";
import { root } from "./lib/root.mjs";

const { modules, violations } = await findViolations(root);
for (const { rule, from, to, comment } of violations) {
  console.log(`${from} → ${to}\n  ${rule}: ${comment}`);
}
console.log(`boundaries: ${modules} modules, ${violations.length} violations`);
if (violations.length > 0) process.exitCode = 1;
