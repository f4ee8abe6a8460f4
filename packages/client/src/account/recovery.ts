/**
 * What this store knows of having been rolled back: a copy of the profile was restored, or writes were lost. One count stops sending in
 * all conversations in one write; each goes on once it was joined again, under new keys, at that count.
 */
import { RECOVERY, recoveryRecord } from "../records/account.ts";
import type { Account } from "./account.ts";

const RANGE = { prefix: RECOVERY, before: `${RECOVERY}\0` };

export async function readRecovery(account: Account): Promise<number> {
  const { records } = await account.read([RANGE]);
  const stored = records.get(RECOVERY);
  return stored === undefined ? 0 : recoveryRecord.decode(stored).count;
}

/** Counts once more, unless that has happened since a conversation was last joined at `seen`. Resolves with the count. */
export async function raiseRecovery(account: Account, seen: number): Promise<number> {
  let count = seen;
  await account.update([RANGE], ({ records }) => {
    const stored = records.get(RECOVERY);
    const now = stored === undefined ? 0 : recoveryRecord.decode(stored).count;
    count = Math.max(now, seen + 1);
    return now > seen ? undefined : { put: new Map([[RECOVERY, recoveryRecord.encode({ count })]]) };
  });
  return count;
}
