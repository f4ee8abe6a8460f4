/** `npm run coverage`: what the unit tests and the official vectors together run of `packages/core/src`. */
import { defineConfig } from "vitest/config";
import shared from "../../vite.config.ts";

export default defineConfig({
  ...shared,
  root: import.meta.dirname,
  test: {
    include: ["test/**/*.test.ts", "vectors/coverage.ts"],
    // Where every call is counted, TreeKEM on curves in JavaScript takes more than a minute.
    testTimeout: 600_000,
    coverage: {
      enabled: true,
      provider: "v8",
      include: ["src/**"],
      reporter: ["text", "html", "json-summary"],
      thresholds: { lines: 95, branches: 90 },
    },
  },
});
