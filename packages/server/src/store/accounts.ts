/** Users and their tokens. */
import { randomBytes } from "node:crypto";
import { deliveryError } from "@coppice/delivery/wire";
import type { Database } from "../database/database.ts";
import type { ServerLimits } from "../limits.ts";
import { sha256 } from "./hash.ts";

/** A signed-in user: the key of the user's row, never shown outside. */
export type UserId = number & { readonly brand: unique symbol };

export const asUserId = (id: number): UserId => id as UserId;

export class Accounts {
  readonly #database: Database;
  readonly #limits: ServerLimits;
  readonly #clock: () => number;

  constructor(database: Database, limits: ServerLimits, clock: () => number) {
    this.#database = database;
    this.#limits = limits;
    this.#clock = clock;
  }

  find(name: string): UserId | undefined {
    const row = this.#database.get("SELECT id FROM users WHERE name = ?", name);
    return row === undefined ? undefined : asUserId(row.integer("id"));
  }

  /** The user, or `ERR_DS_UNKNOWN_USER`. */
  require(name: string): UserId {
    const user = this.find(name);
    if (user === undefined) {
      throw deliveryError("ERR_DS_UNKNOWN_USER", "nobody has this name", { detail: { user: name } });
    }
    return user;
  }

  /**
   * Registers the name, or checks that it belongs to this key (`ERR_DS_NAME_TAKEN`), and issues a token.
   * `beforeRegistration` may refuse a new name.
   */
  signIn(
    name: string,
    publicKey: Uint8Array,
    beforeRegistration: () => void,
  ): { readonly token: string; readonly expiresAt: number } {
    const token = randomBytes(32).toString("base64url");
    const now = this.#clock();
    const expiresAt = now + this.#limits.tokenLifetime;
    this.#database.transaction(() => {
      let user = this.find(name);
      if (user === undefined) {
        beforeRegistration();
        const sql = "INSERT INTO users (name, public_key) VALUES (?, ?) RETURNING id";
        user = asUserId(this.#database.first(sql, name, publicKey).integer("id"));
      } else {
        const known = this.#database.first("SELECT public_key FROM users WHERE id = ?", user).bytes("public_key");
        if (!Buffer.from(known).equals(publicKey)) {
          throw deliveryError("ERR_DS_NAME_TAKEN", "the name belongs to another key");
        }
      }
      this.#database.run(
        `DELETE FROM tokens WHERE user = ?1 AND hash NOT IN
           (SELECT hash FROM tokens WHERE user = ?1 ORDER BY expires_at DESC LIMIT ?2)`,
        user,
        this.#limits.tokensPerUser - 1,
      );
      this.#database.run(
        "INSERT INTO tokens (hash, user, expires_at) VALUES (?, ?, ?)",
        sha256(token),
        user,
        expiresAt,
      );
    });
    return { token, expiresAt };
  }

  /** Whose token this is and until when; `ERR_DS_UNAUTHENTICATED` if nobody's. */
  authenticate(token: string): { readonly user: UserId; readonly expiresAt: number } {
    const row = this.#database.get(
      "SELECT user, expires_at FROM tokens WHERE hash = ? AND expires_at > ?",
      sha256(token),
      this.#clock(),
    );
    if (row === undefined) throw deliveryError("ERR_DS_UNAUTHENTICATED", "not signed in, or the token has expired");
    return { user: asUserId(row.integer("user")), expiresAt: row.integer("expires_at") };
  }
}
