/** How a step grows with the size of the group, by its smallest and largest size. */
import type { Row } from "../src/scenario.ts";
import { groupBy } from "./group-by.ts";

export interface Growth {
  readonly scenario: string;
  readonly from: number;
  readonly to: number;
  /** Time at `to` divided by time at `from`. */
  readonly factor: number;
  /** Of the power of the size that gives this factor: 0 is flat, 1 linear, 2 quadratic. */
  readonly exponent: number;
}

/** What a group of this size needs is more than what a step costs at any size. */
const LEAST = 100;

/** Of Coppice, or of a peer where it was measured; steps with two sizes from 100 on. `rows` are of one engine. */
export function growthOf(rows: readonly Row[], peer?: string): Growth[] {
  return [...groupBy(rows, ({ name }) => name)].flatMap(([scenario, found]) => {
    const valueOf = (row: Row): number | undefined => (peer === undefined ? row.coppice : row.peers[peer]);
    const points = found
      .filter(({ n, unit }) => n >= LEAST && unit === "members")
      .flatMap((row) => {
        const value = valueOf(row);
        return value === undefined ? [] : [{ n: row.n, value }];
      });
    const [first, last] = [points.at(0), points.at(-1)];
    if (first === undefined || last === undefined || first.n === last.n) return [];
    const factor = last.value / first.value;
    return [{ scenario, from: first.n, to: last.n, factor, exponent: Math.log(factor) / Math.log(last.n / first.n) }];
  });
}
