/** Transactions that settle with the error that ended them. */
import { type IDBPTransaction, type StoreNames, unwrap } from "idb";
import type { Schema } from "./schema.ts";

/**
 * Runs a transaction whose requests are all made when `request` returns, commits it at once, and resolves when it is complete.
 * A context that is frozen after that (a tab in the background, a debugger) holds up nobody: without it, the transaction would
 * stay open for as long. What `request` throws undoes the transaction, and so does the signal, unless it is committing already;
 * what `request` returns may only reject with it.
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
    transaction.commit();
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
    transaction.addEventListener("complete", () => {
      resolve();
    });
    transaction.addEventListener("abort", () => {
      reject(transaction.error ?? new DOMException("The transaction was aborted", "AbortError"));
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
