/** What runs inside an engine: bundled into one file, for Node and for a browser's worker alike. */
import { setOrigin } from "../fixtures/origin.ts";
import { SCENARIOS } from "../scenarios/index.ts";
import { measure, type Effort } from "./measure.ts";
import type { Row } from "./scenario.ts";

export interface Order {
  readonly engine: string;
  /** Only scenarios whose name contains this, in any case. */
  readonly filter: string;
  /** Only these sizes; all of them if empty. */
  readonly sizes: readonly number[];
  /** Whether to measure sizes that take minutes, too. */
  readonly large: boolean;
  readonly effort: Effort;
  /** The server of fixtures. */
  readonly origin: string;
}

/** Measures what `order` selects, one after the other; `report` gets each row when it is known. */
export async function measureAll(order: Order, report: (row: Row) => void): Promise<void> {
  const { engine, filter, large, effort } = order;
  setOrigin(order.origin);
  for (const scenario of SCENARIOS) {
    const { name, engines = [engine], sizes, largeSizes = [] } = scenario;
    if (!name.toLowerCase().includes(filter.toLowerCase()) || !engines.includes(engine)) continue;
    for (const n of large ? [...sizes, ...largeSizes] : sizes) {
      if (order.sizes.length > 0 && !order.sizes.includes(n)) continue;
      collectGarbage();
      report(await measure(scenario, n, engine, effort));
    }
  }
}

/** What the row before left is not this row's to clear up. Firefox has no such function. */
function collectGarbage(): void {
  (globalThis as { readonly gc?: () => void }).gc?.();
}
