/** Making anew what can be made anew: indexes, counts, and room. Nobody else uses the database meanwhile. */
import { Database } from "./database.ts";
import { RECOUNT } from "./schema.ts";

/**
 * Repairs the database at `path`. Returns what is still wrong, in SQLite's words; nothing for a sound one.
 * `ERR_DS_DATABASE_BUSY` if a server has it open.
 */
export function repair(path: string): readonly string[] {
  const database = new Database(path);
  try {
    database.execute("REINDEX");
    database.atomically(() => {
      database.execute(RECOUNT);
      // Welcomes for which nobody waits.
      database.execute("DELETE FROM welcomes WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE welcome = welcomes.id)");
    });
    database.execute("VACUUM");
    return database
      .all("PRAGMA integrity_check")
      .map((row) => row.text("integrity_check"))
      .filter((text) => text !== "ok");
  } finally {
    database.close();
  }
}
