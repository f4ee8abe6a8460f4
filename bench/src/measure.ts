/** Times the contestants of a scenario in turns, so that whatever disturbs the machine disturbs all of them. */
import { median } from "./median.ts";
import { PublicKeyClock, publicKeyOperations } from "./public-key.ts";
import type { Contest, Contestant, Operation, Row, Scenario, Sizes } from "./scenario.ts";

export interface Effort {
  /** Samples of each contestant. */
  readonly rounds: number;
  /** Least duration of a sample, in milliseconds: far above the resolution of a browser's clock. */
  readonly sampleMs: number;
  /** What a contestant may take for its samples, their preparation included, in milliseconds: the slow get fewer rounds. */
  readonly budgetMs: number;
}

export const DEFAULT_EFFORT: Effort = { rounds: 15, sampleMs: 20, budgetMs: 3_000 };

const MAX_TIMES = 2 ** 22;
const LEAST_ROUNDS = 3;

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

interface Lane {
  readonly name: string;
  readonly contestant: Contestant;
  /** Runs in a sample. */
  readonly times: number;
  readonly rounds: number;
  readonly samples: number[];
}

/** Finds how many runs make a sample long enough; the runs it needs to find out warm the code up. */
async function openLane(name: string, contestant: Contestant, effort: Effort): Promise<Lane> {
  for (let times = 1; ;) {
    const begin = performance.now();
    const elapsed = await sample(contestant, times);
    if (elapsed >= effort.sampleMs || times >= MAX_TIMES) {
      const cost = Math.max(elapsed, performance.now() - begin);
      const least = cost > effort.budgetMs ? 1 : LEAST_ROUNDS;
      const rounds = Math.min(effort.rounds, Math.max(least, Math.floor(effort.budgetMs / cost)));
      return { name, contestant, times, rounds, samples: [] };
    }
    const missing = elapsed > 0 ? (1.2 * effort.sampleMs) / elapsed : 16;
    times = Math.min(MAX_TIMES, Math.ceil(times * Math.min(16, Math.max(1.5, missing))));
  }
}

/**
 * Median microseconds of each contestant, by name, and the messages of peers that failed. `between` is awaited before each
 * round, and after the last one.
 */
async function medians(
  contestants: ReadonlyMap<string, Contestant>,
  effort: Effort,
  between: () => Promise<void>,
): Promise<Omit<Measured, "measured" | "limit">> {
  const lanes: Lane[] = [];
  const failed: Record<string, string> = {};
  for (const [name, contestant] of contestants) {
    try {
      lanes.push(await openLane(name, contestant, effort));
    } catch (error) {
      if (name === "coppice") throw error;
      failed[name] = reasonOf(error);
    }
  }
  for (let round = 0; lanes.some(({ rounds }) => round < rounds); round++) {
    await between();
    // Whoever goes first differs from round to round.
    const start = round % lanes.length;
    for (const lane of [...lanes.slice(start), ...lanes.slice(0, start)]) {
      if (round >= lane.rounds) continue;
      lane.samples.push(((await sample(lane.contestant, lane.times)) / lane.times) * 1_000);
    }
  }
  await between();
  return { values: new Map(lanes.map(({ name, samples }) => [name, median(samples)])), failed };
}

/** What core-crypto has to say is deep inside of its errors. */
function reasonOf(error: unknown): string {
  if (typeof error === "object" && error !== null) {
    if ("msg" in error) return String(error.msg);
    if ("inner" in error) return reasonOf(error.inner);
    if ("mlsError" in error) return reasonOf(error.mlsError);
  }
  return error instanceof Error ? error.message : String(error);
}

/** What the ratio refers to: the named peer, else the limit, else the fastest peer. */
function referenceOf(
  peers: ReadonlyMap<string, number>,
  limit: number | null,
  named: string | undefined,
): readonly [name: string, value: number] | undefined {
  if (named !== undefined) {
    const value = peers.get(named);
    if (value === undefined) throw new RangeError(`there is no peer "${named}"`);
    return [named, value];
  }
  if (limit !== null) return ["limit", limit];
  let fastest: readonly [string, number] | undefined;
  for (const entry of peers) {
    if (fastest === undefined || entry[1] < fastest[1]) fastest = entry;
  }
  return fastest;
}

type Measured = Pick<Row, "measured" | "limit" | "failed"> & { readonly values: ReadonlyMap<string, number> };

async function measureTimes(contest: Contest, effort: Effort): Promise<Measured> {
  const contestants = new Map([["coppice", contest.coppice], ...Object.entries(contest.peers)]);
  const { work } = contest;
  const clock = work === undefined ? undefined : new PublicKeyClock(await publicKeyOperations());
  await clock?.sample();
  const medianTimes = await medians(contestants, effort, async () => clock?.sample());
  const limit = work === undefined || clock === undefined ? null : clock.timeOf(work);
  return { measured: "microseconds", ...medianTimes, limit };
}

function measureSizes({ bytes, limit }: Sizes): Measured {
  return { measured: "bytes", values: new Map(Object.entries(bytes)), failed: {}, limit: limit ?? null };
}

/** Measures one scenario at one size. */
export async function measure(scenario: Scenario, n: number, engine: string, effort: Effort): Promise<Row> {
  const contest = await scenario.setup(n);
  const { values, failed, measured, limit } =
    "bytes" in contest ? measureSizes(contest) : await measureTimes(contest, effort);
  const peers = new Map([...values].filter(([name]) => name !== "coppice"));
  const coppice = values.get("coppice") ?? Number.NaN;
  const reference = referenceOf(peers, limit, scenario.reference);
  const { promise } = scenario;
  return {
    name: scenario.name,
    engine,
    n,
    unit: scenario.sizeUnit,
    measured,
    coppice,
    peers: Object.fromEntries(peers),
    failed,
    limit,
    ratio: reference === undefined ? null : coppice / reference[1],
    reference: reference?.[0] ?? null,
    promise: (typeof promise === "function" ? promise(n, engine) : promise) ?? null,
  };
}
