/**
 * The one way to change a conversation: alone under its lock, from fresh state, in one write. Other contexts on the same
 * store do the same, and the compare-and-swap on the partition's version catches whoever does not.
 */
import { isCoppiceError } from "@coppice/core";
import type { PartitionWrite, Store } from "@coppice/storage";
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
  readonly signal: AbortSignal;
  /** May add to what is about to be written. */
  readonly onWriting: (draft: Draft) => void;
  /** Told, in order, of what this object wrote. */
  readonly onWritten: (draft: Draft) => void;
  /** Told of what another context wrote; `now` is undefined if the conversation is gone. */
  readonly onForeign: (before: Held, now: Held | undefined) => Promise<void>;
}

export class Ledger {
  readonly store: Store;
  readonly #options: LedgerOptions;
  #held: Held | undefined;

  constructor(options: LedgerOptions, held: Held) {
    this.store = options.account.store;
    this.#options = options;
    this.#held = held;
  }

  /**
   * Runs `task` on the newest state and writes what it drafted. It may run again, from the beginning, when another
   * context wrote meanwhile. What it throws is passed on and nothing is written. `ERR_CLIENT_UNKNOWN_CONVERSATION` if
   * the conversation is gone.
   */
  async transact<T>(task: (draft: Draft) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const { id, signal: closing } = this.#options;
    const either = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    either.throwIfAborted();
    return this.store.exclusive(`group:${id}`, () => this.#run(task), { signal: either });
  }

  /** Looks at the newest state. */
  async look<T>(view: (held: Held) => T, signal?: AbortSignal): Promise<T> {
    return this.transact((draft) => view(draft.before), signal);
  }

  /** Deletes the partition. */
  async forget(signal?: AbortSignal): Promise<void> {
    const { id, signal: closing } = this.#options;
    const either = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    await this.store.exclusive(
      `group:${id}`,
      async () => {
        const { version } = await this.store.read(partitionOf(id), []);
        await this.store.write([{ partition: partitionOf(id), expectedVersion: version, clear: true }]);
        this.#held = undefined;
      },
      { signal: either },
    );
  }

  async #run<T>(task: (draft: Draft) => T | Promise<T>): Promise<T> {
    const { id, account, clock, onWriting, onWritten } = this.#options;
    for (let conflicts = 0; ; conflicts++) {
      const held = await this.#fresh();
      const draft = new Draft(held, await startSession(account, clock));
      const result = await task(draft);
      if (!draft.isChanged) return result;
      onWriting(draft);
      const write = draft.toWrite(id);
      const pins = draft.session.newPins;
      const writes: PartitionWrite[] = pins.length === 0 ? [write] : [write, account.planWrite({ pins })];
      try {
        await this.store.write(writes);
      } catch (error) {
        account.forget();
        if (isCoppiceError(error, "ERR_STORE_CONFLICT") && conflicts < MAX_CONFLICTS) continue;
        throw error;
      }
      this.#held = draft.toHeld();
      if (pins.length > 0) account.wrote({ pins });
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
