import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { chromiumCandidates } from "../lib/chromium.mjs";
import { nodeProblem } from "../lib/node-version.mjs";
import { freePort } from "../lib/port.mjs";

test.each([
  ["18.20.4", false],
  ["20.18.3", false],
  ["20.19.0", true],
  ["21.0.0", true],
  ["24.1.0", true],
])("Node %s is new enough: %s", (version, isNewEnough) => {
  expect(nodeProblem(version) === undefined).toBe(isNewEnough);
});

test.skipIf(process.platform === "win32")("Chromium: the named one, else the PATH, else Playwright's newest", () => {
  const home = mkdtempSync(join(tmpdir(), "coppice-chromium-"));
  onTestFinished(() => {
    rmSync(home, { recursive: true });
  });
  const binaries = [
    "bin/google-chrome",
    "cache/chromium-900/chrome-linux/chrome",
    "cache/chromium-1200/chrome-linux/chrome",
  ];
  for (const binary of binaries) {
    mkdirSync(join(home, binary, ".."), { recursive: true });
    writeFileSync(join(home, binary), "");
    chmodSync(join(home, binary), 0o755);
  }
  const env = { PATH: join(home, "bin"), PLAYWRIGHT_BROWSERS_PATH: join(home, "cache") };
  const found = chromiumCandidates(env).filter((path) => path.startsWith(home));
  expect(found).toEqual([binaries[0], binaries[2], binaries[1]].map((binary = "") => join(home, binary)));
  expect(chromiumCandidates({ ...env, COPPICE_CHROMIUM: "/mine" })).toEqual(["/mine"]);
});

test("a port in use is passed over", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  expect(await freePort(address.port, "127.0.0.1")).toBeGreaterThan(address.port);
});
