/** The key-package directory: handed out once each (RFC 9420 §16.8), the last resort when nothing else is left. */
import type { ClaimedKeyPackage } from "@coppice/delivery";
import { deliveryError, type Bytes } from "@coppice/delivery/wire";
import type { Database } from "../database/database.ts";
import type { ServerLimits } from "../limits.ts";
import type { Accounts, UserId } from "./accounts.ts";
import { sha256 } from "./hash.ts";

export class KeyPackages {
  readonly #database: Database;
  readonly #accounts: Accounts;
  readonly #limits: ServerLimits;
  readonly #clock: () => number;

  constructor(database: Database, accounts: Accounts, limits: ServerLimits, clock: () => number) {
    this.#database = database;
    this.#accounts = accounts;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Adds those that were never published before. `ERR_DS_QUOTA` over the limit: nothing is added then. */
  publish(user: UserId, keyPackages: readonly Uint8Array[], lastResort: Uint8Array | undefined): void {
    const now = this.#clock();
    this.#database.transaction(() => {
      for (const content of keyPackages) {
        this.#database.run(
          "INSERT INTO key_packages (user, hash, content, changed_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
          user,
          sha256(content),
          content,
          now,
        );
      }
      if (this.count(user) > this.#limits.keyPackagesPerUser) {
        throw deliveryError("ERR_DS_QUOTA", "too many key packages are waiting");
      }
      if (lastResort !== undefined) {
        this.#database.run("INSERT OR REPLACE INTO last_resorts (user, content) VALUES (?, ?)", user, lastResort);
      }
    });
  }

  count(user: UserId): number {
    const sql = "SELECT count(*) AS count FROM key_packages WHERE user = ? AND content IS NOT NULL";
    return this.#database.first(sql, user).integer("count");
  }

  /** One of each user's, in this order, or an error and none. */
  claim(names: readonly string[]): readonly ClaimedKeyPackage[] {
    if (new Set(names).size !== names.length) throw deliveryError("ERR_DS_BAD_REQUEST", "a user is named twice");
    return this.#database.transaction(() => {
      const users = names.map((name) => ({ name, id: this.#accounts.require(name) }));
      return users.map(({ name, id }) => ({ user: name, keyPackage: this.#take(name, id) }));
    });
  }

  #take(name: string, user: UserId): Bytes {
    const next = this.#database.get(
      "SELECT id, content FROM key_packages WHERE user = ? AND content IS NOT NULL ORDER BY id LIMIT 1",
      user,
    );
    if (next !== undefined) {
      const sql = "UPDATE key_packages SET content = NULL, changed_at = ? WHERE id = ?";
      this.#database.run(sql, this.#clock(), next.integer("id"));
      return next.bytes("content");
    }
    const lastResort = this.#database.get("SELECT content FROM last_resorts WHERE user = ?", user);
    if (lastResort === undefined) {
      throw deliveryError("ERR_DS_NO_KEY_PACKAGE", "the user has no key package left", { detail: { user: name } });
    }
    return lastResort.bytes("content");
  }
}
