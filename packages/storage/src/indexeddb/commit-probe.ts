/**
 * Whether this browser undoes a transaction in which a request failed, also if `commit` was called before it failed. Firefox
 * (153, at least) does so only for the last request, and keeps what the others wrote: a comparison would compare nothing.
 */
import { unwrap } from "idb";
import type { Database } from "./schema.ts";

/** A key in `meta` under which nothing stays. */
const TRIAL_KEY = "trial";

/** One answer for all stores of this context: it is the browser's. Undefined before it was found out. */
let answer: boolean | undefined;

/** Whether writes may be committed explicitly; false as long as that is not known. */
export function isCommitSafe(): boolean {
  return answer === true;
}

/** Finds out by trying, once per context. Nothing stays of it. */
export async function probeCommit(database: Database): Promise<void> {
  answer ??= await probe(database);
}

/** Undefined if something else went wrong, a full disk for instance: a store can be opened all the same. */
function probe(database: Database): Promise<boolean | undefined> {
  const idb = database.transaction("meta", "readwrite", { durability: "relaxed" });
  // idb's own completion, unused: one of its promises rejects.
  idb.done.catch(() => undefined);
  const transaction = unwrap(idb);
  const meta = unwrap(idb.store);
  meta.add(true, TRIAL_KEY);
  // Refused: there is such a key by now. The request after it succeeds in the browsers that are not safe.
  meta.add(true, TRIAL_KEY);
  meta.delete(TRIAL_KEY);
  transaction.commit();
  return new Promise((resolve) => {
    transaction.addEventListener("complete", () => {
      resolve(false);
    });
    transaction.addEventListener("abort", () => {
      const { error } = transaction;
      // WebKit does not say why.
      resolve(error === null || error.name === "ConstraintError" ? true : undefined);
    });
  });
}
