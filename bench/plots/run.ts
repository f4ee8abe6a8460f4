/** `npm run plots`: draws the figures in docs/benchmarks/*.json, which `npm run bench -- --json FILE` wrote, beside them. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as prettier from "prettier";
import type { Report } from "../src/report.ts";
import type { Row } from "../src/scenario.ts";
import { groupBy } from "./group-by.ts";
import { page, type Drawing } from "./page.ts";
import { plot } from "./plot.ts";

const folder = fileURLToPath(new URL("../../docs/benchmarks", import.meta.url));

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");

/** A line needs three points. */
const LEAST_SIZES = 3;

function drawAll(report: Report, engine: string, rows: readonly Row[]): Drawing[] {
  const drawings: Drawing[] = [];
  for (const [scenario, found] of groupBy(rows, ({ name }) => name)) {
    if (found.length < LEAST_SIZES || scenario.startsWith("kernel")) continue;
    const file = `${slug(engine.split(" ")[0] ?? engine)}-${slug(scenario)}.svg`;
    const note = `${engine}; ${report.machine}; ${report.date}`;
    writeFileSync(join(folder, file), plot(found, { title: scenario, note }));
    drawings.push({ scenario, file });
  }
  return drawings;
}

const files = readdirSync(folder);
for (const file of files.filter((name) => name.endsWith(".svg"))) rmSync(join(folder, file));
for (const file of files.filter((name) => name.endsWith(".json"))) {
  const report = JSON.parse(readFileSync(join(folder, file), "utf8")) as Report;
  for (const [name, rows] of groupBy(report.rows, ({ engine }) => engine)) {
    const engine = report.engines.find((version) => version.toLowerCase().startsWith(name)) ?? name;
    const drawings = drawAll(report, engine, rows);
    const target = join(folder, `${name}.md`);
    const config = await prettier.resolveConfig(target);
    writeFileSync(target, await prettier.format(page(report, engine, rows, drawings), { ...config, filepath: target }));
    console.log(`${name}.md: ${String(rows.length)} rows, ${String(drawings.length)} plots`);
  }
}
