/**
 * The one way to change a conversation: alone under its lock, from fresh state, in one write. Other contexts on the same
 * store do the same, and the compare-and-swap on the partition's version catches whoever does not.
 */
import { isCoppiceError } from "@coppice/core";
import type { PartitionWrite, Store, StoreCallOptions } from "@coppice/storage";
import type { Account } from "../account/account.ts";
import { startSession } from "../account/authentication.ts";
import { clientError } from "../errors.ts";
import { Draft } from "./draft.ts";
import { readHeld, partitionOf, type Held } from "./held.ts";

/** Under the lock only other partitions' writers are in the way, so that more than a few conflicts are a defect. */
const MAX_CONFLICTS = 64;

export interface LedgerOptions {
  readonly id: string;
  readonly account: Account;
  readonly clock: () => number;
  /** May add to what is about to be written. */
  readonly onWriting: (draft: Draft) => void;
  /** Told, in order, of what this object wrote. */
  readonly onWritten: (draft: Draft) => void;
  /** Told of what another context wrote; `now` is undefined if the conversation is gone. */
  readonly onForeign: (before: Held, now: Held | undefined) => Promise<void>;
}

/** Tasks of one context that run before another context's turn. */
const TURN = 32;

/** A task that waits for its turn. It reports its own outcome. */
interface Job {
  /** `continued`: the task before it ran under the same lock. */
  readonly run: (continued: boolean) => Promise<void>;
  readonly refuse: (error: Error) => void;
}

export class Ledger {
  readonly store: Store;
  readonly #options: LedgerOptions;
  readonly #queue: Job[] = [];
  #held: Held | undefined;
  #draining = false;

  constructor(options: LedgerOptions, held: Held) {
    this.store = options.account.store;
    this.#options = options;
    this.#held = held;
  }

  /**
   * Runs `task` on the newest state and writes what it drafted. It may run again, from the beginning, when another
   * context wrote meanwhile. What it throws is passed on and nothing is written; nor is it if `signal`'s reason is thrown. `ERR_CLIENT_UNKNOWN_CONVERSATION` if
   * the conversation is gone.
   */
  async transact<T>(task: (draft: Draft) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    return new Promise<T>((resolve, reject) => {
      const job: Job = {
        run: async (continued) => {
          signal?.removeEventListener("abort", giveUp);
          await this.#run(task, continued, signal === undefined ? {} : { signal }).then(resolve, reject);
        },
        refuse: (error) => {
          signal?.removeEventListener("abort", giveUp);
          reject(error);
        },
      };
      const giveUp = (): void => {
        this.#queue.splice(this.#queue.indexOf(job), 1);
        job.refuse(signal?.reason as Error);
      };
      signal?.addEventListener("abort", giveUp);
      this.#queue.push(job);
      if (!this.#draining) void this.#drain();
    });
  }

  /** Looks at the newest state. */
  async look<T>(view: (held: Held) => T, signal?: AbortSignal): Promise<T> {
    return this.transact((draft) => view(draft.before), signal);
  }

  /** Deletes the partition. */
  async forget(signal?: AbortSignal): Promise<void> {
    const { id } = this.#options;
    const options = signal === undefined ? {} : { signal };
    await this.store.exclusive(
      `group:${id}`,
      async () => {
        const { version } = await this.store.read(partitionOf(id), []);
        await this.store.write([{ partition: partitionOf(id), expectedVersion: version, clear: true }], options);
        this.#held = undefined;
      },
      options,
    );
  }

  /** Takes the lock for a turn of waiting tasks at a time, so that other contexts get theirs. */
  async #drain(): Promise<void> {
    this.#draining = true;
    while (this.#queue.length > 0) {
      try {
        await this.store.exclusive(`group:${this.#options.id}`, async () => {
          // While the lock is held, nobody else writes: what the first task saw is still so for the next.
          for (let count = 0; count < TURN; count++) await this.#queue.shift()?.run(count > 0);
        });
      } catch (error) {
        for (const job of this.#queue.splice(0)) job.refuse(error as Error);
      }
    }
    this.#draining = false;
  }

  async #run<T>(task: (draft: Draft) => T | Promise<T>, continued: boolean, options: StoreCallOptions): Promise<T> {
    const { id, account, clock, onWriting, onWritten } = this.#options;
    for (let conflicts = 0; ; conflicts++) {
      const held = (continued && conflicts === 0 ? this.#held : undefined) ?? (await this.#fresh());
      const draft = new Draft(held, await startSession(account, clock));
      const result = await task(draft);
      if (!draft.isChanged) return result;
      onWriting(draft);
      const write = draft.toWrite(id);
      const pins = draft.session.newPins;
      const writes: PartitionWrite[] =
        pins.length === 0 ? [write] : [write, account.planWrite({ pins }, draft.session.accountVersion)];
      try {
        await this.store.write(writes, options);
      } catch (error) {
        account.forget();
        if (isCoppiceError(error, "ERR_STORE_CONFLICT") && conflicts < MAX_CONFLICTS) continue;
        throw error;
      }
      this.#held = draft.toHeld();
      if (pins.length > 0) account.wrote({ pins }, draft.session.accountVersion);
      draft.eraseConsumed();
      onWritten(draft);
      return result;
    }
  }

  async #fresh(): Promise<Held> {
    const { id, onForeign } = this.#options;
    const known = this.#held;
    const now = await readHeld(this.store, id, known);
    this.#held = now;
    if (known !== undefined && now !== known) await onForeign(known, now);
    if (now === undefined) {
      throw clientError("ERR_CLIENT_UNKNOWN_CONVERSATION", "the conversation was deleted from this device");
    }
    return now;
  }
}
