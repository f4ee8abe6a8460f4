/** `npm run property`: 2,000 random lives of groups and their like, instead of the 100 that `npm test` lives. Takes half an hour. */
import { defineConfig } from "vitest/config";
import shared from "../../vite.config.ts";

export default defineConfig({
  ...shared,
  test: {
    include: ["packages/{core,delivery,client}/test/property/**/*.test.ts"],
    env: { COPPICE_PROPERTY_RUNS: process.env["COPPICE_PROPERTY_RUNS"] ?? "2000" },
  },
});
