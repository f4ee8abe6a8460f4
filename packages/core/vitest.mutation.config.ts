/** The tests that mutants have to fail: the core's, without those that run long and judge by chance. */
import { defineConfig } from "vitest/config";
import shared from "../../vite.config.ts";

export default defineConfig({
  ...shared,
  test: {
    // A mutant is switched on, not loaded: files can share the modules, which takes a third of the time.
    isolate: false,
    include: ["packages/core/test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/*.slow.test.ts", "packages/core/test/property/**"],
  },
});
