/**
 * Whether this browser undoes a transaction in which a request failed, also if `commit` was called before it failed. Firefox
 * (128 to 153 at least) does so only for the last request, and keeps what the others wrote: a comparison would compare nothing.
 */
import { unwrap } from "idb";
import { type Database, META_KEY } from "./schema.ts";

/** One answer for all stores of this context: it is the browser's. Undefined before it was asked for. */
let answer: boolean | undefined;

/** Whether writes may be committed explicitly; false as long as that is not known. */
export function isCommitSafe(): boolean {
  return answer === true;
}

/** Finds out by trying, once per context. Changes nothing. The store must have its key record. */
export async function probeCommit(database: Database): Promise<void> {
  answer ??= await probe(database);
}

function probe(database: Database): Promise<boolean> {
  const idb = database.transaction("meta", "readwrite");
  // idb's own completion, unused: one of its promises rejects.
  idb.done.catch(() => undefined);
  const transaction = unwrap(idb);
  const meta = unwrap(idb.store);
  // Refused: there is such a key. The request after it succeeds in the browsers that are not safe.
  meta.add(0, META_KEY);
  meta.count();
  transaction.commit();
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => {
      resolve(false);
    });
    transaction.addEventListener("abort", () => {
      if (transaction.error?.name === "ConstraintError") resolve(true);
      else reject(transaction.error ?? new DOMException("The transaction was aborted", "AbortError"));
    });
  });
}
