/**
 * `npm run house [-- REVISION]`: draws the house before and after into docs/images: all packages, core and client. Before is the
 * revision at which the present order was decided, or the one that is named.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { draw } from "./boundaries/draw.mjs";
import { houseOf, sourcesAt } from "./boundaries/house.mjs";
import { root } from "./lib/root.mjs";

const before = process.argv[2] ?? "8c22912";

/** Folders of a package, and the files beside them. @param {string} place @returns {(path: string) => string | undefined} */
const roomsIn = (place) => (path) => {
  if (!path.startsWith(place)) return undefined;
  const [first = "", ...rest] = path.slice(place.length).split("/");
  return rest.length > 0 ? `${first}/` : first.replace(/\.ts$/, "");
};

/** @param {string} path */
const packageOf = (path) => {
  const [, name] = /^(?:packages\/)?([^/]+)\/src\//.exec(path) ?? [];
  return name === undefined ? undefined : `${name}/`;
};

const houses = { packages: packageOf, core: roomsIn("packages/core/src/"), client: roomsIn("packages/client/src/") };
const [then, now] = [sourcesAt(root, before), sourcesAt(root, "HEAD")];
for (const [name, roomOf] of Object.entries(houses)) {
  const svg = draw(`The rooms of ${name} before and after`, [
    { caption: `${name} before`, house: houseOf(then, roomOf) },
    { caption: `${name} after`, house: houseOf(now, roomOf) },
  ]);
  writeFileSync(join(root, `docs/images/house-${name}.svg`), svg);
}
