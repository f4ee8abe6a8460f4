/** What a browser's profile holds of an account under a passphrase: searched as bytes, after the browser has ended. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, expect, test, type Page } from "@playwright/test";
import { build } from "esbuild";

const ENTRY = fileURLToPath(new URL("../in-page/keep-secrets.ts", import.meta.url));
const passphrase = { kind: "passphrase", passphrase: "correct horse battery staple" } as const;

async function serve(): Promise<Server> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<title>keys</title>");
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return server;
}

/** All bytes of all files of a profile. */
function bytesOf(folder: string): Buffer[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

/** As bytes, in hexadecimal and in base64, in Latin and in two-byte text. */
function isIn(files: readonly Buffer[], secret: Buffer): boolean {
  const texts = [secret.toString("hex"), secret.toString("base64").replace(/=+$/, "")];
  const forms = [secret, ...texts.flatMap((text) => [Buffer.from(text), Buffer.from(text, "utf16le")])];
  return files.some((file) => forms.some((form) => file.includes(form)));
}

test("under a passphrase, neither values, names nor the passphrase are in the files of the profile", async () => {
  test.setTimeout(120_000);
  const executablePath = process.env["COPPICE_CHROMIUM"];
  const { outputFiles } = await build({
    ...{ entryPoints: [ENTRY], bundle: true, write: false, format: "iife", globalName: "inPage", target: "es2022" },
    conditions: ["@coppice/source"],
  });
  const script = outputFiles[0]?.text ?? "";
  const server = await serve();
  const profile = mkdtempSync(join(tmpdir(), "coppice-profile-"));
  const [secret, marker] = [randomBytes(64), randomBytes(64)];
  const open = async (use: (page: Page, call: (expression: string) => Promise<unknown>) => Promise<void>) => {
    const context = await chromium.launchPersistentContext(profile, {
      args: ["--no-sandbox"],
      ...(executablePath === undefined ? {} : { executablePath }),
    });
    const page = await context.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await use(page, (expression) => page.evaluate(`(async () => { ${script}\nreturn ${expression}; })()`));
    await context.close();
  };
  const args = `${JSON.stringify(passphrase)}, ${JSON.stringify(secret.toString("hex"))}`;
  try {
    await open(async (_, call) => {
      await call(`inPage.keepInTheClear("${marker.toString("hex")}")`);
      await call(`inPage.keepSecret("account", ${args})`);
    });
    await open(async (_, call) => {
      expect(await call(`inPage.readSecret("account", ${args})`)).toBe(true);
      await call(
        `inPage.changeKey("account", ${JSON.stringify(passphrase)}, { kind: "passphrase", passphrase: "other" })`,
      );
      await expect(call(`inPage.readSecret("account", ${args})`)).rejects.toThrow("does not open this store");
    });
    const files = bytesOf(profile);
    // The search finds what is there.
    expect(isIn(files, marker)).toBe(true);
    expect(isIn(files, secret)).toBe(false);
    expect(isIn(files, Buffer.from(passphrase.passphrase))).toBe(false);
  } finally {
    server.close();
    rmSync(profile, { recursive: true, force: true });
  }
});
