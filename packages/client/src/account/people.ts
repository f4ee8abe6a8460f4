/**
 * Who is who: the device logs of users, pinned as they were last seen. A log is fetched and verified outside all locks; what
 * was pinned is followed, and never replaced by another one.
 */
import { equalBytes } from "@coppice/core";
import { verifyDeviceLog, type DeliveryService, type DeviceLog, type DeviceLogEntry } from "@coppice/delivery/contract";
import { isCoppiceError, mapLimit, untilAborted, type CoppiceError, type Time } from "@coppice/kit";
import { clientError, isTransient, isWithheld } from "../errors.ts";
import { pinRecord } from "../records/account.ts";
import type { Account } from "./account.ts";

/** A user whose log has to reach a position. */
export interface LogNeed {
  readonly user: string;
  readonly position: number;
}

export interface PeopleOptions {
  readonly account: Account;
  readonly delivery: DeliveryService;
  readonly time: Time;
  /** Told of a log that was forged, forked or rolled back. */
  readonly report: (error: CoppiceError) => void;
}

/** Entries of one answer. */
const PAGE = 256;
/** Entries that a log may have. */
const MAX_ENTRIES = 10_000;
/** Logs that are fetched at once. */
const AT_ONCE = 32;
/** Logs that are kept in memory; the others are read again. */
const MAX_KNOWN = 16_384;
/** Milliseconds for which a log that was refused is not asked for again. */
const REFUSED_FOR = 60_000;
/** Contexts that may pin the same user's log in between. */
const MAX_RACES = 8;

interface Refusal {
  readonly error: CoppiceError;
  /** By `Time.elapsed`. */
  readonly until: number;
}

/** A log that is verified. */
interface Unpinned {
  readonly log: DeviceLog;
  /** What it was verified against. */
  readonly pinned: DeviceLog | undefined;
  readonly resolve: (other: DeviceLog | undefined) => void;
  readonly reject: (error: Error) => void;
}

