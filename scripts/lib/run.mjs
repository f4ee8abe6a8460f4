/** Child processes: output collected, none left behind. */
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { root } from "./root.mjs";

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    process.exitCode = signal === "SIGINT" ? 130 : 143;
    setTimeout(() => process.exit(), 2_000).unref();
  });
}

/**
 * Runs a program to its end. Programs of `node_modules/.bin`, in `cwd` and in the root, are found by name.
 * @param {readonly string[]} command program and arguments
 * @param {{ env?: Readonly<Record<string, string>>, cwd?: string, timeoutSeconds?: number, show?: boolean }} [options]
 *   `show` passes the output through instead of collecting it
 * @returns {Promise<{ ok: boolean, code: number | null, output: string }>} never rejects: a program that cannot be started is not `ok`
 */
export function run(command, { env = {}, cwd = root, timeoutSeconds = 1_500, show = false } = {}) {
  const [program = "", ...args] = command;
  const path = [...[cwd, root].map((folder) => join(folder, "node_modules/.bin")), process.env["PATH"] ?? ""];
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, PATH: path.join(delimiter), ...env },
      stdio: ["ignore", show ? "inherit" : "pipe", show ? "inherit" : "pipe"],
      shell: process.platform === "win32",
    });
    running.add(child);
    let output = "";
    const timer = setTimeout(() => {
      output += `\n${program} was stopped after ${timeoutSeconds} s\n`;
      child.kill("SIGKILL");
    }, timeoutSeconds * 1_000);
    child.stdout?.setEncoding("utf8").on("data", (/** @type {string} */ text) => (output += text));
    child.stderr?.setEncoding("utf8").on("data", (/** @type {string} */ text) => (output += text));
    /** @param {number | null} code */
    const finish = (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ ok: code === 0, code, output });
    };
    child.once("error", (error) => {
      output += `${error.message}\n`;
      finish(null);
    });
    child.once("close", (code) => {
      finish(code);
    });
  });
}
