/** Rows as text. */
import { arch, cpus, platform, totalmem } from "node:os";
import type { Row } from "./scenario.ts";

export function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpu?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, ${memory} GiB, ${platform()} ${arch()}`;
}

/** Three significant digits, in the unit that suits the size. */
export function formatTime(microseconds: number): string {
  if (microseconds < 1_000) return `${microseconds.toPrecision(3)} µs`;
  if (microseconds < 1_000_000) return `${(microseconds / 1_000).toPrecision(3)} ms`;
  return `${(microseconds / 1_000_000).toPrecision(3)} s`;
}

export function isOverLimit({ ratio, limit }: Row): boolean {
  return ratio !== null && limit !== null && ratio > limit;
}

function verdict(row: Row): string {
  if (row.ratio === null) return "";
  const limit = row.limit === null ? "" : ` (limit ${row.limit})`;
  return `${row.ratio.toFixed(2)} × ${row.reference ?? ""}${limit}${isOverLimit(row) ? " OVER" : ""}`;
}

/** One line: what was measured, Coppice's time, the peers' times, the ratio. */
export function formatRow(row: Row): string {
  const peers = Object.entries(row.peers).map(([name, time]) => `${name} ${formatTime(time)}`);
  return [
    row.engine.padEnd(8),
    `${row.name}, ${row.n} ${row.unit}`.padEnd(44),
    formatTime(row.coppice).padStart(9),
    verdict(row).padEnd(36),
    peers.join(", "),
  ].join("  ");
}
