/** `npm run property`: 2,000 random lives of groups, instead of the 100 that `npm test` lives. Takes a quarter of an hour. */
import { defineConfig } from "vitest/config";
import shared from "../../vite.config.ts";

export default defineConfig({
  ...shared,
  test: {
    include: ["packages/core/test/property/**/*.test.ts"],
    env: { COPPICE_PROPERTY_RUNS: process.env["COPPICE_PROPERTY_RUNS"] ?? "2000" },
  },
});
