/**
 * How long something waits for a device log that the directory does not show. Who withholds a log for a while must not cost anybody an
 * invitation or a conversation; and a leaf that names a position which its log never gets must not stop anybody for ever.
 *
 * What was waited is stored, since a wait is longer than a page lives. It is counted from look to look, each for a bounded time: neither
 * a clock that jumps nor a device that was off makes a verdict by itself.
 */
import type { LogPosition } from "@coppice/delivery/contract";

/** Something that waits. */
export interface Waited {
  /** Milliseconds. */
  readonly spent: number;
  /** The last look, milliseconds since 1970. */
  readonly at: number;
}

export interface Patience {
  /** Milliseconds after which a refusal is final. */
  readonly limit: number;
  /** Milliseconds that count at most from one look to the next. */
  readonly step: number;
}

const MINUTE = 60_000;

/** Of an invitation: it is in nobody's way. */
export const WELCOME_PATIENCE: Patience = { limit: 24 * 60 * MINUTE, step: 60 * MINUTE };

/** Of a conversation, which stands still meanwhile: for as long as messages of the epoch that ended may be sent (`EPOCH_WINDOW`). */
export const LOG_PATIENCE: Patience = { limit: 60 * MINUTE, step: 10 * MINUTE };

/** Milliseconds between two looks that are told apart: what is stored at each is not worth more writes. */
const WORTH_STORING = MINUTE;

/** A conversation that waited has to go on so many times as long until that is forgotten: making it wait over and over gains nothing. */
const FORGIVING = 24;

export const isOver = ({ spent }: Waited, { limit }: Patience): boolean => spent >= limit;

/** At a further look in vain. The same object if that is not worth storing. */
export function waitedOn<T extends Waited>(waited: T, now: number, { step }: Patience): T {
  const passed = now - waited.at;
  if (passed >= 0 && passed < WORTH_STORING) return waited;
  return { ...waited, spent: waited.spent + Math.min(Math.max(0, passed), step), at: now };
}

/** Where a conversation waits, or waited last. */
export interface LogWait extends Waited {
  readonly seq: number;
}

/** A conversation cannot be read on at `seq`, after what it has waited before, there or elsewhere. */
export function waitAt(seq: number, before: LogWait | undefined, now: number): LogWait {
  if (before === undefined) return { seq, spent: 0, at: now };
  if (before.seq === seq) return waitedOn(before, now, LOG_PATIENCE);
  const forgiven = Math.floor(Math.max(0, now - before.at) / FORGIVING);
  return { seq, spent: Math.max(0, before.spent - forgiven), at: now };
}

/** An invitation that waits. */
export interface WaitingWelcome extends Waited {
  readonly groupId: Uint8Array<ArrayBuffer>;
  readonly welcome: Uint8Array<ArrayBuffer>;
  readonly position: LogPosition;
}
