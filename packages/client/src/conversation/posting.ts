/** Posts what waits, in batches; receiving goes on meanwhile, and no lock is held across a request. */
import { isCoppiceError } from "@coppice/kit";
import { codeOf, isTransient } from "../errors.ts";
import type { Context } from "./context.ts";
import {
  confirmBatch,
  prepareBatch,
  readyBatch,
  refuseBatch,
  unsealOld,
  type NextBatch,
  type Ready,
} from "./outbox.ts";

/** Times that messages are sealed again because they are too old, before they are given up: the log was read in between. */
const MAX_RESEALS = 8;

/** `blocked`: proposals have to be committed before the rest can be sealed. */
export type Posted = "all" | "blocked";

export class Posting {
  readonly #context: Context;
  readonly #pull: () => Promise<void>;
  #request: Promise<unknown> = Promise.resolve();

  constructor(context: Context, pull: () => Promise<void>) {
    this.#context = context;
    this.#pull = pull;
  }

  /** Resolves when no request is on its way and the last answer is taken down. */
  async settled(): Promise<void> {
    await this.#request.catch(() => undefined);
  }

  /** Posts until nothing is left. Rejects if it is to be tried again later. */
  async run(): Promise<Posted> {
    const { turns } = this.#context;
    let reseals = 0;
    let next = await this.#next();
    while (next !== "blocked" && next.length > 0) {
      const batch = next;
      const answer = this.#post(batch);
      this.#request = answer;
      const outcome = await answer;
      if (outcome === "too old") {
        reseals++;
        await this.#sealAgain(batch, reseals);
      } else if (outcome !== "sent" && batch.length > 1) {
        // All or none: the others must not suffer from the one that is refused.
        await this.#oneByOne(batch);
      } else if (outcome !== "sent") {
        await turns.transact((transaction) => refuseBatch(transaction, batch, outcome.refused));
      }
      next = await this.#next();
    }
    return next === "blocked" ? "blocked" : "all";
  }

  /** What is sealed already needs no turn. */
  async #next(): Promise<NextBatch> {
    const { turns } = this.#context;
    const { work, ...known } = turns.known;
    const ready = work && readyBatch({ ...known, work });
    return ready ?? (await turns.transact((transaction) => prepareBatch(transaction, this.#context)));
  }

  async #post(batch: readonly Ready[]): Promise<"sent" | "too old" | { readonly refused: string }> {
    const { turns, delivery, groupId, scope } = this.#context;
    const { position } = turns.known.summary;
    if (position === undefined) throw new RangeError("Messages are posted to a group that is registered");
    let seqs: readonly number[];
    try {
      const messages = batch.map(({ sealed }) => sealed);
      ({ seqs } = await delivery.sendMessages({ groupId, position, messages }));
    } catch (error) {
      if (scope.ended || isTransient(error) || isCoppiceError(error, "ERR_DS_LOG_CHANGED")) throw error;
      if (isCoppiceError(error, "ERR_DS_EPOCH_TOO_OLD")) return "too old";
      // The log may show that this client was removed.
      if (isCoppiceError(error, "ERR_DS_FORBIDDEN")) await this.#pull().catch(() => undefined);
      return { refused: codeOf(error, "ERR_DS_BAD_REQUEST") };
    }
    await turns.transact((transaction) => confirmBatch(transaction, batch, seqs));
    return "sent";
  }

  /** Follows the Commits that made the batch too old, then seals it for the epoch that is current. */
  async #sealAgain(batch: readonly Ready[], reseals: number): Promise<void> {
    const { turns } = this.#context;
    await this.#pull();
    await turns.transact(async (transaction) => {
      if (reseals > MAX_RESEALS || unsealOld(transaction) === 0) {
        await refuseBatch(transaction, batch, "ERR_DS_EPOCH_TOO_OLD");
      }
    });
  }

  async #oneByOne(batch: readonly Ready[]): Promise<void> {
    const { turns } = this.#context;
    for (const ready of batch) {
      const outcome = await this.#post([ready]);
      if (outcome === "too old") return;
      if (outcome !== "sent") await turns.transact((transaction) => refuseBatch(transaction, [ready], outcome.refused));
    }
  }
}
