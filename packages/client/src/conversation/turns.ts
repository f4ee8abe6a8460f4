/**
 * The one way to change a conversation: tasks wait in a queue; a turn runs some of them, alone under the conversation's lock, and
 * writes what they changed together. A turn works on what is known, without reading, unless another context has announced a
 * write; what it missed, the compare-and-swap on the partition's version catches.
 */
import type { StagedCommit } from "@coppice/core";
import { abortReason, CoppiceError, isCoppiceError, type Overdue, type Time } from "@coppice/kit";
import type { Store } from "@coppice/storage";
import { notingRules } from "../account/authentication.ts";
import type { LogNeed, People } from "../account/people.ts";
import { clientError, goneError } from "../errors.ts";
import { SUMMARY, summaryRecord, type Summary } from "../records/conversation.ts";
import { partitionOf, type History } from "./history.ts";
import { RecentItems } from "./recent-items.ts";
import {
  damagedError,
  readForeign,
  readGroup,
  readGroupRecords,
  readWork,
  type Foreign,
  type Stored,
  type Workable,
} from "./stored.ts";
import { Transaction, type TransactionReader } from "./transaction.ts";

/** What the rest of a conversation is told of its turns. */
export interface TurnsHooks {
  /** May add to what is about to be written. */
  readonly onWriting: (transaction: Transaction) => void;
  /** Told, in order, of what this context wrote. */
  readonly onWritten: (transaction: Transaction) => void;
  /** Told of what another context wrote; undefined if the conversation is gone. */
  readonly onForeign: (before: Stored, foreign: Foreign | undefined) => void;
  /** Told after each turn that has the group in memory. */
  readonly onLoaded: () => void;
  /** Told when stored records turn out to be damaged. */
  readonly onDamaged: (error: CoppiceError) => void;
  /** Told when another context held the lock for too long and was passed by. */
  readonly onOverdue: (overdue: Overdue) => void;
}

export interface TurnsOptions extends TurnsHooks {
  readonly id: string;
  readonly store: Store;
  readonly history: History;
  readonly people: People;
  readonly time: Time;
  /** Whether this context has work with what others write. */
  readonly isLeading: () => boolean;
}

/** What a context that only follows others' writes rests, by what it took to read the last ones: who writes is not held up. */
const REST = 2;
/** Milliseconds that it rests at most. */
const LONGEST_REST = 500;

/** Tasks of one turn. */
const TURN = 64;

/** Tasks that may wait for their turn. */
export const MAX_WAITING = 10_000;

/** Milliseconds for which a context may hold the lock without a sign of life: who waits is to be done within 5 s. */
const PATIENCE = 3500;

/** Under the lock only a context that was passed by is in the way, so that more than a few conflicts are a defect. */
const MAX_CONFLICTS = 64;

/** Times that a task is run again because device logs were missing: each time it may meet others. */
const MAX_LESSONS = 16;

/** A task that waits for its turn. */
interface Job {
  readonly task: (transaction: Transaction) => Promise<void>;
  readonly settle: (outcome: Outcome) => void;
  readonly refuse: (error: Error) => void;
}

type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: unknown }
  /** Device logs were missing: nothing was changed. */
  | { readonly kind: "lacking"; readonly needs: readonly LogNeed[] };

/** Items that are told of one by one when another context has written more than can be told apart. */
const MAX_TOLD = 1000;

/** The store has moved on while a turn was reading. */
class Moved extends Error {}

/** A task met leaves whose device logs are not known. */
class Lacking extends Error {
  readonly needs: readonly LogNeed[];

  constructor(needs: readonly (readonly [user: string, position: number])[]) {
    super("Device logs are missing");
    this.needs = needs.map(([user, position]) => ({ user, position }));
  }
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #queue: Job[] = [];
  readonly #recent = new RecentItems();
  #known: Stored;
  /** The highest version that another context has announced. */
  #announced = 0;
  /** Whether it has to be read what the store has. */
  #uncertain = false;
  /** What the running turn found: it comes to nothing, so that what is known of the damage stays. */
  #damage: CoppiceError | undefined;
  #gone = false;
  #draining = false;
  /** Until when this context rests, while it only follows. */
  #restsUntil = -Infinity;
  #cancelRest: (() => void) | undefined;
  /** The commit that this context made last, to spare decoding it. */
  #staged: StagedCommit | undefined;

