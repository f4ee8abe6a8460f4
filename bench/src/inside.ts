/** What runs inside an engine: bundled into one file, for Node and for a browser's worker alike. */
import { SCENARIOS } from "../scenarios/index.ts";
import { measure, type Effort } from "./measure.ts";
import type { Row } from "./scenario.ts";

export interface Order {
  readonly engine: string;
  /** Only scenarios whose name contains this, in any case. */
  readonly filter: string;
  readonly effort: Effort;
}

/** Measures what `order` selects, one after the other; `report` gets each row when it is known. */
export async function measureAll(order: Order, report: (row: Row) => void): Promise<void> {
  for (const scenario of SCENARIOS) {
    if (!scenario.name.toLowerCase().includes(order.filter.toLowerCase())) continue;
    for (const n of scenario.sizes) report(await measure(scenario, n, order.engine, order.effort));
  }
}
