/** Making a backup of a store: page by page, so that memory does not grow with it. */
import { erase, type Bytes } from "@coppice/core";
import { isCoppiceError } from "@coppice/kit";
import type { Store } from "@coppice/storage";
import { readSummary } from "../conversation/stored.ts";
import { itemsBetween, partitionOf } from "../conversation/history.ts";
import { clientError } from "../errors.ts";
import { idOf } from "../engine/conversations.ts";
import { ACCOUNT, accountRecord, PIN, RECOVERY, recoveryRecord } from "../records/account.ts";
import { summaryRecord, type Summary } from "../records/conversation.ts";
import { entries, type AccountEntry, type Entry } from "./entries.ts";

export interface BackupProgress {
  /** Items of histories that are done, and how many there are, about. */
  readonly items: number;
  readonly total: number;
}

export interface ExportOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** Items that are read at once. */
const PAGE = 512;
/** Pins of one chunk. */
const PINS = 256;

/**
 * The account in a store as chunks of a backup: plaintext, to be sealed. Whatever is written meanwhile may be missing in it. Damaged
 * records and conversations are left out. `ERR_CLIENT_NO_ACCOUNT` if the store has none that is registered.
 */
export async function* exportAccount(
  store: Store,
  { signal, onProgress }: ExportOptions = {},
): AsyncGenerator<Bytes, void, undefined> {
  const options = signal === undefined ? {} : { signal };
  const { records } = await store.read(ACCOUNT, [{ prefix: ACCOUNT }, { prefix: RECOVERY }, { prefix: PIN }], options);
  const ids = (await store.partitions(options)).names.flatMap((name) => idOf(name) ?? []).sort();
  const summaries = new Map<string, Summary>();
  for (const id of ids) {
    const summary = await readSound(store, id);
    if (summary !== undefined) summaries.set(id, summary);
  }
  const total = [...summaries.values()].reduce((sum, { lastItem }) => sum + lastItem, 0);
  const account = accountEntry(records, total);
  yield entries.encode([account]);
  erase(account.privateKey);
  const pins = [...records].filter(([name]) => name.startsWith(PIN)).map(([, pin]): Entry => ({ kind: "pin", pin }));
  for (let start = 0; start < pins.length; start += PINS) yield entries.encode(pins.slice(start, start + PINS));
  let items = 0;
  for (const [conversation, summary] of summaries) {
    for (let after = 0; after < summary.lastItem; after += PAGE) {
      const upTo = Math.min(summary.lastItem, after + PAGE);
      const page = await store.read(partitionOf(conversation), [itemsBetween(after, upTo)], options);
      if (page.records.size > 0)
        yield entries.encode([{ kind: "items", conversation, items: [...page.records.values()] }]);
      items += upTo - after;
      onProgress?.({ items, total });
    }
    yield entries.encode([
      { kind: "conversation", conversation, summary: summaryRecord.encode(withoutState(summary)) },
    ]);
  }
}

function accountEntry(records: ReadonlyMap<string, Bytes>, items: number): AccountEntry {
  const stored = records.get(ACCOUNT);
  const account = stored && accountRecord.decode(stored);
  if (account?.position === undefined) throw clientError("ERR_CLIENT_NO_ACCOUNT", "There is no account to back up");
  const recovery = records.get(RECOVERY);
  const count = recovery === undefined ? 0 : recoveryRecord.decode(recovery).count;
  return { kind: "account", ...account, position: account.position, recovery: count, items };
}

/** Undefined for what is damaged, or no conversation yet. */
async function readSound(store: Store, id: string): Promise<Summary | undefined> {
  try {
    return (await readSummary(store, id))?.summary;
  } catch (error) {
    if (isCoppiceError(error, "ERR_STORE_CORRUPT")) return undefined;
    throw error;
  }
}

/** What remains of a membership without its keys: it is not known where in the log it stands, and nothing waits. */
function withoutState(summary: Summary): Summary {
  return {
    ...summary,
    ...{ position: undefined, own: [], queued: 0, pending: undefined, committed: [], leaving: false, proposed: false },
    ...{ ended: [], resent: [] },
  };
}
