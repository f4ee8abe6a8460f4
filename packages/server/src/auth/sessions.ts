/** Sessions: which token is whose and until when, and what ends with it. */
import { randomBytes } from "node:crypto";
import type { ClientId } from "@coppice/delivery";
import { clientKey } from "@coppice/delivery/domain";
import { deliveryError } from "@coppice/delivery/wire";
import type { Database } from "../database/database.ts";
import type { Turns } from "../database/turns.ts";
import type { ServerLimits } from "../limits.ts";
import { ensureClient, findClient } from "../store/clients.ts";
import { sha256 } from "../store/hash.ts";

/** Sessions that are remembered; the others are looked up again. */
const MOST_KNOWN = 50_000;

/** Tokens deleted at a time because they expired. */
const SLICE = 200;

export interface Session {
  readonly client: ClientId;
  /** By the service's clock, milliseconds since 1970. */
  readonly expiresAt: number;
  /** Calls back when the session ends before it expires; returns what cancels that. */
  readonly onEnd: (callback: () => void) => () => void;
}

/** What sessions need. */
export interface SessionsOptions {
  readonly database: Database;
  readonly turns: Turns;
  readonly limits: ServerLimits;
  /** The service's clock. */
  readonly now: () => number;
}

interface Known {
  readonly session: Session;
  readonly watchers: Set<() => void>;
}

/** A sign-in that goes on, and is worth nothing once its client was revoked. */
interface SignIn {
  readonly key: string;
  isRevoked: boolean;
}

export class Sessions {
  readonly #options: SessionsOptions;
  /** By the token's hash, those known for longest first. */
  readonly #known = new Map<string, Known>();
  readonly #signIns = new Set<SignIn>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /**
   * Issues a token once `prove` has resolved. `ERR_DS_UNAUTHENTICATED` if the client was revoked meanwhile, `ERR_DS_FORBIDDEN`
   * for a user who is banned; the token of this client that expires first makes room.
   */
  async signIn(
    client: ClientId,
    prove: () => Promise<void>,
  ): Promise<{ readonly token: string; readonly expiresAt: number }> {
    const signIn: SignIn = { key: clientKey(client), isRevoked: false };
    this.#signIns.add(signIn);
    try {
      await prove();
      const token = randomBytes(32).toString("base64url");
      const hash = sha256(token);
      const expiresAt = this.#options.now() + this.#options.limits.tokenLifetime;
      const replaced = await this.#options.turns.change(() => this.#insert(client, hash, expiresAt));
      for (const key of replaced) this.#end(key);
      if (signIn.isRevoked)
        throw deliveryError("ERR_DS_UNAUTHENTICATED", "The device log does not list this device now");
      this.#remember(hash, client, expiresAt);
      return { token, expiresAt };
    } finally {
      this.#signIns.delete(signIn);
    }
  }

  /** Whose token this is; `ERR_DS_UNAUTHENTICATED` if nobody's. */
  async authenticate(token: string): Promise<Session> {
    const hash = sha256(token);
    const known = this.#known.get(keyOf(hash))?.session ?? (await this.#load(hash));
    if (known !== undefined && known.expiresAt > this.#options.now()) return known;
    throw deliveryError("ERR_DS_UNAUTHENTICATED", "Not signed in, or the token has expired");
  }

  /** Ends all sessions of a client, and the sign-ins that go on. */
  async revoke(client: ClientId): Promise<void> {
    const key = clientKey(client);
    for (const signIn of this.#signIns) if (signIn.key === key) signIn.isRevoked = true;
    this.#endAll((session) => clientKey(session.client) === key);
    const { database, turns } = this.#options;
    await turns.change(() => database.run("DELETE FROM tokens WHERE client = ?", findClient(database, client)));
    // Those that were looked up in the meantime.
    this.#endAll((session) => clientKey(session.client) === key);
  }

  /** Ends all sessions: after the database was restored, nobody knows which are still wanted. */
  async revokeAll(): Promise<void> {
    this.#endAll(() => true);
    await this.#options.turns.change(() => this.#options.database.run("DELETE FROM tokens"));
  }

  /** Deletes a slice of the tokens that have expired. Returns whether there may be more. */
  async forget(): Promise<boolean> {
    const { database, turns, now } = this.#options;
    const sql = "DELETE FROM tokens WHERE hash IN (SELECT hash FROM tokens WHERE expires_at <= ? LIMIT ?)";
    return (await turns.change(() => database.run(sql, now(), SLICE))) === SLICE;
  }

  /** Within a transaction. Returns the hashes of the tokens that made room. */
  #insert(client: ClientId, hash: Uint8Array, expiresAt: number): readonly string[] {
    const { database, limits } = this.#options;
    const banned = database.get("SELECT is_banned FROM users WHERE name = ?", client.user)?.integer("is_banned") === 1;
    if (banned) throw deliveryError("ERR_DS_FORBIDDEN", "The operator does not let this user in");
    const owner = ensureClient(database, client);
    const replaced = database.all(
      `DELETE FROM tokens WHERE client = ?1 AND hash NOT IN
         (SELECT hash FROM tokens WHERE client = ?1 ORDER BY expires_at DESC LIMIT ?2) RETURNING hash`,
      owner,
      limits.tokensPerClient - 1,
    );
    database.run("INSERT INTO tokens (hash, client, expires_at) VALUES (?, ?, ?)", hash, owner, expiresAt);
    return replaced.map((row) => keyOf(row.bytes("hash")));
  }

  async #load(hash: Uint8Array): Promise<Session | undefined> {
    const { database, turns } = this.#options;
    const sql = `SELECT user, device, expires_at FROM tokens JOIN clients ON clients.id = client WHERE hash = ?`;
    const row = await turns.read(() => database.get(sql, hash));
    if (row === undefined) return undefined;
    return this.#remember(hash, { user: row.text("user"), device: row.text("device") }, row.integer("expires_at"));
  }

  #remember(hash: Uint8Array, client: ClientId, expiresAt: number): Session {
    const key = keyOf(hash);
    const watchers = this.#known.get(key)?.watchers ?? new Set();
    const onEnd = (callback: () => void): (() => void) => {
      watchers.add(callback);
      return () => watchers.delete(callback);
    };
    const session: Session = { client, expiresAt, onEnd };
    this.#known.delete(key);
    this.#known.set(key, { session, watchers });
    if (this.#known.size > MOST_KNOWN) this.#forgetOldest();
    return session;
  }

  /** One that nothing hangs on. */
  #forgetOldest(): void {
    for (const [key, { watchers }] of this.#known) {
      if (watchers.size > 0) continue;
      this.#known.delete(key);
      return;
    }
  }

  #endAll(isMeant: (session: Session) => boolean): void {
    for (const [key, { session }] of this.#known) if (isMeant(session)) this.#end(key);
  }

  #end(key: string): void {
    const known = this.#known.get(key);
    this.#known.delete(key);
    for (const callback of [...(known?.watchers ?? [])]) callback();
  }
}

const keyOf = (hash: Uint8Array): string => Buffer.from(hash).toString("latin1");
