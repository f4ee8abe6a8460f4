/** Invitations: each is acknowledged once it was used, or once its refusal is final and was told. */
import { toHex } from "@coppice/core";
import type { InboxEntry } from "@coppice/delivery/contract";
import { isCoppiceError } from "@coppice/kit";
import type { Shared } from "../conversation/context.ts";
import { isTransient } from "../errors.ts";
import { join } from "./join.ts";

export interface InboxOptions {
  readonly shared: Shared;
  /** Reads the log of a conversation that is known: it may show that this device was removed, and may join again. */
  readonly catchUp: (id: string) => Promise<void>;
  /** Told of a conversation that was joined. */
  readonly onJoined: (id: string) => Promise<void>;
  /** Told of an invitation that cannot be used. */
  readonly report: (error: unknown, id: string) => void;
}

/** Pages of one run: what comes after them waits for the next. */
const MAX_PAGES = 64;

/** Works off the inbox. Rejects if something has to be tried again; what could be done is done. */
export async function readInbox(options: InboxOptions): Promise<void> {
  const { delivery } = options.shared;
  for (let page = 0; page < MAX_PAGES; page++) {
    const entries = await delivery.readInbox();
    if (entries.length === 0) return;
    // Acknowledging one acknowledges all before it: the first that has to wait holds back the others' word, not their use.
    let failure: { readonly error: unknown } | undefined;
    for (const entry of entries) {
      try {
        await take(entry, options);
        if (failure === undefined) await delivery.acknowledgeInbox(entry.id);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }
}

/** Resolves once the entry was used, or its refusal was told. */
async function take(entry: InboxEntry, { shared, catchUp, onJoined, report }: InboxOptions): Promise<void> {
  const id = toHex(entry.groupId);
  let joined: string | undefined;
  try {
    await catchUp(id);
    joined = await join(entry, shared);
  } catch (error) {
    if (shared.scope.ended || !isVerdict(error)) throw error;
    report(error, id);
    return;
  }
  if (joined !== undefined) await onJoined(joined);
}

/** Whether an invitation itself is at fault, rather than the store or the connection. */
function isVerdict(error: unknown): boolean {
  if (!isCoppiceError(error)) return error instanceof RangeError || error instanceof TypeError;
  if (isTransient(error)) return false;
  return (
    error.code.startsWith("ERR_MLS_") || error.code === "ERR_CLIENT_DEVICE_LOG" || error.code === "ERR_DS_DEVICE_LOG"
  );
}
