/**
 * Invitations: each is acknowledged once it was used, or its refusal is final and was told, or it is stored here to wait. One waits
 * while the directory withholds the device log of a member, apart from the inbox, so that it is neither lost nor in the way of others:
 * the inbox has room for some only, and acknowledging one acknowledges all before it.
 */
import { toHex } from "@coppice/core";
import { CoppiceError, isCoppiceError } from "@coppice/kit";
import type { PartitionSnapshot } from "@coppice/storage";
import { momentOf } from "../account/clock.ts";
import type { Shared } from "../conversation/context.ts";
import { clientError, isWithheld, retryInBackgroundAfter } from "../errors.ts";
import { isOver, WELCOME_PATIENCE, waitedOn, type WaitingWelcome } from "../patience.ts";
import { WAITING, waitingRecord } from "../records/account.ts";
import { join, type Invitation } from "./join.ts";

export interface InboxOptions {
  readonly shared: Shared;
  /** Reads the log of a conversation that is known: it may show that this device was removed, and may join again. */
  readonly catchUp: (id: string) => Promise<void>;
  /** Told of a conversation that was joined. */
  readonly onJoined: (id: string) => Promise<void>;
  /** Told of an invitation that cannot be used. */
  readonly report: (error: unknown, id: string | undefined) => void;
}

/** Pages of one run: what comes after them waits for the next. */
const MAX_PAGES = 64;

/** Invitations that wait; beyond these, the one that has waited longest is given up. */
const MAX_WAITING = 64;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/**
 * Works off the inbox, and looks again at what waits. Resolves with how many invitations wait for device logs; rejects if something else
 * has to be tried again: what could be done is done.
 */
export async function readInbox(options: InboxOptions): Promise<number> {
  const { delivery } = options.shared;
  const failures: unknown[] = [];
  let waiting = await lookAgain(options, failures);
  for (let page = 0; page < MAX_PAGES; page++) {
    const entries = await delivery.readInbox();
    if (entries.length === 0) break;
    for (const entry of entries) {
      try {
        if ((await take(entry, options)) !== undefined) waiting = await keep(entry, options);
        // The first that has to be tried again holds back the others' word, not their use.
        if (failures.length === 0) await delivery.acknowledgeInbox(entry.id);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) break;
  }
  if (failures.length > 0) throw failures[0];
  return waiting;
}

/** Looks at what waits; resolves with how many still do. */
async function lookAgain(options: InboxOptions, failures: unknown[]): Promise<number> {
  const { shared, report } = options;
  const { account, time } = shared;
  const { records, damaged } = await account.read([{ prefix: WAITING }]);
  if (damaged.length > 0) {
    await account.update([], () => ({ delete: damaged }));
    report(new CoppiceError("ERR_STORE_CORRUPT", "An invitation that waited is damaged, and lost"), undefined);
  }
  let waiting = 0;
  for (const [name, bytes] of records) {
    const before = waitingRecord.decode(bytes);
    try {
      const withheld = await take(before, options);
      const after = waitedOn(before, momentOf(time), WELCOME_PATIENCE);
      if (withheld !== undefined && !isOver(after, WELCOME_PATIENCE)) {
        waiting++;
        if (after !== before) await account.update([], () => ({ put: new Map([[name, waitingRecord.encode(after)]]) }));
        continue;
      }
      await account.update([], () => ({ delete: [name] }));
      if (withheld !== undefined) report(withheld, toHex(before.groupId));
    } catch (error) {
      waiting++;
      failures.push(error);
    }
  }
  return waiting;
}

/** Stores an invitation to wait; resolves with how many do. */
async function keep({ groupId, welcome, position }: Invitation, { shared, report }: InboxOptions): Promise<number> {
  const { account, suite, time } = { ...shared, suite: shared.account.suite };
  const name = account.waitingName(suite.hash.digest(welcome));
  let [count, given]: [number, readonly WaitingWelcome[]] = [0, []];
  await account.update([{ prefix: WAITING }], (snapshot) => {
    const waiting = waitingIn(snapshot);
    if (!waiting.has(name)) waiting.set(name, { groupId, welcome, position, spent: 0, at: momentOf(time) });
    const over = beyondRoom(waiting, name);
    [count, given] = [waiting.size - over.size, [...over.values()]];
    if (snapshot.records.has(name) && over.size === 0) return undefined;
    const kept = waiting.get(name);
    return { put: new Map(kept === undefined ? [] : [[name, waitingRecord.encode(kept)]]), delete: [...over.keys()] };
  });
  for (const one of given) report(tooMany(), toHex(one.groupId));
  return count;
}

const waitingIn = ({ records }: PartitionSnapshot): Map<string, WaitingWelcome> =>
  new Map([...records].map(([name, bytes]) => [name, waitingRecord.decode(bytes)]));

/** Those that have waited longest, as many as are too many; never the newest. */
function beyondRoom(waiting: ReadonlyMap<string, WaitingWelcome>, newest: string): ReadonlyMap<string, WaitingWelcome> {
  const over = new Map<string, WaitingWelcome>();
  let bytes = [...waiting.values()].reduce((sum, { welcome }) => sum + welcome.length, 0);
  const oldestFirst = [...waiting].sort(([, a], [, b]) => a.at - a.spent - (b.at - b.spent));
  for (const [name, one] of oldestFirst) {
    if (waiting.size - over.size <= MAX_WAITING && bytes <= MAX_WAITING_BYTES) break;
    if (name === newest) continue;
    over.set(name, one);
    bytes -= one.welcome.length;
  }
  return over;
}

const tooMany = (): CoppiceError =>
  clientError("ERR_CLIENT_DEVICE_LOG", "Too many invitations wait for device logs: the oldest was given up", {
    detail: { limit: MAX_WAITING, rule: "length" },
  });

/** Resolves once it was used, or its refusal was told; with what it has to wait for, if nothing but a device log is missing. */
async function take(
  invitation: Invitation,
  { shared, catchUp, onJoined, report }: InboxOptions,
): Promise<CoppiceError | undefined> {
  const id = toHex(invitation.groupId);
  let joined: string | undefined;
  try {
    await catchUp(id);
    joined = await join(invitation, shared);
  } catch (error) {
    if (shared.scope.ended) throw error;
    if (isWithheld(error)) return error;
    if (!isVerdict(error)) throw error;
    report(error, id);
    return undefined;
  }
  if (joined !== undefined) await onJoined(joined);
  return undefined;
}

/** Whether an invitation itself is at fault, rather than the store or the connection. */
function isVerdict(error: unknown): boolean {
  if (!isCoppiceError(error)) return error instanceof RangeError || error instanceof TypeError;
  if (retryInBackgroundAfter(error) !== undefined) return false;
  return (
    error.code.startsWith("ERR_MLS_") || error.code === "ERR_CLIENT_DEVICE_LOG" || error.code === "ERR_DS_DEVICE_LOG"
  );
}
