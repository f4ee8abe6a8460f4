/** How every attacker ends: what was told, what went wrong, one line of counts, and the exit code. */
import type { Party } from "./party.ts";
import { tally } from "./tally.ts";

export interface Findings {
  /** The attacker, and on which browser it was where it attacks one after the other. */
  readonly attack: string;
  /** What the attacker did, with how often. */
  readonly episodes: ReadonlyMap<string, number>;
  /** What stopped it, if anything did. */
  readonly failure: unknown;
  /** Texts whose fate a restored profile does not know. */
  readonly gone?: ReadonlySet<string>;
  /** The longest that somebody waited beside a context that stood still, in milliseconds; undefined if none did. */
  readonly longestWait?: number;
}

/** The longest that a call may take while another context stands still. */
export const PATIENCE_MS = 5000;

/**
 * Prints what came of it, ends the party, and resolves with whether nothing was lost, repeated, stuck or late. What matters most
 * comes last: a log that is cut off keeps its end.
 */
export async function conclude(
  party: Party,
  { attack, episodes, failure, gone = new Set(), longestWait }: Findings,
): Promise<boolean> {
  const failures: unknown[] = failure === undefined ? [] : [failure];
  for (const person of party.people) await person.noteProblems();
  const result = await tally(party.people, party.group, gone).catch((error: unknown) => {
    failures.push(error);
    return undefined;
  });
  const audit = await party.auditor.audit().catch((error: unknown) => {
    failures.push(error);
    return undefined;
  });
  const keysRepeated = audit?.repeated ?? [];
  const faults = [
    ...(keysRepeated.length > 0 ? [`${String(keysRepeated.length)} keys repeated`] : []),
    ...(["lost", "repeated", "stuck"] as const).flatMap((kind) => {
      const count = result?.[kind].length ?? 0;
      return count > 0 ? [`${String(count)} ${kind}`] : [];
    }),
    ...((longestWait ?? 0) > PATIENCE_MS ? [`a call waited longer than ${String(PATIENCE_MS)} ms`] : []),
    ...failures.map((error) => (error instanceof Error ? error.message : String(error))),
  ];
  if (faults.length > 0) console.log(`server log, last lines:\n${party.server.log.slice(-2000)}`);
  console.log(`episodes: ${[...episodes].map(([name, times]) => `${name} ${String(times)}`).join(", ")}`);
  for (const { name, problems } of party.people) {
    if (problems.size > 0) {
      console.log(`${name} was told: ${[...problems].map(([problem, n]) => `${problem} ${String(n)}`).join(", ")}`);
    }
  }
  for (const kind of ["lost", "repeated", "stuck"] as const) {
    for (const text of result?.[kind].slice(0, 20) ?? []) console.log(`${kind}: ${text}`);
  }
  for (const key of keysRepeated.slice(0, 20)) console.log(`key repeated: ${key}`);
  for (const error of failures) console.log(error);
  if (result !== undefined) {
    console.log(
      `sent ${String(result.sent)}, delivered ${String(result.delivered)}, lost ${String(result.lost.length)}, ` +
        `repeated ${String(result.repeated.length)}, behind a gap ${String(result.behindGap)}, ` +
        `failed ${String(result.failed)}, stuck ${String(result.stuck.length)}, ` +
        `keys ${String(audit?.keys ?? 0)}, keys repeated ${String(keysRepeated.length)}` +
        (longestWait === undefined ? "" : `, longest wait beside a frozen tab ${String(Math.round(longestWait))} ms`),
    );
  }
  console.log(`${attack}: ${faults.length === 0 ? "good" : `BAD: ${faults.join("; ")}`}`);
  await party.disperse();
  return faults.length === 0;
}