export class People {
  readonly #options: PeopleOptions;
  readonly #known = new Map<string, DeviceLog>();
  readonly #refused = new Map<string, Refusal>();
  readonly #unpinned: Unpinned[] = [];
  #pinning = false;
  /** What is being learnt, to be asked for once; each asks for the longest log wanted at its start. */
  #gathering: { readonly needs: Map<string, number>; readonly done: Promise<void> } | undefined;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  /** The log, if it is in memory and long enough. Throws what it was refused for. */
  known({ user, position }: LogNeed): DeviceLog | undefined {
    const log = this.#known.get(user);
    if (log !== undefined && log.position >= position) return log;
    const refusal = this.#refused.get(user);
    if (refusal !== undefined && refusal.until > this.#options.time.elapsed()) throw refusal.error;
    return undefined;
  }

  /** The log, from memory, the store or the directory; see `learn`. */
  async log(need: LogNeed, signal?: AbortSignal): Promise<DeviceLog> {
    const before = this.known(need);
    if (before !== undefined) return before;
    await this.learn([need], signal);
    const log = this.known(need);
    if (log === undefined) throw new RangeError("A device log that was learnt is known or refused");
    return log;
  }

  /**
   * Makes logs known, or refused: see `known`. Rejects if the directory cannot be asked now. Calls at the same moment are one.
   */
  learn(needs: readonly LogNeed[], signal?: AbortSignal): Promise<void> {
    const wanted = needs.filter((need) => !this.#isSettled(need));
    if (wanted.length === 0) return Promise.resolve();
    this.#gathering ??= this.#gather();
    const { needs: gathered, done } = this.#gathering;
    for (const { user, position } of wanted) gathered.set(user, Math.max(position, gathered.get(user) ?? 0));
    return untilAborted(done, signal);
  }

  /** Looks whether a log that is pinned has grown. */
  async follow(user: string): Promise<void> {
    const pinned = (await this.#readPins([user])).get(user);
    if (pinned !== undefined) await this.#fetch({ user, position: pinned.position }, pinned);
  }

  /** Roots of the logs of these users. */
  async roots(users: readonly string[], signal?: AbortSignal): Promise<readonly DeviceLog["root"][]> {
    await this.learn(
      users.map((user) => ({ user, position: 0 })),
      signal,
    );
    return Promise.all(users.map(async (user) => (await this.log({ user, position: 0 }, signal)).root));
  }

  #isSettled(need: LogNeed): boolean {
    try {
      return this.known(need) !== undefined;
    } catch {
      return true;
    }
  }

  #gather(): { readonly needs: Map<string, number>; readonly done: Promise<void> } {
    const needs = new Map<string, number>();
    const done = Promise.resolve().then(async () => {
      this.#gathering = undefined;
      const pins = await this.#readPins([...needs.keys()]);
      const missing = [...needs].filter(([user, position]) => (pins.get(user)?.position ?? -1) < position);
      await mapLimit(missing, AT_ONCE, ([user, position]) => this.#fetch({ user, position }, pins.get(user)));
    });
    return { needs, done };
  }

  /** A damaged pin is as good as none: the log is fetched again. */
  async #readPins(users: readonly string[]): Promise<ReadonlyMap<string, DeviceLog>> {
    const { account } = this.#options;
    const { records } = await account.read(
      users.map((user) => {
        const name = account.pinName(user);
        return { prefix: name, before: `${name}\0` };
      }),
    );
    const pins = [...records.values()].map((bytes) => pinRecord.decode(bytes));
    for (const pin of pins) this.#remember(pin);
    return new Map(pins.map((pin) => [pin.user, pin]));
  }

  /** Fetches what is new of a log, and pins it. A refusal is remembered. */
  async #fetch({ user, position }: LogNeed, pinned: DeviceLog | undefined): Promise<void> {
    const { delivery, time, report } = this.#options;
    try {
      let log = pinned;
      for (let race = 0; race < MAX_RACES; race++) {
        const entries = await readEntries(delivery, user, log?.position ?? 0);
        if (entries.length === 0 && log === undefined) throw tooShort(user, position);
        const verified = await verifyDeviceLog(entries, { user, pinned: log });
        if (verified.position < position) throw tooShort(user, position);
        const other = await this.#pin(verified, log);
        if (other === undefined) return;
        log = other;
      }
    } catch (error) {
      if (!isVerdict(error)) throw error;
      const refusal = asRefusal(error, { user, position });
      const isTold = isSameRefusal(this.#refused.get(user)?.error, refusal);
      this.#refused.set(user, { error: refusal, until: time.elapsed() + REFUSED_FOR });
      if (isCoppiceError(refusal, "ERR_CLIENT_DEVICE_LOG") && !isTold) report(refusal);
    }
  }

  /** Pins a log, unless another context has pinned meanwhile what it was not verified against: that one is returned. */
  #pin(log: DeviceLog, pinned: DeviceLog | undefined): Promise<DeviceLog | undefined> {
    return new Promise((resolve, reject) => {
      this.#unpinned.push({ log, pinned, resolve, reject });
      if (!this.#pinning) void this.#pinAll();
    });
  }

  /** What comes while one write is going on is in the next one: each by itself, they would meet one another's. */
  async #pinAll(): Promise<void> {
    this.#pinning = true;
    while (this.#unpinned.length > 0) {
      const batch = this.#unpinned.splice(0);
      try {
        const others = await this.#store(batch);
        for (const [i, { log, resolve }] of batch.entries()) {
          if (others[i] === undefined) this.#remember(log);
          resolve(others[i]);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
    this.#pinning = false;
  }

  /** Resolves with what other contexts have pinned instead. */
  async #store(batch: readonly Unpinned[]): Promise<readonly (DeviceLog | undefined)[]> {
    const { account } = this.#options;
    const names = batch.map(({ log }) => account.pinName(log.user));
    const ranges = names.map((name) => ({ prefix: name, before: `${name}\0` }));
    let others: readonly (DeviceLog | undefined)[] = [];
    await account.update(ranges, ({ records }) => {
      const put = new Map<string, Uint8Array>();
      others = batch.map(({ log, pinned }, i) => {
        const name = names[i] ?? "";
        const stored = records.get(name);
        const now = stored === undefined ? undefined : pinRecord.decode(stored);
        if (now !== undefined && !isSame(now, pinned) && !isSame(now, log)) return now;
        if (!isSame(now, log)) put.set(name, pinRecord.encode(log));
        return undefined;
      });
      return put.size === 0 ? undefined : { put };
    });
    return others;
  }

  #remember(log: DeviceLog): void {
    this.#known.delete(log.user);
    this.#known.set(log.user, log);
    this.#refused.delete(log.user);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
  }
}

const isSame = (a: DeviceLog | undefined, b: DeviceLog | undefined): boolean =>
  a !== undefined && b !== undefined && a.position === b.position && equalBytes(a.head, b.head);

/** Whether a person was told of it: what waits for a log that is withheld asks for it again and again. */
const isSameRefusal = (before: CoppiceError | undefined, now: CoppiceError): boolean =>
  isWithheld(before) && isWithheld(now) && before.detail["rule"] === now.detail["rule"];

/** Entries from a position to the end. */
async function readEntries(delivery: DeliveryService, user: string, from: number): Promise<DeviceLogEntry[]> {
  const entries: DeviceLogEntry[] = [];
  while (entries.length <= MAX_ENTRIES) {
    const page = await delivery.readDeviceLog({ user, from: from + entries.length });
    entries.push(...page);
    if (page.length < PAGE) break;
  }
  return entries;
}

function tooShort(user: string, position: number, cause?: CoppiceError): CoppiceError {
  return clientError("ERR_CLIENT_DEVICE_LOG", `The directory withholds a part of the device log of ${user}`, {
    detail: { user, position, rule: "length" },
    cause,
  });
}

/** Whether the log, or the directory's word on it, is at fault, rather than the connection or the store. */
const isVerdict = (error: unknown): error is CoppiceError =>
  isCoppiceError(error) &&
  (error.code === "ERR_CLIENT_DEVICE_LOG" || error.code.startsWith("ERR_DS_")) &&
  error.code !== "ERR_DS_CLOSED" &&
  !isTransient(error);

/**
 * What is wrong with the log, in the client's words; what else the directory says, as it is. A user of whom it says that there is none
 * has a leaf, and had a log.
 */
function asRefusal(error: CoppiceError, { user, position }: LogNeed): CoppiceError {
  if (error.code === "ERR_DS_UNKNOWN_USER") return tooShort(user, position, error);
  if (error.code !== "ERR_DS_DEVICE_LOG") return error;
  const rule = error.detail["rule"];
  return clientError("ERR_CLIENT_DEVICE_LOG", `The device log of ${user} cannot be trusted: ${error.message}`, {
    detail: { user, rule: typeof rule === "string" ? rule : "" },
    cause: error,
  });
}
