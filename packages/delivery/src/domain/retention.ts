/** Forgetting, in slices so small that no request waits for one. */
import { IDEMPOTENCY_WINDOW_MS } from "../contract.ts";
import type { Context } from "./context.ts";
import type { Due } from "./store.ts";

/** Records deleted in one transaction. */
const SLICE = 200;

/**
 * Writes down the service's age and deletes one slice of what is due. Returns whether more may be due: let requests pass,
 * then call again.
 */
export async function forget({ store, clock, limits }: Context): Promise<boolean> {
  const age = clock.age();
  const before = (retention: number): number => Math.max(-1, age - retention);
  const due: Due = {
    messages: before(limits.messageRetention),
    hashes: before(IDEMPOTENCY_WINDOW_MS),
    keyPackages: before(limits.keyPackageRetention),
  };
  const deleted = await store.transaction(async (tx) => {
    await tx.putAge(Math.max(age, await tx.age()));
    return tx.deleteDue(due, SLICE);
  });
  return deleted >= SLICE;
}
