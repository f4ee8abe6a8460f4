/**
 * Whose turn it is at the database: one after the other. Changes that arrive in one turn of the event loop share one durable
 * commit, since waiting for the disk costs more than all of them; each still happens whole or not at all. Nothing is read that
 * is not durable.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Time } from "@coppice/kit";
import type { Database } from "./database.ts";

/** Changes of one commit, and how long they may take together, milliseconds: others wait for it. */
const MOST_CHANGES = 256;
const LONGEST_MS = 15;

/** Work for the database: waits for nothing else. */
type Work<T> = () => T | Promise<T>;

/** What became of a job, and how to tell who asked. */
interface Outcome {
  /** Undefined where it succeeded. */
  readonly failure: { readonly error: unknown } | undefined;
  readonly tell: () => void;
}

interface Job {
  /** Never rejects. */
  readonly work: () => Promise<Outcome>;
  readonly fail: (error: unknown) => void;
}

export class Turns {
  readonly #database: Database;
  readonly #time: Time;
  readonly #onCommit: (changes: number) => void;
  readonly #reads: Job[] = [];
  readonly #changes: Job[] = [];
  #running: Promise<void> | undefined;

  /** `onCommit` is told how many changes shared a durable commit. */
  constructor(database: Database, time: Time, onCommit: (changes: number) => void = () => undefined) {
    this.#database = database;
    this.#onCommit = onCommit;
    this.#time = time;
  }

  /** Reads one consistent picture. */
  read<T>(work: Work<T>): Promise<T> {
    return this.#add(this.#reads, work);
  }

  /** Changes something, all of it or, if `work` throws, nothing. Resolves once it is durable, in the order of changes. */
  change<T>(work: Work<T>): Promise<T> {
    return this.#add(this.#changes, work);
  }

  /** Resolves once nothing is left to do. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #add<T>(jobs: Job[], work: Work<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      jobs.push({ work: () => carryOut(work, resolve, reject), fail: reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    do {
      // Whoever comes in the same turn of the event loop is served together.
      await nextTurn();
      await this.#commitTogether();
      const end = this.#time.elapsed() + LONGEST_MS;
      for (let job = this.#reads.shift(); job !== undefined; job = this.#reads.shift()) {
        (await job.work()).tell();
        if (this.#time.elapsed() >= end) break;
      }
    } while (this.#reads.length > 0 || this.#changes.length > 0);
    this.#running = undefined;
  }

  async #commitTogether(): Promise<void> {
    const jobs: Job[] = [];
    const outcomes: (() => void)[] = [];
    try {
      if (this.#changes.length === 0) return;
      this.#database.begin();
      const end = this.#time.elapsed() + LONGEST_MS;
      while (jobs.length < MOST_CHANGES && this.#time.elapsed() < end) {
        const job = this.#changes.shift();
        if (job === undefined) break;
        jobs.push(job);
        outcomes.push(await this.#tryOne(job));
      }
      this.#database.commit();
    } catch (error) {
      this.#database.rollback();
      for (const job of jobs) job.fail(error);
      return;
    }
    this.#onCommit(jobs.length);
    // Also refusals: they may come from what others changed, which is durable only now.
    for (const tell of outcomes) tell();
  }

  /** One change within the common transaction. Throws if that was lost. */
  async #tryOne({ work }: Job): Promise<() => void> {
    this.#database.run("SAVEPOINT change");
    const { failure, tell } = await work();
    if (!this.#database.isInTransaction) {
      throw new Error("The database gave up the transaction", { cause: failure?.error });
    }
    if (failure !== undefined) this.#database.run("ROLLBACK TO change");
    this.#database.run("RELEASE change");
    return tell;
  }
}

async function carryOut<T>(
  work: Work<T>,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): Promise<Outcome> {
  try {
    const value = await work();
    return {
      failure: undefined,
      tell: () => {
        resolve(value);
      },
    };
  } catch (error) {
    return {
      failure: { error },
      tell: () => {
        reject(error);
      },
    };
  }
}
