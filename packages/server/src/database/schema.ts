/** The tables, and the steps from each released version to the next. */
import { CoppiceError } from "@coppice/core";

const VERSION_1 = `
  CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    public_key BLOB NOT NULL,
    last_inbox_id INTEGER NOT NULL DEFAULT 0,
    groups_created INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  -- Only a hash: who reads the database cannot sign in with what it finds.
  CREATE TABLE tokens (
    hash BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tokens_by_user ON tokens (user, expires_at);
  CREATE INDEX tokens_by_age ON tokens (expires_at);

  -- A package that was handed out stays as a hash, so that it cannot be published again.
  CREATE TABLE key_packages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES users,
    hash BLOB NOT NULL,
    content BLOB,
    changed_at INTEGER NOT NULL,
    UNIQUE (user, hash)
  ) STRICT;
  CREATE INDEX key_packages_available ON key_packages (user, id) WHERE content IS NOT NULL;
  CREATE INDEX key_packages_by_age ON key_packages (changed_at);

  CREATE TABLE last_resorts (
    user INTEGER PRIMARY KEY REFERENCES users,
    content BLOB NOT NULL
  ) STRICT;

  CREATE TABLE groups (
    id INTEGER PRIMARY KEY,
    group_id BLOB NOT NULL UNIQUE,
    creator INTEGER NOT NULL REFERENCES users,
    epoch INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  -- A user may read entries with from_seq < seq <= until_seq; NULL is a member of today.
  CREATE TABLE admissions (
    group_ref INTEGER NOT NULL REFERENCES groups,
    user INTEGER NOT NULL REFERENCES users,
    from_seq INTEGER NOT NULL,
    until_seq INTEGER,
    PRIMARY KEY (group_ref, user, from_seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    group_ref INTEGER NOT NULL REFERENCES groups,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('commit', 'message')),
    epoch INTEGER NOT NULL,
    hash BLOB NOT NULL,
    content BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    UNIQUE (group_ref, seq),
    UNIQUE (group_ref, kind, hash)
  ) STRICT;
  CREATE INDEX log_by_age ON log (received_at);

  -- One row for all who are invited with the same bytes.
  CREATE TABLE welcomes (
    id INTEGER PRIMARY KEY,
    content BLOB NOT NULL
  ) STRICT;

  CREATE TABLE inbox (
    user INTEGER NOT NULL REFERENCES users,
    id INTEGER NOT NULL,
    sender INTEGER NOT NULL REFERENCES users,
    group_ref INTEGER NOT NULL REFERENCES groups,
    welcome INTEGER NOT NULL REFERENCES welcomes,
    cursor INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (user, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX inbox_by_sender ON inbox (user, sender);
  CREATE INDEX inbox_by_welcome ON inbox (welcome);
  CREATE INDEX inbox_by_age ON inbox (received_at);
`;

/** `STEPS[n]` leads from version n to version n + 1. Released steps never change. */
const STEPS: readonly string[] = [VERSION_1];

/** What a migration needs of a database. */
interface Migratable {
  readonly first: (sql: string) => { readonly integer: (column: string) => number };
  readonly transaction: (body: () => void) => void;
  readonly execute: (sql: string) => void;
}

/** The version of the database's schema; 0 for a new one. `ERR_DS_DATABASE_NEWER` if this code does not know it. */
export function schemaVersion(database: Migratable): number {
  const version = database.first("PRAGMA user_version").integer("user_version");
  if (version > STEPS.length) {
    throw new CoppiceError("ERR_DS_DATABASE_NEWER", "a newer version of the server wrote this database", {
      detail: { found: version, supported: STEPS.length },
    });
  }
  return version;
}

/** Brings the database from `version` to the current one: all steps or none. */
export function migrate(database: Migratable, version: number): void {
  if (version === STEPS.length) return;
  database.transaction(() => {
    for (const step of STEPS.slice(version)) database.execute(step);
    database.execute(`PRAGMA user_version = ${String(STEPS.length)}`);
  });
}
