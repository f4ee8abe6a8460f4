/** Rows as text. */
import { arch, cpus, platform, totalmem } from "node:os";
import type { Row } from "./scenario.ts";

/** What `--json` writes. */
export interface Report {
  /** Of the run, as `2026-11-23`. */
  readonly date: string;
  readonly machine: string;
  /** With their versions. */
  readonly engines: readonly string[];
  readonly peers: readonly string[];
  readonly rows: readonly Row[];
}

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

export function formatSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes.toPrecision(3)} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toPrecision(3)} kB`;
  return `${(bytes / 1_000_000).toPrecision(3)} MB`;
}

export function formatValue(value: number, { measured }: Pick<Row, "measured">): string {
  if (measured === "count") return value.toFixed(2);
  return measured === "bytes" ? formatSize(value) : formatTime(value);
}

export function isBroken({ ratio, promise }: Row): boolean {
  return ratio !== null && promise !== null && ratio > promise;
}

function verdict(row: Row): string {
  if (row.ratio === null) return "";
  const promise = row.promise === null ? "" : ` (promised ${String(row.promise)})`;
  return `${row.ratio.toFixed(2)} × ${row.reference ?? ""}${promise}${isBroken(row) ? " BROKEN" : ""}`;
}

/** One line: what was measured, Coppice's figure, the limit, the ratio, the peers' figures. */
export function formatRow(row: Row): string {
  const peers = [
    ...Object.entries(row.peers).map(([name, value]) => `${name} ${formatValue(value, row)}`),
    ...Object.entries(row.failed).map(([name, reason]) => `${name} failed: ${reason}`),
  ];
  return [
    row.engine.padEnd(8),
    `${row.name}, ${String(row.n)} ${row.unit}`.padEnd(54),
    formatValue(row.coppice, row).padStart(9),
    (row.limit === null ? "" : `limit ${formatValue(row.limit, row)}`).padEnd(14),
    verdict(row).padEnd(28),
    peers.join(", "),
  ].join("  ");
}
