/** Forgetting: expired tokens, old key packages, and messages if their retention is bounded. */
import type { Database } from "../database/database.ts";
import type { ServerLimits } from "../limits.ts";

/** Rows deleted in one transaction, so that requests do not wait long. */
const BATCH = 500;

/** Deletes a batch of what is due. Returns whether more may be due. */
export function forget(database: Database, limits: ServerLimits, now: number): boolean {
  // Beyond the range of integers nothing is ever due, which is what an infinite retention asks for.
  const before = (retention: number): number => Math.max(0, now - Math.min(retention, Number.MAX_SAFE_INTEGER));
  const statements: readonly (readonly [sql: string, before: number])[] = [
    ["DELETE FROM tokens WHERE hash IN (SELECT hash FROM tokens WHERE expires_at < ? LIMIT ?)", now],
    [
      "DELETE FROM key_packages WHERE id IN (SELECT id FROM key_packages WHERE changed_at < ? LIMIT ?)",
      before(limits.keyPackageRetention),
    ],
    ["DELETE FROM log WHERE id IN (SELECT id FROM log WHERE received_at < ? LIMIT ?)", before(limits.messageRetention)],
    [
      "DELETE FROM inbox WHERE (user, id) IN (SELECT user, id FROM inbox WHERE received_at < ? LIMIT ?)",
      before(limits.messageRetention),
    ],
  ];
  return database.transaction(() => {
    const deleted = statements.map(([sql, time]) => database.run(sql, time, BATCH));
    if ((deleted[3] ?? 0) > 0) {
      database.run("DELETE FROM welcomes WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE welcome = welcomes.id)");
    }
    return deleted.some((count) => count === BATCH);
  });
}
