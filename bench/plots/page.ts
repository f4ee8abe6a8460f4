/** The figures of one engine as Markdown: a table for each area, and the plots of its scenarios. */
import { growthOf } from "./growth.ts";
import { groupBy } from "./group-by.ts";
import { formatValue, isBroken, type Report } from "../src/report.ts";
import type { Row } from "../src/scenario.ts";

export interface Drawing {
  /** Name of the scenario. */
  readonly scenario: string;
  /** File beside the page. */
  readonly file: string;
}

/** What stands before the colon or the first comma of a scenario's name. */
const areaOf = ({ name }: Row): string => /^[^:,]*/.exec(name)?.[0] ?? name;

function tableOf(rows: readonly Row[]): string {
  const peers = [...new Set(rows.flatMap((row) => [...Object.keys(row.peers), ...Object.keys(row.failed)]))];
  const hasLimit = rows.some(({ limit }) => limit !== null);
  const head = ["step", "n", "Coppice", ...(hasLimit ? ["limit"] : []), "ratio", ...peers];
  const lines = rows.map((row) => [
    row.name,
    `${row.n.toLocaleString("en")} ${row.unit}`,
    formatValue(row.coppice, row),
    ...(hasLimit ? [row.limit === null ? "" : formatValue(row.limit, row)] : []),
    ratioOf(row),
    ...peers.map((peer) => {
      const value = row.peers[peer];
      if (value === undefined) return peer in row.failed ? "fails" : "";
      const text = formatValue(value, row);
      return value < row.coppice ? `**${text}**` : text;
    }),
  ]);
  return markdownTable(head, lines);
}

function markdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Exponents: 0 is flat, 1 linear. */
function growthTable(rows: readonly Row[]): string {
  const peers = [...new Set(rows.flatMap((row) => Object.keys(row.peers)))];
  const ofPeers = peers.map((peer) => new Map(growthOf(rows, peer).map((growth) => [growth.scenario, growth])));
  const lines = growthOf(rows).map(({ scenario, from, to, factor, exponent }) => [
    scenario,
    `${from.toLocaleString("en")} to ${to.toLocaleString("en")}`,
    `× ${factor.toPrecision(3)}`,
    exponent.toFixed(2),
    ...ofPeers.map((growths) => growths.get(scenario)?.exponent.toFixed(2) ?? ""),
  ]);
  const kept = peers.map((_, index) => lines.some((cells) => cells[index + 4] !== ""));
  const head = ["step", "members", "Coppice", "exponent", ...peers].filter((_, i) => i < 4 || kept[i - 4] === true);
  return markdownTable(
    head,
    lines.map((cells) => cells.filter((_, i) => i < 4 || kept[i - 4] === true)),
  );
}

function ratioOf(row: Row): string {
  if (row.ratio === null) return "";
  const promise =
    row.promise === null ? "" : isBroken(row) ? ` (> ${String(row.promise)})` : ` (≤ ${String(row.promise)})`;
  return `${row.ratio.toFixed(2)}${promise}`;
}

/** `rows` are of one engine. */
export function page(
  { date, machine, peers }: Report,
  engine: string,
  rows: readonly Row[],
  drawings: readonly Drawing[],
): string {
  const areas = groupBy(rows, areaOf);
  const sections = [...areas].map(([area, found]) => {
    const names = new Set(found.map(({ name }) => name));
    const pictures = drawings
      .filter(({ scenario }) => names.has(scenario))
      .map(({ scenario, file }) => `![${scenario}: time against size](${file})`);
    return [`## ${area}`, tableOf(found), ...pictures].join("\n\n");
  });
  return `# Figures: ${engine}

Written by \`npm run plots\` on ${date}: ${machine}; ${peers.join(", ")}. How to read it: [README.md](README.md).

## growth

How many times the time of the smaller group the larger one takes, and the exponent: 0 is flat, 1 linear, 2 quadratic. The
peers' exponents are between their own smallest and largest sizes from 100 on.

${growthTable(rows)}

${sections.join("\n\n")}
`;
}
