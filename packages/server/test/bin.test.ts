import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createIdentity } from "@coppice/delivery/conformance";
import { connect, temporaryFolder } from "./harness.ts";

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

test("a wrong flag or value ends with a message", { timeout: 20_000 }, async () => {
  const wrongFlag = run("--prot", "1");
  const [text] = (await once(wrongFlag.stderr, "data")) as [Buffer];
  expect(text.toString()).toMatch(/--prot[^]*Usage: coppice-server/);
  expect(await once(wrongFlag, "exit")).toEqual([2, null]);
  const wrongValue = run("--port", "x", "--data", join(await temporaryFolder(), "ds.db"));
  expect(await once(wrongValue, "exit")).toEqual([1, null]);
});
