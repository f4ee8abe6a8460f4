import { expect, test } from "vitest";
import { groupBy } from "../plots/group-by.ts";
import { growthOf } from "../plots/growth.ts";
import { page } from "../plots/page.ts";
import { plot } from "../plots/plot.ts";
import type { Row } from "../src/scenario.ts";

const row = (n: number, coppice: number, peer: number): Row => ({
  ...{ name: "commit: create", engine: "node", n, unit: "members", measured: "microseconds", coppice },
  ...{
    peers: { "ts-mls <2>": peer },
    failed: {},
    limit: coppice / 2,
    ratio: 2,
    reference: "limit",
    promise: n === 10 ? 1.5 : null,
  },
});
const rows = [row(10, 1_000, 10_000), row(100, 2_000, 100_000), row(1_000, 3_000, 2_000)];

test("a plot has a line and a label for each contestant and for the limit", () => {
  const svg = plot(rows, { title: "a & b", note: "here" });
  expect(svg.match(/<path class="line /g)).toHaveLength(3);
  expect(svg.match(/<circle /g)).toHaveLength(9);
  for (const text of ["a &amp; b", "Coppice, 3.00 ms", "ts-mls &lt;2&gt;, 2.00 ms", "bare public-key work, 1.50 ms"]) {
    expect(svg).toContain(text);
  }
  expect(svg).not.toContain("NaN");
});

test("tenfold is the same distance everywhere", () => {
  const svg = plot(rows, { title: "", note: "" });
  const [, path = ""] = /class="line s0" d="M([^"]*)"/.exec(svg) ?? [];
  const [first = 0, second = 0, third = 0] = path.split("L").map((point) => Number(point.split(" ")[0]));
  expect(second - first).toBeCloseTo(third - second);
});

test("a page says where a peer is faster and where a promise is broken", () => {
  const report = { date: "2026-01-01", machine: "m", engines: ["Node 1"], peers: ["p 1"], rows };
  const text = page(report, "Node 1", rows, [{ scenario: "commit: create", file: "x.svg" }]);
  expect(text).toContain("**2.00 ms**");
  expect(text).not.toContain("**10.0 ms**");
  expect(text).toContain("2.00 (> 1.5)");
  expect(text).toContain("(x.svg)");
});

test("groups keep the order of their first items", () => {
  expect([...groupBy(["b1", "a1", "b2"], (text) => text.slice(0, 1))]).toEqual([
    ["b", ["b1", "b2"]],
    ["a", ["a1"]],
  ]);
});

test("growth is the exponent between the smallest and the largest size from 100 on", () => {
  const measured = [row(10, 1, 1), row(100, 100, 7), row(1_000, 1_000, 700)];
  const growth = { scenario: "commit: create", from: 100, to: 1_000 };
  expect(growthOf(measured)).toEqual([{ ...growth, factor: 10, exponent: 1 }]);
  expect(growthOf(measured, "ts-mls <2>")[0]?.exponent).toBeCloseTo(2);
  expect(growthOf(measured.slice(0, 2))).toEqual([]);
});
