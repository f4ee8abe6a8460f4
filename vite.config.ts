/** Vitest projects. `@coppice/source` makes every package resolve to its TypeScript sources. */
import { defineConfig } from "vitest/config";

const conditions = ["@coppice/source", "module", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["{packages/*,examples/*,wasm,bench,scripts,e2e/attack}/test/**/*.test.{ts,tsx}"],
    environment: "node",
  },
});
