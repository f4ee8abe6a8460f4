/** The folders of the workspace. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.mjs";

/** @typedef {{ name: string, private?: boolean, bin?: string | Record<string, string>, exports?: Record<string, unknown> }} Manifest */

/** Paths of the direct subfolders of `parent`, relative to the root. @param {string} parent @returns {string[]} */
function subfolders(parent) {
  return readdirSync(join(root, parent)).map((name) => `${parent}/${name}`);
}

/** @param {string} folder @returns {Manifest} */
export function manifest(folder) {
  /** @type {Manifest} */
  const parsed = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  return parsed;
}

/** Folders of the packages that are published, relative to the root. */
export const packageFolders = ["wasm", ...subfolders("packages")].filter((folder) =>
  existsSync(join(root, folder, "package.json")),
);

/** Folders of the examples, relative to the root. */
export const exampleFolders = subfolders("examples").filter((folder) => existsSync(join(root, folder, "package.json")));

/** Those of `folders` that contain `file`, as paths to it. @param {readonly string[]} folders @param {string} file */
export function filesNamed(folders, file) {
  return folders.map((folder) => `${folder}/${file}`).filter((path) => existsSync(join(root, path)));
}
