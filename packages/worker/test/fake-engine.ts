/** Engines without cryptography or server: what the worker's side makes of several pages. */
import { CoppiceError } from "@coppice/kit";
import type { Account, Engine, EngineSource, FileWork } from "../src/host/engines.ts";
import type { AccountRequest, KeyChange, OpenRequest } from "../src/protocol.ts";
import { FakeClient } from "./fake-client.ts";

export class FakeEngine implements Engine {
  readonly sessions: FakeClient[] = [];
  readonly account: Account;
  closed = 0;
  readonly #client: () => FakeClient;

  constructor(account: Account, client: () => FakeClient) {
    this.account = account;
    this.#client = client;
  }

  session(): FakeClient {
    const session = this.#client();
    this.sessions.push(session);
    return session;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

/** Gives each account an engine; `client` makes the sessions. A database remembers the key that made it. */
export class FakeSource implements EngineSource {
  readonly engines: FakeEngine[] = [];
  readonly wiped: string[] = [];
  readonly restored: Uint8Array[] = [];
  filesClosed = 0;
  /** Pieces of the file that is made, and at most of one that is restored. */
  pieces = 3;
  readonly #client: (name: string) => FakeClient;
  readonly #keys = new Map<string, string>();
  /** What opening waits for. */
  opening: ((signal: AbortSignal | undefined) => Promise<void>) | undefined;

  constructor(client: (name: string) => FakeClient = (name) => new FakeClient(name)) {
    this.#client = client;
  }

  /** Engines that are open. */
  get running(): readonly FakeEngine[] {
    return this.engines.filter(({ closed }) => closed === 0);
  }

  async locate({ name, server, database }: AccountRequest): Promise<Account> {
    const normal = { name: name.toLowerCase(), server: new URL(server).origin };
    return { ...normal, database: database ?? `${normal.server} ${normal.name}` };
  }

  async open(
    account: Account,
    key: OpenRequest["key"],
    { signal }: { readonly signal?: AbortSignal },
  ): Promise<FakeEngine> {
    await this.opening?.(signal);
    await this.checkKey(account, key);
    const engine = new FakeEngine(account, () => this.#client(account.name));
    this.engines.push(engine);
    return engine;
  }

  async checkKey({ database }: Account, key: OpenRequest["key"]): Promise<void> {
    const given = JSON.stringify(key ?? { kind: "device" });
    const expected = this.#keys.get(database) ?? given;
    if (given !== expected) throw new CoppiceError("ERR_STORE_WRONG_KEY", "The key does not open this store");
    this.#keys.set(database, expected);
  }

  async changeKey(account: Account, { from, to }: Pick<KeyChange, "from" | "to">): Promise<void> {
    await this.checkKey(account, from);
    this.#keys.set(account.database, JSON.stringify(to));
  }

  async *backUp(account: Account, { key, onProgress }: FileWork): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    await this.checkKey(account, key);
    try {
      for (let piece = 1; piece <= this.pieces; piece++) {
        onProgress({ items: piece, total: this.pieces });
        yield new Uint8Array(100_000).fill(piece);
      }
    } finally {
      this.filesClosed += 1;
    }
  }

  async restore(account: Account, file: AsyncIterable<Uint8Array>, { key, onProgress }: FileWork): Promise<void> {
    await this.checkKey(account, key);
    try {
      for await (const piece of file) {
        this.restored.push(piece);
        if (this.restored.length > this.pieces) throw new CoppiceError("ERR_STORE_CORRUPT", "The file is too long");
        onProgress({ items: this.restored.length, total: this.pieces });
      }
    } finally {
      this.filesClosed += 1;
    }
  }

  async wipe({ database }: Account): Promise<void> {
    this.wiped.push(database);
    this.#keys.delete(database);
  }
}
