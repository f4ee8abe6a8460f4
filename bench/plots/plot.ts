/** A plot of one scenario as SVG: time against size, both logarithmic, one line for each contestant. */
import type { Row } from "../src/scenario.ts";
import { formatValue } from "../src/report.ts";

const WIDTH = 760;
const HEIGHT = 440;
const FRAME = { left: 78, right: 548, top: 58, bottom: 372 };

interface Series {
  readonly name: string;
  readonly points: readonly (readonly [n: number, value: number])[];
}

/** Coppice first, the limit last: they keep their look in all plots. */
function seriesOf(rows: readonly Row[]): Series[] {
  const names = new Set(rows.flatMap(({ peers }) => Object.keys(peers)));
  const seriesBy = (name: string, value: (row: Row) => number | null | undefined): Series => ({
    name,
    points: rows.flatMap((row) => {
      const measured = value(row);
      return measured === undefined || measured === null ? [] : [[row.n, measured] as const];
    }),
  });
  return [
    seriesBy("Coppice", ({ coppice }) => coppice),
    ...[...names].map((name) => seriesBy(name, ({ peers }) => peers[name])),
    seriesBy(LIMIT, ({ limit }) => limit),
  ].filter(({ points }) => points.length > 0);
}

const LIMIT = "bare public-key work";

/** A contestant has the same colour in all plots. */
const COLOURS = ["Coppice", "ts-mls 2", "ts-mls 1", "core-crypto", "openmls-wasm"];

function styleOf(name: string, index: number): string {
  if (name === LIMIT) return "limit";
  const found = COLOURS.findIndex((start) => name.startsWith(start));
  return String(found === -1 ? index : found);
}

/** Powers of ten around `values`. */
function decades(values: readonly number[]): number[] {
  const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
  return Array.from({ length: Math.max(1, high - low) + 1 }, (_, index) => 10 ** (low + index));
}

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .note, .tick { font-size: 11px; fill: #59636e; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .s0 { stroke: #0969da; stroke-width: 3.5; } .d0 { fill: #0969da; }
  .s1 { stroke: #bc4c00; } .d1 { fill: #bc4c00; }
  .s2 { stroke: #8250df; } .d2 { fill: #8250df; }
  .s3 { stroke: #1a7f37; } .d3 { fill: #1a7f37; }
  .s4 { stroke: #bf3989; } .d4 { fill: #bf3989; }
  .limit { stroke: #59636e; stroke-dasharray: 5 4; } .dlimit { fill: #59636e; }
  .paper { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note, .tick { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .s0 { stroke: #4493f8; } .d0 { fill: #4493f8; }
    .s1 { stroke: #db6d28; } .d1 { fill: #db6d28; }
    .s2 { stroke: #ab7df8; } .d2 { fill: #ab7df8; }
    .s3 { stroke: #3fb950; } .d3 { fill: #3fb950; }
    .s4 { stroke: #db61a2; } .d4 { fill: #db61a2; }
    .limit { stroke: #9198a1; } .dlimit { fill: #9198a1; }
    .paper { fill: #0d1117; }
  }`;

export interface PlotText {
  readonly title: string;
  /** Machine and versions. */
  readonly note: string;
}

/** Labels stand beside the last points, moved apart where they would overlap. */
function spread(heights: readonly number[]): number[] {
  const order = heights.map((height, index) => ({ height, index })).sort((a, b) => a.height - b.height);
  const placed = new Array<number>(heights.length).fill(0);
  let last = -Infinity;
  for (const { height, index } of order) {
    last = Math.max(height, last + 16);
    placed[index] = last;
  }
  return placed;
}

/** `rows` are of one scenario, engine and unit. */
export function plot(rows: readonly Row[], { title, note }: PlotText): string {
  const series = seriesOf(rows);
  const [xs, ys] = [decades(rows.map(({ n }) => n)), decades(series.flatMap(({ points }) => points.map(([, y]) => y)))];
  const scale =
    (ticks: readonly number[], from: number, to: number) =>
    (value: number): number => {
      const [low, high] = [Math.log10(ticks[0] ?? 1), Math.log10(ticks.at(-1) ?? 10)];
      return from + ((Math.log10(value) - low) / (high - low)) * (to - from);
    };
  const [x, y] = [scale(xs, FRAME.left, FRAME.right), scale(ys, FRAME.bottom, FRAME.top)];
  const at = (value: number): string => value.toFixed(1);
  const [measured = { measured: "microseconds" as const }] = rows;
  const parts = [
    ...ys.map(
      (tick) =>
        `<path class="grid" d="M${at(FRAME.left)} ${at(y(tick))}H${at(FRAME.right)}"/>` +
        `<text class="tick" text-anchor="end" x="${at(FRAME.left - 8)}" y="${at(y(tick) + 4)}">${formatTick(tick, measured)}</text>`,
    ),
    ...xs.map(
      (tick) =>
        `<path class="grid" d="M${at(x(tick))} ${at(FRAME.top)}V${at(FRAME.bottom)}"/>` +
        `<text class="tick" text-anchor="middle" x="${at(x(tick))}" y="${at(FRAME.bottom + 18)}">${tick.toLocaleString("en")}</text>`,
    ),
  ];
  const labels = spread(series.map(({ points }) => y(points.at(-1)?.[1] ?? 1)));
  series.forEach(({ name, points }, index) => {
    const style = styleOf(name, index);
    const path = points.map(([n, value]) => `${at(x(n))} ${at(y(value))}`).join("L");
    const dots = points.map(
      ([n, value]) => `<circle class="d${style}" cx="${at(x(n))}" cy="${at(y(value))}" r="3.5"/>`,
    );
    const [lastN = 1] = points.at(-1) ?? [];
    const label = labels[index] ?? 0;
    parts.push(
      `<path class="line ${style === "limit" ? "limit" : `s${style}`}" d="M${path}"/>${dots.join("")}`,
      `<text x="${at(Math.max(x(lastN), FRAME.right) + 12)}" y="${at(label + 4)}">${escape(name)}, ${formatValue(points.at(-1)?.[1] ?? 0, measured)}</text>`,
    );
  });
  const [{ unit } = { unit: "members" }] = rows;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" role="img" aria-label="${escape(title)}">
<style>${STYLE}
</style>
<rect class="paper" width="${String(WIDTH)}" height="${String(HEIGHT)}"/>
<text class="title" x="16" y="30">${escape(title)}</text>
${parts.join("\n")}
<text text-anchor="middle" x="${at((FRAME.left + FRAME.right) / 2)}" y="${at(FRAME.bottom + 38)}">${unit}</text>
<text class="note" x="16" y="${String(HEIGHT - 10)}">${escape(note)}</text>
</svg>
`;
}

/** A power of ten without the digits that say nothing. */
function formatTick(value: number, row: Pick<Row, "measured">): string {
  return formatValue(value, row).replace(/\.0+(?= )/, "");
}
