/** Vitest projects. `@coppice/source` makes every package resolve to its TypeScript sources. */
import { defineConfig } from "vitest/config";

const conditions = ["@coppice/source", "module", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["{packages/*,wasm,scripts}/test/**/*.test.ts"],
    environment: "node",
  },
});