  constructor(options: TurnsOptions, known: Stored) {
    this.#options = options;
    this.#known = known;
  }

  /** What is known without reading. */
  get known(): Stored {
    return this.#known;
  }

  /** Lets the group go from memory, unless a turn is using it. */
  unload(): void {
    if (!this.#draining) this.#known = { ...this.#known, group: undefined };
  }

  /** Another context is at this version. */
  announce(version: number): void {
    this.#announced = Math.max(this.#announced, version);
    if (this.#isStale && !this.#draining && !this.#rests()) void this.#drain();
  }

  /** Looks whether announcements were lost. What waits need not be looked at while nothing is known of it: it is read before use. */
  check(): void {
    if (this.#known.work === undefined) return;
    this.#uncertain = true;
    if (!this.#draining) void this.#drain();
  }

  /** Reads what the store has now, and tells of what is new. */
  async refresh(): Promise<void> {
    this.#uncertain = true;
    await this.look(() => undefined);
  }

  /**
   * Runs `task` in a turn and resolves once what it changed is stored. It may run again, from the beginning, when another
   * context wrote meanwhile, or when device logs were missing, which are then fetched between two turns. What it throws is passed
   * on and nothing of it is written. `ERR_CLIENT_UNKNOWN_CONVERSATION` if the conversation is gone, `ERR_CLIENT_QUEUE_FULL`.
   */
  async transact<T>(task: (transaction: Transaction) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let lesson = 0; ; lesson++) {
      let result: { readonly value: T } | undefined;
      const outcome = await this.#enqueue(async (transaction) => {
        result = { value: await task(transaction) };
      }, signal);
      if (outcome.kind === "failed") throw outcome.error;
      if (outcome.kind === "done") {
        if (result === undefined) throw new RangeError("A task that is done has a result");
        return result.value;
      }
      if (lesson >= MAX_LESSONS) throw new CoppiceError("ERR_MLS_CREDENTIAL", "There is no end to missing device logs");
      await this.#options.people.learn(outcome.needs, signal);
    }
  }

  /** Looks at the newest state, as far as other contexts have announced it. */
  async look<T>(view: (stored: Workable) => T, signal?: AbortSignal): Promise<T> {
    return this.transact((transaction) => view(transaction.toStored(transaction.before.version)), signal);
  }

  /** Records are damaged: nothing goes on. That is stored, so that it shows without a look at them. */
  markDamaged(problem: string): void {
    const { store, id } = this.#options;
    const { version } = this.#known;
    const summary: Summary = { ...this.#known.summary, status: "damaged", problem };
    this.#known = { version, summary, work: undefined, group: undefined };
    const put = new Map([[SUMMARY, summaryRecord.encode(summary)]]);
    // If another context has written, it looks at the records itself.
    void store.write([{ partition: partitionOf(id), expectedVersion: version, put }]).catch(() => undefined);
  }

  /** The conversation was deleted: whoever waits learns it. */
  end(): void {
    this.#gone = true;
    this.#cancelRest?.();
    for (const job of this.#queue.splice(0)) job.refuse(goneError());
  }

  #enqueue(task: Job["task"], signal: AbortSignal | undefined): Promise<Outcome> {
    signal?.throwIfAborted();
    if (this.#gone) return Promise.reject(goneError());
    if (this.#queue.length >= MAX_WAITING) {
      const detail = { limit: MAX_WAITING };
      return Promise.reject(clientError("ERR_CLIENT_QUEUE_FULL", "Too many calls wait at once", { detail }));
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        const at = this.#queue.indexOf(job);
        if (at === -1) return;
        this.#queue.splice(at, 1);
        job.refuse(abortReason(signal));
      };
      const job: Job = {
        task,
        settle: (outcome) => {
          signal?.removeEventListener("abort", giveUp);
          resolve(outcome);
        },
        refuse: (error) => {
          signal?.removeEventListener("abort", giveUp);
          reject(error);
        },
      };
      signal?.addEventListener("abort", giveUp);
      this.#queue.push(job);
      if (!this.#draining) void this.#drain();
    });
  }

  /** Takes turns while tasks wait, so that other contexts get theirs in between. */
  async #drain(): Promise<void> {
    const { store, id, onOverdue } = this.#options;
    this.#draining = true;
    // Calls of the same moment share the first turn.
    await Promise.resolve();
    while (this.#queue.length > 0 || (this.#isStale && !this.#gone && !this.#rests())) {
      try {
        if (this.#queue.length === 0) await this.#follow();
        else await store.exclusive(`group:${id}`, () => this.#turn(), { patience: PATIENCE, onOverdue });
      } catch (error) {
        if (this.#queue.length === 0) break;
        for (const job of this.#queue.splice(0)) job.refuse(error as Error);
      }
    }
    this.#draining = false;
  }

  /** Whether to follow later; then that is arranged. */
  #rests(): boolean {
    const { time, isLeading } = this.#options;
    const left = this.#restsUntil - time.elapsed();
    if (left <= 0 || isLeading()) return false;
    this.#cancelRest ??= time.after(left, () => {
      this.#cancelRest = undefined;
      if (this.#isStale && !this.#draining) void this.#drain();
    });
    return true;
  }

  /** Rejects only if no task was begun. */
  async #turn(): Promise<void> {
    const jobs: Job[] = [];
    for (let conflicts = 0; ; conflicts++) {
      this.#damage = undefined;
      try {
        const outcomes = await this.#run(jobs);
        if (this.#known.group !== undefined) this.#options.onLoaded();
        for (const [i, outcome] of outcomes.entries()) jobs[i]?.settle(outcome);
        return;
      } catch (error) {
        if (isConflict(error) && conflicts < MAX_CONFLICTS) {
          this.#uncertain = true;
          continue;
        }
        if (jobs.length === 0) throw error;
        for (const job of jobs) job.refuse(error as Error);
        return;
      }
    }
  }

  /** Runs the jobs, and takes up those that wait; one write for all of them. */
  async #run(jobs: Job[]): Promise<readonly Outcome[]> {
    const { people, time, store, id, onWriting, onWritten } = this.#options;
    const before = await this.#workable();
    const noting = notingRules(people, time);
    const transaction = new Transaction(before, { reader: this.#readerAt(before), noting, staged: this.#staged });
    const outcomes: Outcome[] = [];
    while (outcomes.length < TURN) {
      const job = jobs[outcomes.length] ?? this.#queue.shift();
      if (job === undefined) break;
      if (outcomes.length === jobs.length) jobs.push(job);
      outcomes.push(await attempt(transaction, job));
      if (this.#damage !== undefined) throw this.#damage;
    }
    if (!transaction.isChanged) {
      this.#known = transaction.toStored(before.version);
      return outcomes;
    }
    onWriting(transaction);
    // Until it is known whether this was written.
    this.#uncertain = true;
    await store.write([transaction.toWrite(id)]);
    this.#uncertain = false;
    this.#known = transaction.toStored(before.version + 1);
    this.#staged = transaction.staged;
    for (const item of transaction.items) this.#recent.note(item);
    transaction.eraseConsumed();
    onWritten(transaction);
    return outcomes;
  }

  get #isStale(): boolean {
    return this.#uncertain || this.#announced > this.#known.version;
  }

  /** What the store has, with what waits; as far as other contexts have announced it. */
  async #workable(): Promise<Workable> {
    const { store, id } = this.#options;
    for (let moved = 0; moved < MAX_CONFLICTS; moved++) {
      if (this.#isStale) await this.#follow();
      const { version, summary, work, group } = this.#known;
      if (work !== undefined) return { version, summary, work, group };
      const read = await this.#checking(() => readWork(store, id));
      if (read?.version === version) return read;
      this.#uncertain = true;
    }
    throw new Moved();
  }

  /** Follows what other contexts wrote. `ERR_CLIENT_UNKNOWN_CONVERSATION` if one of them deleted the conversation. */
  async #follow(): Promise<void> {
    const { store, id, time, onForeign } = this.#options;
    const before = this.#known;
    const [announced, began] = [this.#announced, time.elapsed()];
    const foreign =
      (await this.#checking(() => readForeign(store, id, before))) ??
      (await this.#checking(() => this.#readAll(before)));
    this.#uncertain = false;
    if (foreign === undefined) {
      this.end();
      onForeign(before, undefined);
      throw goneError();
    }
    this.#known = foreign.stored;
    // An announcement that came meanwhile may be of a later version; one that came before and is not true counts no more.
    if (this.#announced === announced) this.#announced = foreign.stored.version;
    this.#restsUntil = time.elapsed() + Math.min(LONGEST_REST, REST * (time.elapsed() - began));
    if (foreign.stored.version === before.version) return;
    for (const item of foreign.items) this.#recent.note(item);
    onForeign(before, foreign);
  }

  /** Where the changes cannot be told apart: new items, and those that were on their way. */
  async #readAll(before: Stored): Promise<Foreign | undefined> {
    const { store, id, history } = this.#options;
    const stored = await readWork(store, id);
    if (stored === undefined) return undefined;
    const queued = [...(before.work?.outbox.values() ?? []), ...stored.work.outbox.values()].map(({ item }) => item);
    const seqs = new Set(queued.filter((seq) => seq > 0));
    const newest = stored.summary.lastItem;
    for (let seq = Math.max(before.summary.lastItem, newest - MAX_TOLD) + 1; seq <= newest; seq++) seqs.add(seq);
    const ordered = [...seqs].sort((a, b) => a - b);
    const items = await history.items(ordered);
    const gone = ordered.filter((seq) => seq <= before.summary.lastItem && !items.has(seq));
    return { stored, items: [...items.values()], discarded: gone };
  }

  #readerAt({ version }: Workable): TransactionReader {
    const { store, id, history } = this.#options;
    return {
      group: async (whole) => {
        const group = await this.#checking(() => readGroup(store, id, { version, whole }));
        if (group === undefined) throw new Moved();
        return group;
      },
      groupRecords: async (names) => {
        const records = await this.#checking(() => readGroupRecords(store, id, { version, names }));
        if (records === undefined) throw new Moved();
        return records;
      },
      damaged: () => this.#noteDamage(damagedError()),
      items: async (seqs) => {
        const known = this.#recent.of(seqs);
        return new Map([...known, ...(await history.items(seqs.filter((seq) => !known.has(seq))))]);
      },
    };
  }

  /** Tells of damage. */
  async #checking<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (isCoppiceError(error, "ERR_STORE_CORRUPT")) this.#noteDamage(error);
      throw error;
    }
  }

  #noteDamage(error: CoppiceError): CoppiceError {
    this.#damage = error;
    this.#options.onDamaged(error);
    return error;
  }
}

const isConflict = (error: unknown): boolean => isCoppiceError(error, "ERR_STORE_CONFLICT") || error instanceof Moved;

async function attempt(transaction: Transaction, { task }: Job): Promise<Outcome> {
  try {
    return await transaction.run(async (): Promise<Outcome> => {
      await task(transaction);
      if (transaction.needs.size > 0) throw new Lacking([...transaction.needs]);
      return { kind: "done" };
    });
  } catch (error) {
    if (error instanceof Lacking) return { kind: "lacking", needs: error.needs };
    // The turn as a whole has to start again.
    if (isConflict(error)) throw error;
    return { kind: "failed", error };
  }
}
