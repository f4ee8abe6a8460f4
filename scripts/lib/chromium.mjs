/** Finds a Chromium for the browser tests, or gets one. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { run } from "./run.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge"];

const FIXED_PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
];

/** Below one of Playwright's `chromium-NNNN` folders. */
const PLAYWRIGHT_BINARIES = [
  "chrome-linux64/chrome",
  "chrome-linux/chrome",
  "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
  "chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
  "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
  "chrome-win64/chrome.exe",
  "chrome-win/chrome.exe",
];

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {NodeJS.ProcessEnv} env @returns {string[]} newest first */
function playwrightBinaries(env) {
  /** @type {Partial<Record<NodeJS.Platform, string>>} */
  const caches = {
    darwin: join(homedir(), "Library/Caches"),
    win32: env["LOCALAPPDATA"] ?? join(homedir(), "AppData/Local"),
  };
  const caching = caches[process.platform] ?? env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const cache = env["PLAYWRIGHT_BROWSERS_PATH"] ?? join(caching, "ms-playwright");
  if (!existsSync(cache)) return [];
  return readdirSync(cache)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)))
    .flatMap((name) => PLAYWRIGHT_BINARIES.map((binary) => join(cache, name, binary)));
}

/**
 * Executables that may be a Chromium, in the order in which to try them: what the user names, what is installed,
 * what Playwright downloaded.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]}
 */
export function chromiumCandidates(env) {
  const named = env["COPPICE_CHROMIUM"];
  if (named !== undefined && named !== "") return [named];
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const onPath = NAMES.flatMap((name) => [...folders, "/usr/bin"].map((folder) => join(folder, name)));
  return [...new Set([...onPath, ...FIXED_PLACES, ...playwrightBinaries(env)])].filter(isExecutable);
}

/** The first candidate that really starts (Ubuntu's `chromium` may be a stub). @returns {Promise<string | undefined>} */
async function findChromium() {
  for (const path of chromiumCandidates(process.env)) {
    // Chrome on Windows opens a window instead of printing its version.
    if (process.platform === "win32") return path;
    const { ok, output } = await run([path, "--version"], { timeoutSeconds: 30 });
    if (ok && /\d+\.\d+/.test(output)) return path;
  }
  return undefined;
}

function isDebian() {
  try {
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

/**
 * Path of a Chromium that starts: `COPPICE_CHROMIUM`, an installed one, or one installed now, with apt-get (as root on
 * Debian) or by Playwright.
 * @param {(line: string) => void} log told of what takes long
 * @returns {Promise<string | undefined>} `undefined` if there is none and none can be had
 */
export async function getChromium(log) {
  const installed = await findChromium();
  if (installed !== undefined || process.env["COPPICE_CHROMIUM"] !== undefined) return installed;
  if (isDebian() && process.getuid?.() === 0) {
    log("installing Chromium with apt-get");
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run(["apt-get", "update", "-qq"], { env, timeoutSeconds: 300 });
    await run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], { env, timeoutSeconds: 600 });
    const found = await findChromium();
    if (found !== undefined) return found;
  }
  log("downloading Chromium with Playwright");
  await run(["npx", "playwright", "install", "chromium"], {
    cwd: join(import.meta.dirname, "../../e2e"),
    timeoutSeconds: 600,
  });
  return findChromium();
}
