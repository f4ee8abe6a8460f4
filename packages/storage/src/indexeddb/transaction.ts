/** Transactions that settle with the error that ended them. */
import { type IDBPTransaction, type StoreNames, unwrap } from "idb";
import { isCommitSafe } from "./commit-probe.ts";
import type { Schema } from "./schema.ts";

/**
 * Runs a transaction whose requests are all made when `request` returns, commits it at once, and resolves when it is complete.
 * A context that is frozen after that (a tab in the background, a debugger) holds up nobody: without it, the transaction would
 * stay open for as long. A write is left to commit itself in browsers that would keep half of it: see `commit-probe.ts`. What
 * `request` throws undoes the transaction, and so does the signal, unless it is committing already; what `request` returns may only
 * reject with it.
 */
export async function runAtOnce<T, Names extends ArrayLike<StoreNames<Schema>>, Mode extends IDBTransactionMode>(
  transaction: IDBPTransaction<Schema, Names, Mode>,
  signal: AbortSignal | undefined,
  request: () => T | Promise<T>,
): Promise<T> {
  // idb's own completion, unused: see below.
  transaction.done.catch(() => undefined);
  const raw: IDBTransaction = unwrap(transaction);
  const completed = completion(raw);
  const undo = (): void => {
    abortTransaction(raw);
  };
  signal?.addEventListener("abort", undo, { once: true });
  try {
    const requested = request();
    if (raw.mode === "readonly" || isCommitSafe()) raw.commit();
    const result = await requested;
    await completed;
    return result;
  } catch (error) {
    undo();
    throw error;
  } finally {
    signal?.removeEventListener("abort", undo);
  }
}

/**
 * Resolves at `complete`, rejects at `abort`. idb's own `done` rejects at the request's `error` event already, when
 * `transaction.error` is still null: a full disk would be reported as `AbortError`.
 */
function completion(transaction: IDBTransaction): Promise<void> {
  const completed = new Promise<void>((resolve, reject) => {
    let failed: DOMException | undefined;
    transaction.addEventListener("error", ({ target }) => {
      failed ??= (target as IDBRequest | null)?.error ?? undefined;
    });
    transaction.addEventListener("complete", () => {
      // No browser in which writes are committed explicitly does this. Half a write must not pass for one all the same.
      if (failed === undefined) resolve();
      else reject(new DOMException("The browser completed a transaction in which a request failed", "DataError"));
    });
    transaction.addEventListener("abort", () => {
      const { error } = transaction;
      // After `commit`, Firefox says `AbortError` whatever request failed, and WebKit nothing.
      const isTelling = error !== null && error.name !== "AbortError";
      const reason = isTelling ? error : (failed ?? error);
      reject(reason ?? new DOMException("The transaction was aborted", "AbortError"));
    });
  });
  // Whoever fails earlier, at a request, never comes to await this.
  completed.catch(() => undefined);
  return completed;
}

/** Whether a transaction failed because what it adds is there already. */
export function isRefused(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.name === "ConstraintError";
}

/** A transaction that is committing or has ended stays as it is. */
function abortTransaction(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch (error) {
    if (!(error instanceof Error && error.name === "InvalidStateError")) throw error;
  }
}
