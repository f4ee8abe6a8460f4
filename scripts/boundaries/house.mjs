/**
 * The house as a picture: rooms are the folders of a place and the files beside them, floors go by imports, and an arrow points at what
 * is imported. Nothing is run: imports are read from the text of a revision.
 */
import { execFileSync } from "node:child_process";
import { posix } from "node:path";
import ts from "typescript";

/** @typedef {{ name: string, lines: number }} Room */
/** @typedef {{ from: string, to: string }} Arrow */
/** @typedef {{ floors: Room[][], down: Arrow[], up: Arrow[] }} House */

/**
 * The sources of a revision, by path.
 * @param {string} root @param {string} revision of git @returns {Map<string, string>}
 */
export function sourcesAt(root, revision) {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  const paths = git("ls-tree", "-r", "--name-only", revision)
    .split("\n")
    .filter((path) => /^(?:packages\/[^/]+|wasm)\/src\/.*\.ts$/.test(path));
  return new Map(paths.map((path) => [path, git("show", `${revision}:${path}`)]));
}

/**
 * @param {Map<string, string>} sources
 * @param {(path: string) => string | undefined} roomOf undefined for what is outside
 * @returns {House}
 */
export function houseOf(sources, roomOf) {
  /** @type {Map<string, Room>} */
  const rooms = new Map();
  /** @type {Map<string, number>} */
  const weights = new Map();
  for (const [path, text] of sources) {
    const name = roomOf(path);
    if (name === undefined) continue;
    const lines = text.split("\n").length - 1;
    rooms.set(name, { name, lines: (rooms.get(name)?.lines ?? 0) + lines });
    for (const { fileName } of ts.preProcessFile(text).importedFiles) {
      const to = roomOf(target(path, fileName));
      if (to === undefined || to === name) continue;
      const key = `${name}>${to}`;
      weights.set(key, (weights.get(key) ?? 0) + 1);
    }
  }
  const arrows = [...weights].flatMap(([key, weight]) => {
    const [from = "", to = ""] = key.split(">");
    return rooms.has(from) && rooms.has(to) ? [{ from, to, weight }] : [];
  });
  return settle([...rooms.values()], arrows);
}

/** @param {string} from @param {string} specifier */
function target(from, specifier) {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  const [, scoped] = /^@coppice\/([^/]+)/.exec(specifier) ?? [];
  if (scoped === "wasm") return "wasm/src/index.ts";
  return scoped === undefined ? specifier : `packages/${scoped}/src/index.ts`;
}

/**
 * Orders the rooms so that as few imports as can be found run upward, and puts each on the lowest floor above all that it imports.
 * @param {Room[]} rooms @param {(Arrow & { weight: number })[]} arrows @returns {House}
 */
function settle(rooms, arrows) {
  const order = /** @type {string[]} */ ([]);
  const left = new Set(rooms.map(({ name }) => name).sort());
  // Ground first: what imports nothing that is left, else what imports the least of it and is imported the most.
  while (left.size > 0) {
    const burden = (/** @type {string} */ name) =>
      arrows.reduce((sum, { from, to, weight }) => {
        if (from === name && left.has(to)) return sum + weight * 1000;
        return to === name && left.has(from) ? sum - weight : sum;
      }, 0);
    const [next = ""] = [...left].sort((a, b) => burden(a) - burden(b));
    left.delete(next);
    order.push(next);
  }
  const rank = new Map(order.map((name, index) => [name, index]));
  const isUp = (/** @type {Arrow} */ { from, to }) => (rank.get(to) ?? 0) > (rank.get(from) ?? 0);
  const down = arrows.filter((arrow) => !isUp(arrow));
  /** @type {Map<string, number>} */
  const floor = new Map();
  for (const name of order) {
    const below = down.filter(({ from }) => from === name).map(({ to }) => floor.get(to) ?? 0);
    floor.set(name, below.length === 0 ? 0 : Math.max(...below) + 1);
  }
  /** @type {Room[][]} */
  const floors = [];
  for (const room of rooms) (floors[floor.get(room.name) ?? 0] ??= []).push(room);
  return { floors: arranged(floors, down), down: reduced(down), up: arrows.filter(isUp) };
}

/** Each floor in the order of what its rooms are tied to. @param {Room[][]} floors @param {Arrow[]} arrows */
function arranged(floors, arrows) {
  /** @type {Map<string, number>} */
  const place = new Map();
  const note = (/** @type {Room[]} */ floor) => {
    floor.forEach(({ name }, index) => place.set(name, (index + 0.5) / floor.length));
  };
  floors.forEach(note);
  for (let sweep = 0; sweep < 8; sweep++) {
    for (const floor of floors) {
      const pull = new Map(
        floor.map(({ name }) => {
          const ties = arrows.flatMap(({ from, to }) => (from === name ? [to] : to === name ? [from] : []));
          const sum = ties.reduce((total, other) => total + (place.get(other) ?? 0.5), 0);
          return [name, ties.length === 0 ? 0.5 : sum / ties.length];
        }),
      );
      floor.sort((a, b) => (pull.get(a.name) ?? 0) - (pull.get(b.name) ?? 0));
      note(floor);
    }
  }
  return floors;
}

/** Without arrows that a longer way says already. @template {Arrow} A @param {A[]} arrows @returns {A[]} */
function reduced(arrows) {
  /** @type {(from: string, to: string) => boolean} */
  const reaches = (from, to) =>
    arrows.some((arrow) => arrow.from === from && (arrow.to === to || reaches(arrow.to, to)));
  return arrows.filter(
    ({ from, to }) => !arrows.some((arrow) => arrow.from === from && arrow.to !== to && reaches(arrow.to, to)),
  );
}
