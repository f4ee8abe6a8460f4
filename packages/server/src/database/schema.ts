/** The tables, and which versions of them this code works with. */
import { ENTRY_OVERHEAD_BYTES } from "@coppice/delivery/domain";
import { CoppiceError } from "@coppice/kit";

/** The oldest version from which `MIGRATIONS` lead on. Version 1 was never released: it has no way to here. */
const OLDEST = 2;

/**
 * `age` is always the service's age when the row was written. Tables that only grow are deleted from by ascending id, which is
 * the order of ages; the others have an index for it. Version 2, as it was first written.
 */
export const SCHEMA_2 = `
  CREATE TABLE service (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    age INTEGER NOT NULL,
    -- What the ids of a new inbox begin after.
    inbox_base INTEGER NOT NULL
  ) STRICT;
  INSERT INTO service (id, age, inbox_base) VALUES (1, 0, 0);

  CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Equal for names that look alike.
    skeleton TEXT NOT NULL UNIQUE,
    log_length INTEGER NOT NULL,
    log_state BLOB NOT NULL,
    groups_created INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE device_logs (
    user INTEGER NOT NULL REFERENCES users,
    position INTEGER NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (user, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE clients (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    last_inbox_id INTEGER NOT NULL,
    UNIQUE (user, device)
  ) STRICT;

  -- Only a hash: who reads the database cannot sign in with what it finds.
  CREATE TABLE tokens (
    hash BLOB PRIMARY KEY,
    client INTEGER NOT NULL REFERENCES clients,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tokens_by_client ON tokens (client, expires_at);
  CREATE INDEX tokens_by_expiry ON tokens (expires_at);

  -- A package that was handed out stays as a hash, so that it cannot be published again.
  CREATE TABLE key_packages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client INTEGER NOT NULL REFERENCES clients,
    hash BLOB NOT NULL,
    content BLOB,
    age INTEGER NOT NULL,
    UNIQUE (client, hash)
  ) STRICT;
  CREATE INDEX key_packages_waiting ON key_packages (client, id) WHERE content IS NOT NULL;
  CREATE INDEX key_packages_by_age ON key_packages (age);

  CREATE TABLE last_resorts (
    client INTEGER PRIMARY KEY REFERENCES clients,
    content BLOB NOT NULL
  ) STRICT;

  CREATE TABLE groups (
    id INTEGER PRIMARY KEY,
    group_id BLOB NOT NULL UNIQUE,
    incarnation TEXT NOT NULL,
    creator INTEGER NOT NULL REFERENCES clients,
    epoch INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    last_received_at INTEGER NOT NULL,
    readers_seq INTEGER NOT NULL,
    -- Numbers with commas between.
    ended_at TEXT NOT NULL
  ) STRICT;

  -- Apart from the group's row, which every message changes.
  CREATE TABLE group_infos (
    group_ref INTEGER PRIMARY KEY REFERENCES groups,
    content BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL
  ) STRICT;

  -- A client may read entries with from_seq < seq <= until_seq; NULL is a reader of today.
  CREATE TABLE admissions (
    group_ref INTEGER NOT NULL REFERENCES groups,
    client INTEGER NOT NULL REFERENCES clients,
    from_seq INTEGER NOT NULL,
    until_seq INTEGER,
    PRIMARY KEY (group_ref, client, from_seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX admissions_of_group ON admissions (group_ref, client) WHERE until_seq IS NULL;
  CREATE INDEX admissions_of_client ON admissions (client, group_ref) WHERE until_seq IS NULL;

  CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    group_ref INTEGER NOT NULL REFERENCES groups,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('commit', 'message')),
    epoch INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    age INTEGER NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (group_ref, seq)
  ) STRICT;

  -- Where posted bytes stand, also after the entry was deleted.
  CREATE TABLE posted (
    id INTEGER PRIMARY KEY,
    group_ref INTEGER NOT NULL REFERENCES groups,
    kind TEXT NOT NULL,
    hash BLOB NOT NULL,
    seq INTEGER NOT NULL,
    age INTEGER NOT NULL,
    UNIQUE (group_ref, kind, hash)
  ) STRICT;

  -- One row for all who are let in by the same bytes.
  CREATE TABLE welcomes (
    id INTEGER PRIMARY KEY,
    content BLOB NOT NULL
  ) STRICT;

  CREATE TABLE inbox (
    client INTEGER NOT NULL REFERENCES clients,
    id INTEGER NOT NULL,
    sender TEXT NOT NULL,
    group_ref INTEGER NOT NULL REFERENCES groups,
    seq INTEGER NOT NULL,
    welcome INTEGER NOT NULL REFERENCES welcomes,
    age INTEGER NOT NULL,
    PRIMARY KEY (client, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX inbox_by_sender ON inbox (client, sender);
  CREATE INDEX inbox_by_welcome ON inbox (welcome);
  CREATE INDEX inbox_by_age ON inbox (age);
`;

