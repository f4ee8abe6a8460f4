/** Counting what was sent against what everybody has: lost, repeated, failed. */
import { call } from "./browsers.ts";
import type { Person } from "./people.ts";

export interface Tally {
  /** Messages that `send` took over. */
  readonly sent: number;
  /** Copies of them that stand in the histories of the others. */
  readonly delivered: number;
  /** Messages shown as `sent`, or gone from their sender's history, that somebody does not have. */
  readonly lost: readonly string[];
  /** Messages that stand twice in a history, or were told twice by one page. */
  readonly repeated: readonly string[];
  /** Messages that somebody does not have whose history says that something is missing there. */
  readonly behindGap: number;
  /** Messages that their sender shows as `failed`: said, not lost. */
  readonly failed: number;
  /** Messages that are still on their way after the time to settle. */
  readonly stuck: readonly string[];
}

/** `gone`: texts whose fate a restored profile does not know; they may be anywhere, but nowhere twice. */
export async function tally(
  people: readonly Person[],
  conversation: string,
  gone: ReadonlySet<string>,
): Promise<Tally> {
  const histories = new Map(
    await Promise.all(
      people.map(async (person) => [person, await call(person.tab, "history", [conversation], 120_000)] as const),
    ),
  );
  const lost: string[] = [];
  const repeated: string[] = [];
  const stuck: string[] = [];
  let delivered = 0;
  let failed = 0;
  let behindGap = 0;
  const withGap = new Set<Person>();
  for (const person of people) {
    if (((await call(person.tab, "kinds", [conversation], 120_000))["gap"] ?? 0) > 0) withGap.add(person);
  }
  for (const [person, history] of histories) {
    const counts = countOf(history.map(({ text }) => text));
    for (const [text, count] of counts)
      if (count > 1) repeated.push(`${text} (${String(count)} times at ${person.name})`);
    for (const tab of person.tabs) {
      for (const [text, count] of countOf(await call(tab, "told", [conversation]))) {
        if (count > 1) repeated.push(`${text} (told ${String(count)} times to ${person.name})`);
      }
    }
  }
  for (const sender of people) {
    const own = new Map(
      histories
        .get(sender)
        ?.filter((message) => message.sender === sender.name)
        .map(({ text, state }) => [text, state]),
    );
    // What the sender's history has was taken over, whether or not the page lived to hear of it.
    for (const text of new Set([...sender.accepted, ...own.keys()])) {
      const state = own.get(text);
      if (state === "failed") failed++;
      if (state === "sending") stuck.push(text);
      if (state === "failed" || state === "sending") continue;
      if (state === undefined && !gone.has(text)) lost.push(`${text} (of ${sender.name}'s own history)`);
      for (const other of people) {
        if (other === sender) continue;
        if (histories.get(other)?.some((seen) => seen.text === text) === true) delivered++;
        else if (withGap.has(other)) behindGap++;
        else if (!gone.has(text)) lost.push(`${text} (at ${other.name})`);
      }
    }
  }
  const sent = people.reduce((sum, { accepted }) => sum + accepted.length, 0);
  return { sent, delivered, lost, repeated, behindGap, failed, stuck };
}

function countOf(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
