/** Timings of a target in two classes of inputs. */
import type { Target } from "./targets.ts";
import { type Classes, type Verdict, judge } from "./welch.ts";

export interface Effort {
  readonly rounds: number;
  /** Samples of a round, of both classes together. */
  readonly samples: number;
}

/** Inputs of each class. Enough that none of them is in a cache more often than those of the other class. */
const POOL = 512;

/** Measures rounds, of which the first is for the compiler and not looked at. */
export function examine<Kernel>(target: Target<Kernel>, kernel: Kernel, { rounds, samples }: Effort): Verdict {
  const pools = [0, 1].map((cls) =>
    Array.from({ length: POOL }, (_, i) => target.make(kernel, cls === 0 ? "first" : "second", i)),
  );
  const measured = Array.from({ length: rounds + 1 }, () => round(target, kernel, pools, samples));
  return judge(measured.slice(1));
}

/**
 * One round. The classes take turns at random, so that whatever the machine does besides happens to both. Every input is
 * copied to the same place first: the kernel is timed and not the cache that an input happens to be in.
 */
function round<Kernel>(
  target: Target<Kernel>,
  kernel: Kernel,
  pools: readonly Uint8Array[][][],
  samples: number,
): Classes {
  const args = (pools[0]?.[0] ?? []).map((argument) => new Uint8Array(argument.length));
  const order = new Uint8Array(samples);
  for (let at = 0; at < samples; at += 65_536) crypto.getRandomValues(order.subarray(at, at + 65_536));
  const classes: [number[], number[]] = [[], []];
  for (const [i, choice] of order.entries()) {
    const cls = choice % 2 === 1 ? 1 : 0;
    const input = pools[cls]?.[i % POOL] ?? [];
    for (const [j, argument] of args.entries()) argument.set(input[j] ?? new Uint8Array(0));
    const start = performance.now();
    target.run(kernel, args);
    classes[cls].push(performance.now() - start);
  }
  return classes;
}
