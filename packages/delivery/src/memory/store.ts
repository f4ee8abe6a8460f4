/** A `DomainStore` in memory: one transaction after the other. */
import type { DomainReads, DomainStore, DomainTransaction } from "../domain/store.ts";
import { MemoryReads } from "./reads.ts";
import { MemoryState } from "./state.ts";
import { MemoryTransaction } from "./transaction.ts";
import { Undo } from "./undo.ts";

/** All that a store held at one moment. */
export type MemorySnapshot = Pick<MemoryState, "copy">;

export class MemoryDomainStore implements DomainStore {
  #state: MemoryState = new MemoryState();
  #last: Promise<unknown> = Promise.resolve();

  transaction<T>(body: (tx: DomainTransaction) => Promise<T>): Promise<T> {
    return this.#queue(async () => {
      const undo = new Undo();
      try {
        return await body(new MemoryTransaction(this.#state, undo));
      } catch (error) {
        undo.run();
        throw error;
      }
    });
  }

  read<T>(body: (tx: DomainReads) => Promise<T>): Promise<T> {
    return this.#queue(() => body(new MemoryReads(this.#state)));
  }

  /** A copy of everything, once what runs is over. */
  snapshot(): Promise<MemorySnapshot> {
    return this.#queue(() => Promise.resolve(this.#state.copy()));
  }

  /** Puts everything back as it was. */
  restore(snapshot: MemorySnapshot): Promise<void> {
    return this.#queue(() => {
      this.#state = snapshot.copy();
      return Promise.resolve();
    });
  }

  #queue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
