/** Gets the browsers that are missing: with apt-get as root on Debian, else Playwright's own builds. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chromium, firefox, webkit } from "playwright";

export type BrowserName = "chromium" | "firefox" | "webkit";

/** Where Debian's packages put them. */
export const PLACES: Readonly<Record<BrowserName, string>> = {
  chromium: "/usr/bin/chromium",
  firefox: "/usr/bin/firefox-esr",
  webkit: `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/webkit2gtk-4.1/MiniBrowser`,
};

const PACKAGES: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ["chromium"],
  firefox: ["firefox-esr"],
  webkit: ["webkit2gtk-driver", "xvfb", "xauth"],
};

const VARIABLES: Readonly<Record<BrowserName, string>> = {
  chromium: "COPPICE_CHROMIUM",
  firefox: "COPPICE_FIREFOX",
  webkit: "COPPICE_WEBKIT",
};

/** Does what it takes; whether it was enough shows when the browser is opened. */
export function install(name: BrowserName): void {
  const isNamed = process.env[VARIABLES[name]] !== undefined;
  const playwright = { chromium, firefox, webkit }[name].executablePath();
  if (isNamed || existsSync(PLACES[name]) || existsSync(playwright)) return;
  console.log(`installing ${name}`);
  if (isDebian() && process.getuid?.() === 0) {
    run("apt-get", "update", "-qq");
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", ...PACKAGES[name]);
  } else {
    run("npx", "playwright", "install", name);
  }
}

function run(program: string, ...args: readonly string[]): void {
  spawnSync(program, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    shell: process.platform === "win32",
  });
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}
