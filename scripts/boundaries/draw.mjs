/** Draws houses beside each other, as one SVG for light and dark pages. */

/** @typedef {import("./house.mjs").House} House */
/** @typedef {{ x: number, y: number, width: number }} Place */

const ROOM = { height: 44, gap: 14, rise: 40, most: 210 };
const MARGIN = 28;
const HEAD = 74;

const STYLE = `
  svg { --ground: #fbfaf7; --wall: #2f3e46; --room: #e3ecf1; --small: #f1f4f5; --text: #1d2a30; --faint: #66757c; --up: #c8501e; }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #14191c; --wall: #9db4bf; --room: #24333b; --small: #1c262b; --text: #e8eef0; --faint: #93a3aa; --up: #ff9457; }
  }
  text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: var(--text); }
  .title { font-size: 17px; font-weight: 650; }
  .faint, .lines { fill: var(--faint); font-size: 11.5px; }
  .warn { fill: var(--up); }
  .room { fill: var(--room); stroke: var(--wall); stroke-width: 1; }
  .file { fill: var(--small); stroke-dasharray: 3 2; }
  .down { fill: none; stroke: var(--wall); stroke-opacity: .5; stroke-width: 1.1; }
  .up { fill: none; stroke: var(--up); stroke-width: 1.7; }`;

/** @param {string} text */
const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
/** @param {number} value */
const round = (value) => String(Math.round(value * 10) / 10);
/** @param {{ name: string, lines: number }} room */
const widthOf = ({ name, lines }) => Math.min(ROOM.most, Math.max(name.length * 7.3 + 22, 58, Math.sqrt(lines) * 3.4));
/** @param {{ name: string, lines: number }[]} floor */
const floorWidth = (floor) => floor.reduce((sum, room) => sum + widthOf(room) + ROOM.gap, -ROOM.gap);
/** @param {number} lines */
const size = (lines) => (lines >= 1000 ? `${(lines / 1000).toFixed(1)}k` : String(lines));

/** @param {string} title @param {{ caption: string, house: House }[]} houses @returns {string} */
export function draw(title, houses) {
  const widths = houses.map(({ house }) => Math.max(330, ...house.floors.map(floorWidth)) + 2 * MARGIN);
  const floors = Math.max(...houses.map(({ house }) => house.floors.length));
  const height = HEAD + floors * (ROOM.height + ROOM.rise) + MARGIN;
  const width = widths.reduce((sum, one) => sum + one, 0);
  let left = 0;
  const parts = houses.map((one, index) => {
    const drawn = drawHouse(one, { left, width: widths[index] ?? 0, height });
    left += widths[index] ?? 0;
    return drawn;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" role="img" aria-label="${escape(title)}">
<style>${STYLE}
</style>
<defs>
  <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6.5" markerHeight="6.5" orient="auto"><path d="M0,.8 L7.4,4 L0,7.2 z" style="fill: var(--wall)"/></marker>
  <marker id="uptip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0,.8 L7.4,4 L0,7.2 z" style="fill: var(--up)"/></marker>
</defs>
<rect width="100%" height="100%" rx="10" style="fill: var(--ground)"/>
${parts.join("\n")}
</svg>
`;
}

/** @param {{ caption: string, house: House }} one @param {{ left: number, width: number, height: number }} area */
function drawHouse({ caption, house }, { left, width, height }) {
  const center = left + width / 2;
  /** @type {Map<string, Place>} */
  const places = new Map();
  house.floors.forEach((floor, index) => {
    let x = center - floorWidth(floor) / 2;
    const y = height - MARGIN - ROOM.height - index * (ROOM.height + ROOM.rise);
    for (const room of floor) {
      places.set(room.name, { x, y, width: widthOf(room) });
      x += widthOf(room) + ROOM.gap;
    }
  });
  const rooms = house.floors.flat();
  const upward = house.up.length;
  const said =
    upward === 0 ? "no import runs upward" : `${String(upward)} ${upward === 1 ? "arrow runs" : "arrows run"} upward`;
  const summary = `${String(rooms.length)} rooms on ${String(house.floors.length)} floors, `;
  return [
    `<text class="title" x="${round(left + MARGIN)}" y="34">${escape(caption)}</text>`,
    `<text class="faint" x="${round(left + MARGIN)}" y="54">${summary}<tspan${upward === 0 ? "" : ' class="warn"'}>${said}</tspan></text>`,
    ...house.down.map((arrow) => line(arrow, places, "down")),
    ...rooms.map((room) => drawRoom(room, places)),
    ...house.up.map((arrow) => line(arrow, places, "up")),
  ].join("\n");
}

/** @param {{ name: string, lines: number }} room @param {Map<string, Place>} places */
function drawRoom({ name, lines }, places) {
  const { x, y, width } = placeOf(places, name);
  const middle = round(x + width / 2);
  return `<rect class="room${name.endsWith("/") ? "" : " file"}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${String(ROOM.height)}" rx="5"/>
<text x="${middle}" y="${round(y + 19)}" text-anchor="middle">${escape(name)}</text><text class="lines" x="${middle}" y="${round(y + 35)}" text-anchor="middle">${size(lines)}</text>`;
}

/** @param {{ from: string, to: string }} arrow @param {Map<string, Place>} places @param {"down" | "up"} kind */
function line({ from, to }, places, kind) {
  const [a, b] = [placeOf(places, from), placeOf(places, to)];
  if (kind === "up") return upward(a, b, Math.max(...[...places.values()].map(({ x, width }) => x + width)));
  const [x1, x2] = [anchor(a, b), anchor(b, a)];
  const [y1, y2] = [a.y + ROOM.height, b.y - 1];
  const bend = (y2 - y1) / 2.2;
  return `<path class="down" marker-end="url(#tip)" d="M${round(x1)},${round(y1)} C${round(x1)},${round(y1 + bend)} ${round(x2)},${round(y2 - bend)} ${round(x2)},${round(y2)}"/>`;
}

/** An import that runs upward goes around the house, on its right. @param {Place} a @param {Place} b @param {number} wall */
function upward(a, b, wall) {
  const [y1, y2] = [a.y + ROOM.height * 0.35, b.y + ROOM.height * 0.65];
  const out = wall + MARGIN * 0.4 + (y1 - y2) / 22;
  const [x1, x2] = [a.x + a.width, b.x + b.width + 1];
  return `<path class="up" marker-end="url(#uptip)" d="M${round(x1)},${round(y1)} C${round(out)},${round(y1)} ${round(out)},${round(y2)} ${round(x2)},${round(y2)}"/>`;
}

/** Where an arrow leaves a room: towards the other. @param {Place} room @param {Place} other */
function anchor(room, other) {
  const [middle, aim] = [room.x + room.width / 2, other.x + other.width / 2];
  return middle + Math.max(-0.3, Math.min(0.3, (aim - middle) / 600)) * room.width;
}

/** @param {Map<string, Place>} places @param {string} name @returns {Place} */
function placeOf(places, name) {
  const place = places.get(name);
  if (place === undefined) throw new Error(`no room ${name}`);
  return place;
}
