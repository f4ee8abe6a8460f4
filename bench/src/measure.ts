/** Times the contestants of a scenario in turns, so that whatever disturbs the machine disturbs all of them. */
import { median } from "./median.ts";
import { PublicKeyClock, publicKeyOperations } from "./public-key.ts";
import type { Contest, Contestant, Operation, Row, Scenario, Sizes } from "./scenario.ts";

export interface Effort {
  /** Samples of each contestant. */
  readonly rounds: number;
  /** Least duration of a sample, in milliseconds: far above the resolution of a browser's clock. */
  readonly sampleMs: number;
  /** What a contestant runs before its first sample, in milliseconds without preparation: engines compile what they see often. */
  readonly warmMs: number;
  /** What a contestant may take for its samples, their preparation included, in milliseconds: the slow get fewer rounds. */
  readonly budgetMs: number;
}

export const DEFAULT_EFFORT: Effort = { rounds: 15, sampleMs: 20, warmMs: 300, budgetMs: 3_000 };

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

/** Finds how many runs make a sample long enough, and warms the code up. */
async function openLane(name: string, contestant: Contestant, effort: Effort): Promise<Lane> {
  const opened = performance.now();
  let ran = 0;
  for (let times = 1; ;) {
    const begin = performance.now();
    const elapsed = await sample(contestant, times);
    ran += elapsed;
    if (elapsed >= effort.sampleMs || times >= MAX_TIMES) {
      const cost = Math.max(elapsed, performance.now() - begin);
      const least = cost > effort.budgetMs ? 1 : LEAST_ROUNDS;
      const rounds = Math.min(effort.rounds, Math.max(least, Math.floor(effort.budgetMs / cost)));
      while (ran < effort.warmMs && performance.now() - opened < effort.budgetMs)
        ran += await sample(contestant, times);
      return { name, contestant, times, rounds, samples: [] };
    }
    const missing = elapsed > 0 ? (1.2 * effort.sampleMs) / elapsed : 16;
    times = Math.min(MAX_TIMES, Math.ceil(times * Math.min(16, Math.max(1.5, missing))));
  }
}

/** What a row says, by name, in the order of the rounds. */
interface Sampled {
  /** Of Coppice and the peers that did not fail. */
  readonly samples: ReadonlyMap<string, readonly number[]>;
  /** What the bare public-key work took just before and after each sample of Coppice. */
  readonly limits: readonly number[];
  /** Messages of peers that failed. */
  readonly failed: Readonly<Record<string, string>>;
}

async function sampleAll(
  contestants: ReadonlyMap<string, Contestant>,
  effort: Effort,
  clock: PublicKeyClock | undefined,
): Promise<Sampled> {
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
  const limits: number[] = [];
  for (let round = 0; lanes.some(({ rounds }) => round < rounds); round++) {
    // Whoever goes first differs from round to round.
    const start = round % lanes.length;
    for (const lane of [...lanes.slice(start), ...lanes.slice(0, start)]) {
      if (round >= lane.rounds) continue;
      const measured = lane.name === "coppice" ? clock : undefined;
      const before = await measured?.sample();
      lane.samples.push(((await sample(lane.contestant, lane.times)) / lane.times) * 1_000);
      const after = await measured?.sample();
      if (before !== undefined && after !== undefined) limits.push((before + after) / 2);
    }
  }
  return { samples: new Map(lanes.map(({ name, samples }) => [name, samples])), limits, failed };
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
  peers: ReadonlyMap<string, readonly number[]>,
  limits: readonly number[],
  named: string | undefined,
): readonly [name: string, values: readonly number[]] | undefined {
  if (named !== undefined) {
    const values = peers.get(named);
    if (values === undefined) throw new RangeError(`there is no peer "${named}"`);
    return [named, values];
  }
  if (limits.length > 0) return ["limit", limits];
  let fastest: readonly [string, readonly number[]] | undefined;
  for (const entry of peers) {
    if (fastest === undefined || median(entry[1]) < median(fastest[1])) fastest = entry;
  }
  return fastest;
}

/** The median of the rounds' ratios: a machine that slows down for a while slows both, and their ratio stays. */
const ratioOf = (values: readonly number[], reference: readonly number[]): number =>
  median(values.slice(0, reference.length).map((value, round) => value / (reference[round] ?? Number.NaN)));

async function sampleTimes({ coppice, peers, work }: Contest, effort: Effort): Promise<Sampled> {
  const clock = work === undefined ? undefined : new PublicKeyClock(await publicKeyOperations(work.keys), work);
  return sampleAll(new Map([["coppice", coppice], ...Object.entries(peers)]), effort, clock);
}

const sampleSizes = ({ bytes, limit }: Sizes): Sampled => ({
  samples: new Map(Object.entries(bytes).map(([name, value]) => [name, [value]])),
  limits: limit === undefined ? [] : [limit],
  failed: {},
});

/** Measures one scenario at one size. */
export async function measure(scenario: Scenario, n: number, engine: string, effort: Effort): Promise<Row> {
  const contest = await scenario.setup(n);
  const areSizes = "bytes" in contest;
  const { samples, limits, failed } = areSizes ? sampleSizes(contest) : await sampleTimes(contest, effort);
  const peers = new Map([...samples].filter(([name]) => name !== "coppice"));
  const coppice = samples.get("coppice") ?? [];
  const reference = referenceOf(peers, limits, scenario.reference);
  const { promise } = scenario;
  return {
    name: scenario.name,
    engine,
    n,
    unit: scenario.sizeUnit,
    measured: areSizes ? "bytes" : "microseconds",
    coppice: median(coppice),
    peers: Object.fromEntries([...peers].map(([name, values]) => [name, median(values)])),
    failed,
    limit: limits.length > 0 ? median(limits) : null,
    ratio: reference === undefined ? null : ratioOf(coppice, reference[1]),
    reference: reference?.[0] ?? null,
    promise: (typeof promise === "function" ? promise(n, engine) : promise) ?? null,
  };
}
