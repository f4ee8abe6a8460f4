/** End-to-end tests of the built chat against the built delivery server. `npm test -- --only e2e` builds both first. */
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const executablePath = process.env["COPPICE_CHROMIUM"];
/** Path of a Firefox ESR: the tests then run in it as well. */
const named = process.env["COPPICE_FIREFOX"];
/** Where Debian puts it. If nobody has named one, what depends on the browser most runs in it: the contexts of an account. */
const installed = "/usr/bin/firefox-esr";
const firefox = named ?? (existsSync(installed) ? installed : undefined);

export default defineConfig({
  testDir: "./test",
  outputDir: "./test-results",
  // Each test has a server and several browser contexts of its own: more workers only make timing worse.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: process.env["CI"] === "true",
  reporter: "list",
  use: { trace: "retain-on-failure" },
  projects: [
    {
      name: "chromium",
      use: {
        browserName: "chromium",
        launchOptions: { args: ["--no-sandbox"], ...(executablePath === undefined ? {} : { executablePath }) },
      },
    },
    ...(firefox === undefined
      ? []
      : [
          {
            name: "firefox",
            ...(named === undefined ? { testMatch: "**/contexts.spec.ts" } : {}),
            testIgnore: "**/*.chromium.spec.ts",
            use: {
              browserName: "firefox" as const,
              // Speaks to a stock Firefox instead of Playwright's patched one.
              channel: "moz-firefox",
              launchOptions: { executablePath: firefox },
            },
          },
        ]),
  ],
});
