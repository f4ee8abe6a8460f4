/** The domain's store in the embedded SQL database: one file, one process. */
import type { DomainReads, DomainStore, DomainTransaction } from "@coppice/delivery/domain";
import type { Database } from "../database/database.ts";
import type { Turns } from "../database/turns.ts";
import { Reads } from "./reads.ts";
import { Transaction } from "./transaction.ts";

export class SqlStore implements DomainStore {
  readonly #turns: Turns;
  readonly #reads: Reads;
  readonly #transaction: Transaction;

  constructor(database: Database, turns: Turns) {
    this.#turns = turns;
    this.#reads = new Reads(database);
    this.#transaction = new Transaction(database);
  }

  transaction<T>(body: (tx: DomainTransaction) => Promise<T>): Promise<T> {
    return this.#turns.change(() => body(this.#transaction));
  }

  read<T>(body: (tx: DomainReads) => Promise<T>): Promise<T> {
    return this.#turns.read(() => body(this.#reads));
  }
}
