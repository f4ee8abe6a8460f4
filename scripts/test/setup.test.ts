import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../lib/root.mjs";

/** Runs the setup with an `npx` that runs `script` instead; yields what it printed and how it ended. */
async function setup(script: string) {
  const folder = mkdtempSync(join(tmpdir(), "coppice-setup-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, "npx"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "npx"), 0o755);
  const child = spawn(process.execPath, [join(root, "scripts/setup.mjs")], {
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}

test.skipIf(process.platform === "win32")(
  "issue 11 (41): an installation that takes a while says so, and how far it is",
  async () => {
    const { code, output } = await setup("echo early; sleep 2.3; echo Progress: downloaded 7");
    expect(code).toBe(0);
    expect(output).toMatch(/^Installing the dependencies[^\n]*\n[^]*Progress: downloaded 7\n$/);
  },
);

test.skipIf(process.platform === "win32")("an installation with nothing to do says nothing", async () => {
  expect(await setup("echo Already up to date")).toEqual({ code: 0, output: "" });
});

test.skipIf(process.platform === "win32")("a failure is shown with what led to it", async () => {
  const { code, output } = await setup("echo the reason; exit 3");
  expect(code).toBe(1);
  expect(output).toBe("the reason\n\nInstalling the dependencies failed (see above).\n");
});
