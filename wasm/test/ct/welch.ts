/** Whether two classes of timings differ: Welch's t-test over cropped samples, and a verdict over rounds of it. */

/** Two classes of timings of one round. */
export type Classes = readonly [readonly number[], readonly number[]];

/** Result of one round for one crop. */
export interface Difference {
  /** Welch's statistic; positive when the second class takes longer. */
  readonly t: number;
  /** Difference of the means, as a part of the mean. */
  readonly effect: number;
}

export interface Verdict extends Difference {
  /** Share of samples that the crop keeps. */
  readonly crop: number;
  /** Rounds in which `|t|` exceeds `T_LIMIT` in the direction that most have. */
  readonly agreeing: number;
  readonly rounds: number;
  readonly flagged: boolean;
}

/**
 * Shares of the samples, fastest first, that are looked at. What interrupts a measurement only ever makes it longer, and
 * differs from sample to sample far more than a leak does (Reparaz, Balasch and Verbauwhede, "dude, is my code constant
 * time?", 2017).
 */
const CROPS = [1, 0.99, 0.95, 0.9, 0.75, 0.5, 0.25];
/** `|t|` from here on does not happen by chance: once in 100,000 rounds without a difference. */
const T_LIMIT = 4.5;
/** Least part of the mean by which the classes have to differ: about 2 ns. An early exit of the comparison is thrice that. */
const EFFECT_LIMIT = 0.001;
/** Least share of the rounds that have to agree. Disturbances last for a round or two; a leak is in all of them. */
const AGREEING = 2 / 3;

/** What all rounds say together: the crop in which most rounds agree. */
export function judge(rounds: readonly Classes[]): Verdict {
  const differences = rounds.map((classes) => CROPS.map((crop) => differ(classes, crop)));
  const verdicts = CROPS.map((crop, i) => {
    const of = differences.flatMap((round) => round.slice(i, i + 1));
    const longer = of.filter(({ t }) => t > T_LIMIT).length;
    const shorter = of.filter(({ t }) => t < -T_LIMIT).length;
    const agreeing = Math.max(longer, shorter);
    const effect = median(of.map((one) => one.effect));
    const flagged = agreeing >= AGREEING * rounds.length && Math.abs(effect) >= EFFECT_LIMIT;
    return { crop, agreeing, rounds: rounds.length, effect, t: median(of.map(({ t }) => t)), flagged };
  });
  return verdicts.reduce((worst, verdict) => (rank(verdict) > rank(worst) ? verdict : worst));
}

function rank({ flagged, t }: Verdict): number {
  return (flagged ? 1e9 : 0) + Math.abs(t);
}

/** Compares the samples of both classes that are among the fastest of all. */
export function differ(classes: Classes, crop: number): Difference {
  const all = Float64Array.from([...classes[0], ...classes[1]]).sort();
  const limit = all[Math.ceil(crop * all.length) - 1] ?? 0;
  const [first, second] = classes.map((samples) => moments(samples.filter((sample) => sample <= limit)));
  if (first === undefined || second === undefined) throw new RangeError("two classes are compared");
  const error = Math.sqrt(first.variance / first.count + second.variance / second.count);
  const difference = second.mean - first.mean;
  return { t: error === 0 ? 0 : difference / error, effect: difference / ((first.mean + second.mean) / 2) };
}

function moments(samples: readonly number[]): {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
} {
  const count = samples.length;
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / count;
  const variance = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / (count - 1);
  return { count, mean, variance };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
