/**
 * Real bundles in a real browser, driven from Node: `npx vitest run --config packages/worker/vitest.browser.config.ts`.
 */
import { defineConfig } from "vitest/config";

const conditions = ["@coppice/source", "module", "import", "default"];

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["test/browser/**/*.browser.ts"],
    environment: "node",
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
