/** Where this client stands in the log: entries up to the position were processed, and some own ones after it are known. */
import type { SeqRange, Summary } from "../records/conversation.ts";
import type { Transaction } from "./transaction.ts";

/** Apart from each other they are seldom; what is not kept is recognised as an own message when it is read. */
const MAX_OWN = 64;

/** The first entry that is not known. */
export function nextSeq({ position, own }: Pick<Summary, "position" | "own">): number {
  const after = (position?.seq ?? 0) + 1;
  const [first] = own;
  return first !== undefined && first.from <= after && after <= first.to ? first.to + 1 : after;
}

/** An entry that this client posted itself. */
export function noteOwn(transaction: Transaction, seq: number): void {
  const { position, own } = transaction.summary;
  if (position === undefined || seq <= position.seq || isOwn(transaction.summary, seq)) return;
  if (seq === position.seq + 1) {
    transaction.setSummary(advanced(transaction.summary, seq));
    return;
  }
  const ranges = merged([...own, { from: seq, to: seq }]);
  if (ranges.length <= MAX_OWN) transaction.setSummary({ own: ranges });
}

export function isOwn({ own }: Pick<Summary, "own">, seq: number): boolean {
  return own.some(({ from, to }) => from <= seq && seq <= to);
}

/** Entries up to `seq` were processed; own ones that follow are, too. */
export function advanced({ position, own }: Pick<Summary, "position" | "own">, seq: number): Partial<Summary> {
  if (position === undefined) return {};
  const rest = own.filter(({ to }) => to > seq);
  const reached = nextSeq({ position: { ...position, seq }, own: rest }) - 1;
  const left = rest.filter(({ to }) => to > reached);
  return {
    position: { ...position, seq: Math.max(seq, reached) },
    ...(left.length === own.length ? {} : { own: left }),
  };
}

/** In order, and joined where they touch. */
function merged(ranges: readonly SeqRange[]): readonly SeqRange[] {
  const sorted = [...ranges].sort((a, b) => a.from - b.from);
  const joined: SeqRange[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && range.from <= last.to + 1) {
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    } else joined.push(range);
  }
  return joined;
}