const entryBytes = (row: string): string => `(length(${row}content) + ${String(ENTRY_OVERHEAD_BYTES)})`;

/** Counts anew what is kept for groups and users. */
export const RECOUNT: string = `
  UPDATE groups SET bytes =
    (SELECT coalesce(sum(${entryBytes("")}), 0) FROM log WHERE group_ref = groups.id) +
    (SELECT coalesce(sum(length(content)), 0) FROM group_infos WHERE group_ref = groups.id);
  UPDATE users SET bytes =
    (SELECT coalesce(sum(groups.bytes), 0) FROM groups JOIN clients ON clients.id = creator WHERE user = name);
`;

/** What is kept for groups and users, what operators say of users, and whether this file is a backup of another one. */
const SCHEMA_3 = `
  ALTER TABLE service ADD COLUMN is_backup INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE users ADD COLUMN is_banned INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE users ADD COLUMN allowance INTEGER;
  ALTER TABLE users ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE groups ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;

  CREATE INDEX inbox_by_group ON inbox (group_ref);
${RECOUNT}
  CREATE TRIGGER log_grows AFTER INSERT ON log BEGIN
    UPDATE groups SET bytes = bytes + ${entryBytes("NEW.")} WHERE id = NEW.group_ref;
  END;
  CREATE TRIGGER log_shrinks AFTER DELETE ON log BEGIN
    UPDATE groups SET bytes = bytes - ${entryBytes("OLD.")} WHERE id = OLD.group_ref;
  END;
  CREATE TRIGGER info_comes AFTER INSERT ON group_infos BEGIN
    UPDATE groups SET bytes = bytes + length(NEW.content) WHERE id = NEW.group_ref;
  END;
  CREATE TRIGGER info_changes AFTER UPDATE ON group_infos BEGIN
    UPDATE groups SET bytes = bytes + length(NEW.content) - length(OLD.content) WHERE id = NEW.group_ref;
  END;
  CREATE TRIGGER info_goes AFTER DELETE ON group_infos BEGIN
    UPDATE groups SET bytes = bytes - length(OLD.content) WHERE id = OLD.group_ref;
  END;
  CREATE TRIGGER group_changes AFTER UPDATE OF bytes ON groups BEGIN
    UPDATE users SET bytes = max(0, bytes + NEW.bytes - OLD.bytes)
    WHERE name = (SELECT user FROM clients WHERE id = NEW.creator);
  END;
`;

/** What leads from one version to the next, the first from `OLDEST`. A new database goes all the way. */
const MIGRATIONS: readonly string[] = [SCHEMA_3];

/** The version that this code works with. */
const VERSION = OLDEST + MIGRATIONS.length;

/** What the set-up needs of a database. */
interface Preparable {
  readonly first: (sql: string) => { readonly integer: (column: string) => number };
  readonly atomically: (body: () => void) => void;
  readonly execute: (sql: string) => void;
}

/**
 * The version of the database's tables, 0 for a new one; nothing is written. `ERR_DS_DATABASE_NEWER` or `ERR_DS_DATABASE_OLD`
 * for a version that this code cannot work with.
 */
export function schemaVersion(database: Preparable): number {
  const found = database.first("PRAGMA user_version").integer("user_version");
  requireSupported(found);
  return found;
}

/** `ERR_DS_DATABASE_NEWER` or `ERR_DS_DATABASE_OLD` for a version that this code cannot work with. */
export function requireSupported(found: number): void {
  const detail = { found, supported: VERSION };
  if (found > VERSION) {
    throw new CoppiceError("ERR_DS_DATABASE_NEWER", "A newer version of the server wrote this database", { detail });
  }
  if (found > 0 && found < OLDEST) {
    const message =
      "The database is of a version that was never released: move its file away to begin with an empty one";
    throw new CoppiceError("ERR_DS_DATABASE_OLD", message, { detail });
  }
}

/** Makes the tables of a new database, and those that came after version `found`. */
export function bringUpToDate(database: Preparable, found: number): void {
  if (found === VERSION) return;
  database.atomically(() => {
    if (found === 0) database.execute(SCHEMA_2);
    for (const script of MIGRATIONS.slice(Math.max(0, found - OLDEST))) database.execute(script);
    database.execute(`PRAGMA user_version = ${String(VERSION)}`);
  });
}
