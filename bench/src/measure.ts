/** Times the contestants of a scenario in turns, so that whatever disturbs the machine disturbs all of them. */
import type { Contest, Contestant, Operation, Row, Scenario } from "./scenario.ts";

export interface Effort {
  /** Samples of each contestant. */
  readonly rounds: number;
  /** Least duration of a sample, in milliseconds: far above the resolution of a browser's clock. */
  readonly sampleMs: number;
}

export const DEFAULT_EFFORT: Effort = { rounds: 15, sampleMs: 20 };

const MAX_TIMES = 2 ** 22;

function operationOf(contestant: Contestant, times: number): Operation | Promise<Operation> {
  return typeof contestant === "function" ? contestant : contestant.prepare(times);
}

/** Milliseconds that `times` runs take. */
async function sample(contestant: Contestant, times: number): Promise<number> {
  const operation = await operationOf(contestant, times);
  const start = performance.now();
  for (let index = 0; index < times; index++) {
    const result = operation(index);
    if (result instanceof Promise) await result;
  }
  return performance.now() - start;
}

/** How many runs make a sample long enough; the runs it needs to find out warm the code up. */
async function calibrate(contestant: Contestant, sampleMs: number): Promise<number> {
  for (let times = 1; ;) {
    const elapsed = await sample(contestant, times);
    if (elapsed >= sampleMs || times >= MAX_TIMES) return times;
    const missing = elapsed > 0 ? (1.2 * sampleMs) / elapsed : 16;
    times = Math.min(MAX_TIMES, Math.ceil(times * Math.min(16, Math.max(1.5, missing))));
  }
}

/** The middle one; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return (low + high) / 2;
}

/** Median microseconds of each contestant, by name. */
async function medians(contestants: ReadonlyMap<string, Contestant>, effort: Effort): Promise<Map<string, number>> {
  const lanes: { name: string; contestant: Contestant; times: number; samples: number[] }[] = [];
  for (const [name, contestant] of contestants) {
    lanes.push({ name, contestant, times: await calibrate(contestant, effort.sampleMs), samples: [] });
  }
  for (let round = 0; round < effort.rounds; round++) {
    // Whoever goes first differs from round to round.
    const start = round % lanes.length;
    for (const lane of [...lanes.slice(start), ...lanes.slice(0, start)]) {
      lane.samples.push(((await sample(lane.contestant, lane.times)) / lane.times) * 1_000);
    }
  }
  return new Map(lanes.map(({ name, samples }) => [name, median(samples)]));
}

/** The peer that the ratio refers to: the named one, else the fastest. */
function referenceOf(peers: ReadonlyMap<string, number>, named: string | undefined): string | null {
  if (named !== undefined) {
    if (!peers.has(named)) throw new RangeError(`there is no peer "${named}"`);
    return named;
  }
  let fastest: string | null = null;
  for (const [name, time] of peers) {
    if (fastest === null || time < (peers.get(fastest) ?? Infinity)) fastest = name;
  }
  return fastest;
}

/** Measures one scenario at one size. */
export async function measure(scenario: Scenario, n: number, engine: string, effort: Effort): Promise<Row> {
  const contest: Contest = await scenario.setup(n);
  const contestants = new Map(Object.entries(contest.peers));
  const times = await medians(new Map([["coppice", contest.coppice], ...contestants]), effort);
  const coppice = times.get("coppice") ?? Number.NaN;
  times.delete("coppice");
  const reference = referenceOf(times, scenario.reference);
  const referenceTime = reference === null ? undefined : times.get(reference);
  return {
    name: scenario.name,
    engine,
    n,
    unit: scenario.sizeUnit,
    coppice,
    peers: Object.fromEntries(times),
    limit: scenario.limit ?? null,
    ratio: referenceTime === undefined ? null : coppice / referenceTime,
    reference,
  };
}
