/** The tests that need real browsers, Firefox where there is one: `npx vitest run --config packages/storage/vitest.browser.config.ts`. */
import { existsSync } from "node:fs";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

const installed = (path: string): string | undefined => (existsSync(path) ? path : undefined);
const chromium = process.env["COPPICE_CHROMIUM"] ?? installed("/usr/bin/chromium");
const firefox = process.env["COPPICE_FIREFOX"] ?? installed("/usr/bin/firefox-esr");

const firefoxProvider = (executablePath: string) =>
  playwright({ launchOptions: { channel: "moz-firefox", executablePath } });

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ["@coppice/source", "module", "import", "default"] },
  // All dependencies are ES modules; bundling one that is discovered late would reload a running test.
  optimizeDeps: { noDiscovery: true },
  test: {
    include: ["test/browser/**/*.browser.ts"],
    testTimeout: 30_000,
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
      instances: [
        { browser: "chromium", name: "chromium", exclude: ["test/browser/quota.browser.ts"] },
        { browser: "chromium", name: "chromium with little room", include: ["test/browser/quota.browser.ts"] },
        ...(firefox === undefined
          ? []
          : [
              {
                browser: "firefox" as const,
                name: "firefox",
                // These two command Chromium's debugger.
                exclude: ["test/browser/quota.browser.ts", "test/browser/cleared.browser.ts"],
                provider: firefoxProvider(firefox),
              },
            ]),
      ],
    },
  },
});
