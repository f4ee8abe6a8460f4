/** Log entries that arrive by events: processed in order, several in a turn; a gap is fetched. */
import type { LogEntry, LogPosition } from "@coppice/delivery/contract";
import { retryInBackgroundAfter } from "../errors.ts";
import type { Context } from "./context.ts";
import { nextSeq } from "./position.ts";
import { Doubtful } from "./receive.ts";

export interface IncomingHooks {
  /** Processes entries that come right after the position; rejects with `Doubtful` where the log has to be read instead. */
  readonly process: (entries: readonly LogEntry[]) => Promise<void>;
  /** Resolves when no own messages are being posted: their place in the log is known then. */
  readonly posted: () => Promise<void>;
  /** Resolves when the log is not being read. */
  readonly pulled: () => Promise<void>;
  /** Reads the log to its end. */
  readonly pull: () => Promise<void>;
  /** Told that the log has to be read, now or later. */
  readonly lost: () => void;
}

/** Entries of one turn. */
const BATCH = 64;

/** What waits at most; beyond it the log is read, a page at a time. */
const MAX_ENTRIES = 512;
const MAX_BYTES = 4 * 1024 * 1024;

/** Milliseconds that a gap may stay one while own messages are on their way. */
const GAP_PATIENCE = 1000;

export class Incoming {
  readonly #context: Context;
  readonly #hooks: IncomingHooks;
  #waiting: LogEntry[] = [];
  #bytes = 0;
  #draining = false;

  constructor(context: Context, hooks: IncomingHooks) {
    this.#context = context;
    this.#hooks = hooks;
  }

  add(position: LogPosition, entry: LogEntry | undefined): void {
    const { summary } = this.#context.turns.known;
    const isOfThisLog = position.incarnation === summary.position?.incarnation && position.seq === entry?.seq;
    if (entry === undefined || !isOfThisLog) {
      this.#lose();
      return;
    }
    this.#waiting.push(entry);
    this.#bytes += entry.message.length;
    if (this.#waiting.length > MAX_ENTRIES || this.#bytes > MAX_BYTES) this.#lose();
    else if (!this.#draining) void this.#drain();
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }

  #lose(): void {
    this.clear();
    this.#hooks.lost();
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    try {
      while (this.#waiting.length > 0) await this.#next();
    } catch (error) {
      this.#lose();
      // What neither the log nor trying again mends is told; the rest shows again when the log is read.
      if (!(error instanceof Doubtful) && retryInBackgroundAfter(error) === undefined) this.#context.report(error);
    } finally {
      this.#draining = false;
    }
  }

  /** Where entries are missing, they may be on their way; then the log has them. */
  async #next(): Promise<void> {
    if (this.#isGap()) await this.#untilPosted();
    if (this.#isGap()) await this.#hooks.pulled();
    if (this.#isGap()) await this.#hooks.pull();
    if (this.#isGap()) {
      // Neither does the log: what was announced is no part of it.
      this.#lose();
      return;
    }
    const batch = this.#waiting.splice(0, BATCH);
    for (const { message } of batch) this.#bytes -= message.length;
    await this.#hooks.process(this.#consecutive(batch));
  }

  /** Whether entries are missing before the first that waits. */
  #isGap(): boolean {
    const [first] = this.#waiting;
    return first !== undefined && first.seq > nextSeq(this.#context.turns.known.summary);
  }

  /** The answer to an own request may still tell what stands in the gap. */
  async #untilPosted(): Promise<void> {
    const { scope, time } = this.#context;
    const patience = new AbortController();
    await Promise.race([this.#hooks.posted(), scope.sleep(time, GAP_PATIENCE, patience.signal).catch(() => undefined)]);
    patience.abort();
  }

  /** Entries up to the first gap; those after it wait again. */
  #consecutive(batch: readonly LogEntry[]): readonly LogEntry[] {
    const { summary } = this.#context.turns.known;
    let next = nextSeq(summary);
    const taken: LogEntry[] = [];
    for (const [i, entry] of batch.entries()) {
      if (entry.seq > next) {
        const rest = batch.slice(i);
        this.#waiting.unshift(...rest);
        for (const { message } of rest) this.#bytes += message.length;
        break;
      }
      taken.push(entry);
      if (entry.seq === next) next = nextSeq({ ...summary, position: { incarnation: "", seq: entry.seq } });
    }
    return taken;
  }
}
