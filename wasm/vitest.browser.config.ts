/** The suite in a real browser: `npx vitest run --config wasm/vitest.browser.config.ts`. */
import { existsSync } from "node:fs";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

const chromium = process.env["COPPICE_CHROMIUM"] ?? (existsSync("/usr/bin/chromium") ? "/usr/bin/chromium" : undefined);

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ["@coppice/source", "module", "import", "default"] },
  // All dependencies are ES modules; bundling one that is discovered late would reload a running test.
  optimizeDeps: { noDiscovery: true },
  test: {
    include: ["test/browser/**/*.browser.ts"],
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          args: ["--no-sandbox"],
          ...(chromium === undefined ? {} : { executablePath: chromium }),
        },
      }),
      instances: [{ browser: "chromium" }],
    },
  },
});
