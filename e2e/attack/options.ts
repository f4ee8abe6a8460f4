/** The command line that all attackers share: `--seconds N --seed S`, and the end of their patience. */
import { parseArgs } from "node:util";

export interface AttackOptions {
  readonly seconds: number;
  readonly seed: number;
}

/** Seconds that an attacker gets beyond its own to begin, settle and count; much more than the waits in it that have limits. */
const LEEWAY_S = 300;

/** The options of the attacker of this name. If it has not ended long after its time, it ends as one that failed. */
export function attackOptions(attack: string): AttackOptions {
  const { values } = parseArgs({
    options: { seconds: { type: "string", default: "600" }, seed: { type: "string", default: "1" } },
  });
  const seconds = Number(values.seconds);
  const seed = Number(values.seed);
  if (!(seconds > 0) || !Number.isSafeInteger(seed)) throw new RangeError("--seconds is positive, --seed an integer");
  setTimeout(
    () => {
      console.log(`${attack}: BAD: it did not end within ${String(seconds + LEEWAY_S)} s`);
      process.exit(1);
    },
    (seconds + LEEWAY_S) * 1000,
  ).unref();
  return { seconds, seed };
}
