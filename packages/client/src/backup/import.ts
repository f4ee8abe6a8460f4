/** Restoring a backup into a store: chunk by chunk, each in one write; what is there already stays. */
import { equalBytes, getCipherSuite, toHex, utf8, type Bytes } from "@coppice/core";
import { isCoppiceError } from "@coppice/kit";
import type { Store } from "@coppice/storage";
import { SUITE_ID } from "../account/account.ts";
import { itemName, partitionOf } from "../conversation/history.ts";
import { only } from "../conversation/stored.ts";
import { clientError } from "../errors.ts";
import {
  ACCOUNT,
  accountRecord,
  PIN,
  pinRecord,
  RECOVERY,
  recoveryRecord,
  RESTORED,
  type AccountRecord,
} from "../records/account.ts";
import { itemRecord, SUMMARY, summaryRecord } from "../records/conversation.ts";
import { entries, type AccountEntry, type Entry } from "./entries.ts";
import type { BackupProgress } from "./export.ts";

/** As lower-case hex. */
const GROUP_ID = /^(?:[0-9a-f]{2}){1,128}$/;

export interface ImportOptions {
  /** Whose backup it must be, in the name's normal form. */
  readonly user: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/**
 * Restores the chunks of a backup. Into a store without an account it brings back the account itself: its device signs in by its own
 * key and joins its groups again under new keys. Into an account of the same user it brings the histories of conversations
 * that are not there. Repeating it, also after it broke off, changes nothing that is there.
 *
 * `ERR_CLIENT_WRONG_ACCOUNT` for a backup, or a store, of another user, and nothing was written; `ERR_STORE_CORRUPT` for
 * what is no backup; the codes of the store, and what `chunks` throws.
 */
export async function importAccount(
  store: Store,
  chunks: AsyncIterable<Uint8Array>,
  { user, signal, onProgress }: ImportOptions,
): Promise<void> {
  let restoring: Restoring | undefined;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    for (const entry of entries.decode(chunk)) {
      if (restoring === undefined) {
        if (entry.kind !== "account") throw noBackup();
        restoring = await Restoring.begin(store, entry, user);
      } else {
        await restoring.take(entry);
      }
    }
    if (restoring !== undefined) onProgress?.(restoring.progress);
  }
  if (restoring === undefined) throw noBackup();
  await restoring.end();
}

/** A conversation that is being written. */
interface Target {
  readonly id: string;
  /** Whether it is there already, and stays as it is. */
  readonly exists: boolean;
  version: number;
}

class Restoring {
  readonly #store: Store;
  readonly #backup: AccountEntry;
  /** The account that is there; undefined if the backup's is to be. */
  readonly #present: AccountRecord | undefined;
  readonly #version: number;
  readonly #pins: Bytes[] = [];
  /** The conversation whose items are being written. */
  #current: Target | undefined;
  #items = 0;

  private constructor(store: Store, backup: AccountEntry, present: AccountRecord | undefined, version: number) {
    this.#store = store;
    this.#backup = backup;
    this.#present = present;
    this.#version = version;
  }

  static async begin(store: Store, backup: AccountEntry, user: string): Promise<Restoring> {
    const { version, records } = await store.read(ACCOUNT, [only(ACCOUNT)]);
    const stored = records.get(ACCOUNT);
    const present = stored && accountRecord.decode(stored);
    if (backup.user !== user || (present !== undefined && present.user !== user)) {
      throw clientError("ERR_CLIENT_WRONG_ACCOUNT", "This backup belongs to another name");
    }
    // One that the server has not accepted is none yet.
    return new Restoring(store, backup, present?.position === undefined ? undefined : present, version);
  }

  get progress(): BackupProgress {
    return { items: this.#items, total: this.#backup.items };
  }

  async take(entry: Entry): Promise<void> {
    switch (entry.kind) {
      case "account":
        throw noBackup();
      case "pin":
        this.#pins.push(entry.pin);
        return;
      case "items":
        await this.#takeItems(entry);
        return;
      case "conversation":
        await this.#takeConversation(entry);
    }
  }

  /** The account comes last: a backup of which half is restored makes none. */
  async end(): Promise<void> {
    if (this.#present !== undefined) return;
    const { user, device, publicKey, privateKey, salt, position, recovery } = this.#backup;
    const account = { user, device, publicKey, privateKey, salt, position };
    const { hash } = await getCipherSuite(SUITE_ID);
    const put = new Map<string, Uint8Array>([
      [ACCOUNT, accountRecord.encode(account)],
      // As after a roll-back: nothing of before is sent under, and each group is joined again.
      [RECOVERY, recoveryRecord.encode({ count: recovery + 1 })],
      [RESTORED, Uint8Array.of(1)],
    ]);
    for (const pin of this.#pins) put.set(PIN + toHex(hash.hmac(salt, utf8(pinRecord.decode(pin).user))), pin);
    await this.#store.write([{ partition: ACCOUNT, expectedVersion: this.#version, clear: true, put }]);
  }

  async #takeItems({ conversation, items }: Extract<Entry, { kind: "items" }>): Promise<void> {
    const current = await this.#open(conversation);
    this.#items += items.length;
    if (current.exists) return;
    const put = new Map(items.map((bytes) => [itemName(itemRecord.decode(bytes).seq), bytes]));
    await this.#write(current, put);
  }

  async #takeConversation({ conversation, summary }: Extract<Entry, { kind: "conversation" }>): Promise<void> {
    const current = await this.#open(conversation);
    this.#current = undefined;
    if (current.exists) return;
    const restored = summaryRecord.decode(summary);
    const isOwn = this.#present === undefined || equalBytes(this.#present.publicKey, this.#backup.publicKey);
    // Another device of the user was in it: this one has its history, and can be invited.
    const known = isOwn ? restored : { ...restored, status: "removed" as const, problem: undefined };
    await this.#write(current, new Map([[SUMMARY, summaryRecord.encode(known)]]));
  }

  async #open(id: string): Promise<Target> {
    if (!GROUP_ID.test(id)) throw noBackup();
    if (this.#current?.id === id) return this.#current;
    const { version, records, damaged } = await this.#read(id);
    // Without a summary it is the rest of a restoration that broke off.
    this.#current = { id, version, exists: records.has(SUMMARY) || damaged.length > 0 };
    return this.#current;
  }

  async #read(id: string): ReturnType<Store["read"]> {
    try {
      return await this.#store.read(partitionOf(id), [only(SUMMARY)]);
    } catch (error) {
      if (!isCoppiceError(error, "ERR_STORE_CORRUPT")) throw error;
      await this.#store.discard(partitionOf(id));
      return this.#store.read(partitionOf(id), [only(SUMMARY)]);
    }
  }

  async #write(current: Target, put: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.#store.write([{ partition: partitionOf(current.id), expectedVersion: current.version, put }]);
    current.version += 1;
  }
}

const noBackup = (): Error => clientError("ERR_CLIENT_NO_BACKUP", "This is no backup of an account");
