/** The engines of a worker: one for each database, shared by the sessions of all pages that opened it. */
import type { CallOptions, Client } from "@coppice/client";
import { CoppiceError, Locks, ProcessLocks, type Time } from "@coppice/kit";
import type { BackupProgress } from "@coppice/client/backup";
import type { AccountRequest, BackupRequest, KeyChange, OpenRequest } from "../protocol.ts";
import { Incoming, Outgoing } from "./transfer.ts";

/** What runs an account. */
export interface Engine {
  /** A client of its own, with its own listeners and its own place in the order of what it was told. */
  session(): Client;
  close(): Promise<void>;
}

/** An account in normal form: the same for everybody who means the same. */
export interface Account {
  readonly name: string;
  readonly server: string;
  readonly database: string;
}

/** Where engines come from. */
export interface EngineSource {
  /** `TypeError` or a coded error for a name or server that makes no sense. */
  locate(request: AccountRequest): Promise<Account>;
  open(account: Account, key: OpenRequest["key"], options: CallOptions): Promise<Engine>;
  /** Rejects with `ERR_STORE_WRONG_KEY` unless the account's database opens with this key. */
  checkKey(account: Account, key: OpenRequest["key"]): Promise<void>;
  /** Makes `to` the key of the account's database; rejects with `ERR_STORE_WRONG_KEY` unless it opens with `from`. */
  changeKey(account: Account, keys: Pick<KeyChange, "from" | "to">): Promise<void>;
  /** The account in the database as a file; see `engine-backup.ts`. */
  backUp(account: Account, work: FileWork): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Restores a file into the account's database. */
  restore(account: Account, file: AsyncIterable<Uint8Array>, work: FileWork): Promise<void>;
  /** Deletes the database, in whatever state it is. */
  wipe(account: Account): Promise<void>;
}

/** How a file is made or restored. */
export interface FileWork extends Pick<BackupRequest, "key" | "backupKey"> {
  readonly onProgress: (progress: BackupProgress) => void;
}

/** A page's share of an engine. */
export interface Lease {
  readonly client: Client;
  /** Ends the session, and the engine with the last one. Never rejects. */
  release(): Promise<void>;
}

/** Told why an engine ends before a session of its own did. */
export type EndSession = (reason: CoppiceError) => void;

interface Running {
  readonly engine: Engine;
  readonly account: Account;
  /** What ends the sessions that are open. */
  readonly sessions: Set<EndSession>;
}

export class Engines {
  readonly #source: EngineSource;
  /** Opening, joining, closing and wiping one database happen one at a time. */
  readonly #locks: Locks;
  readonly #running = new Map<string, Running>();

  constructor(source: EngineSource, time: Time) {
    this.#source = source;
    this.#locks = new Locks(new ProcessLocks(), time);
  }

  /**
   * A session on the engine of the account's database, which is opened if nobody has it open. Whoever joins an engine must
   * have the key of its store (`ERR_STORE_WRONG_KEY`) and mean the same account (`ERR_CLIENT_WRONG_ACCOUNT`). `onEnd` is
   * called if the engine ends before the session does.
   */
  async open(request: OpenRequest, signal: AbortSignal, onEnd: EndSession): Promise<Lease> {
    const account = await this.#source.locate(request);
    return this.#locks.run(
      account.database,
      async () => {
        signal.throwIfAborted();
        const running = await this.#runningFor(account, request.key, signal);
        running.sessions.add(onEnd);
        return this.#lease(running, onEnd);
      },
      { signal },
    );
  }

  /** Changes the key of the account's database. Engines that run on it go on. */
  async changeKey({ from, to, ...request }: KeyChange): Promise<void> {
    const account = await this.#source.locate(request);
    await this.#locks.run(account.database, () => this.#source.changeKey(account, { from, to }));
  }

  /** Makes a file of an account, whether it is open or not. */
  async backUp({ key, backupKey, ...request }: BackupRequest): Promise<Outgoing> {
    const account = await this.#source.locate(request);
    return new Outgoing((onProgress) => this.#source.backUp(account, { key, backupKey, onProgress }));
  }

  /** Restores a file into an account's database, whether it is open or not. */
  async restore({ key, backupKey, ...request }: BackupRequest): Promise<Incoming> {
    const account = await this.#source.locate(request);
    return new Incoming((file, onProgress) => this.#source.restore(account, file, { key, backupKey, onProgress }));
  }

  /** Deletes the account's database. Sessions that are open on it in this worker end. */
  async wipe(request: AccountRequest): Promise<void> {
    const account = await this.#source.locate(request);
    await this.#locks.run(account.database, async () => {
      const running = this.#running.get(account.database);
      if (running !== undefined) {
        for (const end of running.sessions) end(deleted());
        await this.#close(running);
      }
      await this.#source.wipe(account);
    });
  }

  async #runningFor(account: Account, key: OpenRequest["key"], signal: AbortSignal): Promise<Running> {
    const known = this.#running.get(account.database);
    if (known !== undefined) {
      if (known.account.name !== account.name || known.account.server !== account.server) {
        throw new CoppiceError(
          "ERR_CLIENT_WRONG_ACCOUNT",
          "This database belongs to another account; use another name for it",
        );
      }
      await this.#source.checkKey(account, key);
      return known;
    }
    const engine = await this.#source.open(account, key, { signal });
    const running: Running = { engine, account, sessions: new Set() };
    this.#running.set(account.database, running);
    return running;
  }

  #lease(running: Running, onEnd: EndSession): Lease {
    const client = running.engine.session();
    return {
      client,
      release: async () => {
        // What cannot be closed has nobody left who could do something about it.
        await client.close().catch(() => undefined);
        await this.#locks.run(running.account.database, async () => {
          if (running.sessions.delete(onEnd) && running.sessions.size === 0) await this.#close(running);
        });
      },
    };
  }

  async #close({ engine, account, sessions }: Running): Promise<void> {
    sessions.clear();
    this.#running.delete(account.database);
    await engine.close().catch(() => undefined);
  }
}

const deleted = (): CoppiceError => new CoppiceError("ERR_STORE_LOST", "The account was deleted from this device");
