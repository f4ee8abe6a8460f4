/** The command line that all attackers share: `--seconds N --seed S`. */
import { parseArgs } from "node:util";

export interface AttackOptions {
  readonly seconds: number;
  readonly seed: number;
}

export function attackOptions(): AttackOptions {
  const { values } = parseArgs({
    options: { seconds: { type: "string", default: "600" }, seed: { type: "string", default: "1" } },
  });
  const seconds = Number(values.seconds);
  const seed = Number(values.seed);
  if (!(seconds > 0) || !Number.isSafeInteger(seed)) throw new RangeError("--seconds is positive, --seed an integer");
  return { seconds, seed };
}
