import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createIdentity } from "@coppice/delivery/conformance";
import { EVENTS_PATH, MEDIA_TYPE } from "@coppice/delivery/wire";
import { connect, temporaryFolder } from "./harness.ts";
import { openRaw, requestText, upgradeText } from "./raw-client.ts";

const BIN = fileURLToPath(new URL("../src/bin.ts", import.meta.url));

function run(...args: readonly string[]) {
  const child = spawn(process.execPath, ["--conditions=@coppice/source", "--import", "tsx", BIN, ...args]);
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

test("coppice-server serves calls and files, and ends in order on SIGTERM", { timeout: 20_000 }, async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "index.html"), "<!doctype html>");
  const child = run("--port", "0", "--data", join(folder, "new", "ds.db"), "--static", folder, "--retention", "30");
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const url = /http:\/\/\S+/.exec(line.toString())?.[0] ?? "";
  const service = await connect(url, await createIdentity());
  expect(await service.countKeyPackages()).toBe(0);
  expect(await (await fetch(`${url}/`)).text()).toBe("<!doctype html>");
  await service.close();
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test(
  "issue 15 (2): SIGTERM ends the process within 5 seconds, whatever its peers hold on to",
  { timeout: 30_000 },
  async () => {
    const child = run("--port", "0", "--data", join(await temporaryFolder(), "ds.db"));
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = /http:\/\/\S+/.exec(line.toString())?.[0] ?? "";
    const unfinished = requestText("POST /v2/challenge", { "content-length": 9, "content-type": MEDIA_TYPE }, "abc");
    for (const text of ["", "GET ", upgradeText("/x"), upgradeText(`/${EVENTS_PATH}`), unfinished]) {
      for (let i = 0; i < 10; i++) await openRaw(url, text, { reads: i % 2 === 0 });
    }
    const started = performance.now();
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(performance.now() - started).toBeLessThan(5000);
  },
);

test("a mistake on the command line ends with words and status 2", { timeout: 20_000 }, async () => {
  const child = run("--allow-origin", "*");
  const [text] = (await once(child.stderr, "data")) as [Buffer];
  expect(text.toString()).toMatch(/^"\*" is not an origin: name each origin/);
  expect(await once(child, "exit")).toEqual([2, null]);
});

test("issue 11 (40): --version", { timeout: 20_000 }, async () => {
  const child = run("--version");
  const [text] = (await once(child.stdout, "data")) as [Buffer];
  expect(text.toString()).toMatch(/^coppice-server \d+\.\d+\.\d+\n$/);
  expect(await once(child, "exit")).toEqual([0, null]);
});
