/**
 * A conversation's work with the Delivery Service. The leader follows the log by events, posts what waits, and finishes commits; it
 * goes on until nothing is left, and again after each failure. Other contexts work only for calls of their own.
 */
import type { LogEntry, LogPosition } from "@coppice/delivery/contract";
import { CoppiceError, isCoppiceError, Retrying, SingleFlight } from "@coppice/kit";
import { momentOf } from "../account/clock.ts";
import type { ConversationStatus } from "../api.ts";
import { clientError, isWithheld, retryInBackgroundAfter } from "../errors.ts";
import { isOver, LOG_PATIENCE, waitAt } from "../patience.ts";
import { AutoCommit } from "./auto-commit.ts";
import { commit, groupInfoOf, settlePending, type CommitRequest } from "./commit-pipeline.ts";
import type { Context } from "./context.ts";
import { Incoming } from "./incoming.ts";
import { rosterOf } from "./roster.ts";
import { nextSeq } from "./position.ts";
import { Posting } from "./posting.ts";
import { processEntries, processTold } from "./receive.ts";
import { rejoin, resume } from "./recovery.ts";
import { statusOf } from "./snapshot.ts";

const LOG_PAGE = 256;
/** Entries of one turn: others get theirs in between. */
const BATCH = 64;
/** Milliseconds within which an event tells of an entry before an own one. */
const GAP_PATIENCE = 2000;

export class Sync {
  readonly #context: Context;
  readonly #settling: SingleFlight<void>;
  readonly #pulling: SingleFlight<void>;
  readonly #retrying: Retrying;
  readonly #incoming: Incoming;
  readonly #posting: Posting;
  readonly #autoCommit: AutoCommit;
  /** Whether the log was read to its end since connecting, and followed by events from there. */
  #caughtUp = false;
  /** Times that events could not be followed. */
  #losses = 0;
  /** The log being read. */
  #reading: Promise<void> = Promise.resolve();

  constructor(context: Context) {
    this.#context = context;
    const { turns, time, scope, pace, report } = context;
    this.#pulling = new SingleFlight(() => {
      this.#reading = this.#watching(() => this.#pullAll());
      return this.#reading;
    });
    this.#settling = new SingleFlight(() => this.#watching(() => settlePending(context, () => this.pull())));
    this.#posting = new Posting(context, () => this.pull());
    this.#incoming = new Incoming(context, {
      process: (entries) =>
        this.#watching(async () => {
          await turns.transact((transaction) => processTold(transaction, entries, context));
        }),
      posted: () => this.#posting.settled(),
      pulled: () => this.#reading.catch(() => undefined),
      pull: () => this.pull(),
      lost: () => {
        this.#losses++;
        this.#caughtUp = false;
        this.kick();
      },
    });
    this.#autoCommit = new AutoCommit(context, () => this.#commitProposals());
    const work = (): Promise<void> => this.#watching(() => this.#untilUnsure());
    this.#retrying = new Retrying({ work, time, scope, backoff: pace.retry, retryAfter: retryLater, report });
  }

  /** Whether what is sealed now can leave now: this is the leader, and it is where the log is. */
  get canPostNow(): boolean {
    return this.#caughtUp && this.#context.isLeading();
  }

  /**
   * The connection came up, or it is time to look after it; the log is at this position, if that is known. Does what there is to do
   * as far as that is known without reading; otherwise returns false: see `lookAfter`.
   */
  connected(newest: LogPosition | undefined): boolean {
    const { turns, recovery } = this.#context;
    turns.check();
    const { summary, work } = turns.known;
    const { position, queued, pending, leaving } = summary;
    this.#caughtUp =
      position !== undefined &&
      newest !== undefined &&
      newest.incarnation === position.incarnation &&
      newest.seq === nextSeq(summary) - 1;
    const { status } = statusOf(summary, recovery());
    const isLeaving = leaving && status === "active";
    const isIdle = work === undefined && queued === 0 && pending === undefined && !isLeaving;
    const isQuiet = this.#caughtUp && isIdle && status !== "recovering";
    if (!isQuiet) this.kick();
    return !isQuiet;
  }

  /** As the leader: does what other contexts left to be done without a word of it, and resolves, or goes on until it succeeds. */
  async lookAfter(): Promise<void> {
    if (!this.#context.isLeading()) return;
    await this.#retrying.run().catch(() => {
      this.kick();
    });
  }

  disconnected(): void {
    this.#caughtUp = false;
    this.#incoming.clear();
  }

  /** Something new in the log, by an event. */
  receive(position: LogPosition, entry: LogEntry | undefined): void {
    if (statusOf(this.#context.turns.known.summary, this.#context.recovery()).status === "active") {
      this.#incoming.add(position, entry);
    }
  }

  /** Reads the log to its end. */
  pull(): Promise<void> {
    return this.#pulling.run();
  }

  /** Reads the log to its end and does all there is to do, once. */
  run(): Promise<void> {
    this.#caughtUp = false;
    return this.#retrying.run();
  }

  /** As the leader: does all there is to do, soon, and again until it succeeds. */
  kick(): void {
    if (this.#context.isLeading()) this.#retrying.kick();
  }

  /** Ends the waits of calls that could not reach the Delivery Service. */
  retryNow(): void {
    this.#retrying.wake();
  }

  commit(request: CommitRequest): Promise<void> {
    return this.#watching(() =>
      commit(this.#context, request, {
        catchUp: () => this.#catchUp(),
        pull: () => this.pull(),
        settle: () => this.#settling.run(),
        retryWait: (failures, signal, atLeast) => this.#retrying.wait(failures, signal, atLeast),
      }),
    );
  }

  /** As the leader: commits what others have proposed, sooner or later by this member's place among them. */
  considerProposals(): void {
    this.#autoCommit.consider();
  }

  /** Joins again under new keys; see `rejoin`. */
  async rejoin(signal?: AbortSignal): Promise<void> {
    const { turns, recovery } = this.#context;
    const { problem } = statusOf(turns.known.summary, recovery());
    const { epoch, status } = turns.known.summary;
    await rejoin(this.#context, {
      reason: problem ?? "ERR_CLIENT_INTERNAL",
      expected: undefined,
      // Who decides to join in spite of a log that was restored gets an earlier epoch.
      epoch: status === "recovering" || problem === "ERR_CLIENT_LOG_CHANGED" ? 0n : epoch,
      accepted: problem === "ERR_CLIENT_ROLLED_BACK" ? () => this.#readOut() : undefined,
      signal,
    });
    this.kick();
  }

  /** Where an answer is lost, the log tells what became of the request. */
  async #untilUnsure(): Promise<void> {
    try {
      await this.#work();
    } catch (error) {
      this.#caughtUp = false;
      throw error;
    }
  }

  async #work(): Promise<void> {
    const { turns, recovery } = this.#context;
    const { status } = statusOf(turns.known.summary, recovery());
    if (status === "recovering") await this.#recover();
    else if (status !== "active") return;
    try {
      await this.#catchUp();
    } catch (error) {
      // Nothing can be read for now. What was written in the epoch that this device is in still leaves: members open it.
      if (isWithheld(error)) await this.#posting.run();
      throw error;
    }
    await this.#settling.run();
    while ((await this.#posting.run()) === "blocked") await this.#commitProposals();
    this.#lookForGap();
  }

  /** Own messages have a later place in the log than others are known for: the events between them may be lost. */
  #lookForGap(): void {
    const { turns, scope, time, isLeading } = this.#context;
    const { position, own } = turns.known.summary;
    if (own.length === 0 || !isLeading()) return;
    const check = (): void => {
      if (turns.known.summary.position?.seq !== position?.seq) return;
      this.#caughtUp = false;
      this.kick();
    };
    void scope.sleep(time, GAP_PATIENCE).then(check, () => undefined);
  }

  async #commitProposals(): Promise<void> {
    await this.commit({ intent: { operation: "update" }, update: "commit", signal: undefined });
  }

  async #catchUp(): Promise<void> {
    await this.#register();
    if (!this.canPostNow) await this.pull();
  }

  async #register(): Promise<void> {
    const { turns, delivery, groupId, account } = this.#context;
    if (turns.known.summary.position !== undefined) return;
    const state = await turns.transact((transaction) => transaction.group());
    const groupInfo = await groupInfoOf(state, account.signer);
    const { incarnation } = await delivery.createGroup({ groupId, groupInfo });
    await turns.transact((transaction) => {
      if (transaction.summary.position === undefined) transaction.setSummary({ position: { incarnation, seq: 0 } });
    });
  }

  async #pullAll(): Promise<void> {
    const losses = this.#losses;
    const isRead = await this.#lookingOut(() => this.#readPages("active"));
    if (isRead) this.#caughtUp = losses === this.#losses;
  }

  /** Reads the log as long as the conversation has this status; resolves with whether to its end. */
  async #readPages(status: ConversationStatus): Promise<boolean> {
    const { turns, delivery, groupId, recovery } = this.#context;
    for (;;) {
      const { summary } = turns.known;
      const after = summary.position;
      if (after === undefined || statusOf(summary, recovery()).status !== status) return false;
      const { entries, lastSeq, incarnation } = await delivery.readLog({ groupId, after, limit: LOG_PAGE });
      if (incarnation !== after.incarnation) throw logChanged();
      for (let start = 0; start < entries.length; start += BATCH)
        if (!(await this.#process(entries.slice(start, start + BATCH)))) return false;
      const last = entries.at(-1)?.seq ?? lastSeq;
      if (entries.length === 0 || last >= lastSeq) return true;
      if (last <= after.seq) throw new CoppiceError("ERR_DS_INTERNAL", "The Delivery Service repeats a page of a log");
    }
  }

  /**
   * Reads what a state that was rolled back can still read, since the one that comes after it cannot. Whatever else is wrong with
   * that state, the way back is the same. Rejects if the Delivery Service cannot be reached now, and with `ERR_DS_FORBIDDEN`.
   */
  async #readOut(): Promise<void> {
    try {
      await this.#readPages("recovering");
    } catch (error) {
      if (!isCoppiceError(error) || isCoppiceError(error, "ERR_DS_FORBIDDEN")) throw error;
      if (retryLater(error) !== undefined) throw error;
    }
  }

  /** A Delivery Service that does not know the group, or this device in it, has lost what nobody else can restore. */
  async #lookingOut<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (isCoppiceError(error, "ERR_DS_FORBIDDEN")) await this.#giveUp(error.code);
      throw error;
    }
  }

  async #giveUp(problem: string): Promise<void> {
    await this.#context.turns.transact((transaction) => {
      transaction.setSummary({ status: "broken", problem });
    });
  }

  /** Resolves with whether the end was reached; rejects with what kept an entry waiting, once those before it are stored. */
  async #process(entries: readonly LogEntry[]): Promise<boolean> {
    const { turns } = this.#context;
    const processed = await turns.transact((transaction) => processEntries(transaction, entries, this.#context));
    if (processed.kind === "waiting") throw processed.withheld;
    return processed.kind === "all";
  }

  /** A state that is too old stops everything; a log that is another one has to be joined anew. */
  async #watching<T>(work: () => Promise<T>): Promise<T> {
    const { turns, rolledBack } = this.#context;
    // What is joined again meanwhile is not what the work found to be too old.
    const { recovery } = turns.known.summary;
    try {
      return await work();
    } catch (error) {
      if (isCoppiceError(error, "ERR_CLIENT_ROLLED_BACK")) await rolledBack(recovery);
      if (isCoppiceError(error, "ERR_DS_LOG_CHANGED")) await this.#noteChange(error);
      throw error;
    }
  }

  async #noteChange(cause: CoppiceError): Promise<void> {
    const { turns, report, recovery } = this.#context;
    const noted = await turns.transact((transaction) => {
      if (statusOf(transaction.summary, recovery()).status !== "active") return false;
      transaction.setSummary({ status: "recovering", problem: "ERR_CLIENT_LOG_CHANGED" });
      return true;
    });
    this.#caughtUp = false;
    if (noted) report(changedLog(cause));
    this.kick();
  }

  async #recover(): Promise<void> {
    const { turns, recovery } = this.#context;
    const { problem } = statusOf(turns.known.summary, recovery());
    const isLogChange = problem === "ERR_CLIENT_LOG_CHANGED";
    const isRolledBack = problem === "ERR_CLIENT_ROLLED_BACK";
    try {
      if (isRolledBack) await this.#readOut();
      // What was read may end it: the removal of this device.
      if (statusOf(turns.known.summary, recovery()).status !== "recovering") return;
      if (isLogChange && (await resume(this.#context))) return;
      await rejoin(this.#context, {
        reason: problem ?? "ERR_CLIENT_INTERNAL",
        expected: isLogChange ? await this.#people() : undefined,
        epoch: isLogChange ? 0n : turns.known.summary.epoch,
        accepted: isRolledBack ? () => this.#readOut() : undefined,
        signal: undefined,
      });
    } catch (error) {
      const isFinal = isWithheld(error) && (await this.#hasWaited());
      if (!isFinal && (retryLater(error) !== undefined || !isCoppiceError(error))) throw error;
      if (isCoppiceError(error, "ERR_DS_FORBIDDEN") && !isLogChange) {
        await turns.transact((transaction) => {
          transaction.setSummary({ status: "removed", problem: undefined });
        });
      } else await this.#giveUp(error.code);
      throw error;
    }
  }

  /** Whether the way back was held up by device logs that the directory withholds for as long as anything is. */
  #hasWaited(): Promise<boolean> {
    const { turns, time } = this.#context;
    return turns.transact((transaction) => {
      const { position } = transaction.summary;
      const waited = waitAt(position?.seq ?? 0, transaction.wait, momentOf(time));
      if (waited !== transaction.wait) transaction.setWait(waited);
      return isOver(waited, LOG_PATIENCE);
    });
  }

  /** Who is in the group as this client knows it. */
  async #people(): Promise<ReadonlySet<string>> {
    const state = await this.#context.turns.transact((transaction) => transaction.group());
    return new Set(rosterOf(state).keys());
  }
}

/** Joining again is tried until it succeeds. */
const retryLater = (error: unknown): number | undefined =>
  isCoppiceError(error, "ERR_CLIENT_CONFLICT") ? 0 : retryInBackgroundAfter(error);

const logChanged = (): CoppiceError =>
  new CoppiceError("ERR_DS_LOG_CHANGED", "The group's log is another one than was seen last");

const changedLog = (cause: CoppiceError): CoppiceError =>
  clientError(
    "ERR_CLIENT_LOG_CHANGED",
    "The server restored or rolled back a group's log: this device joins it again",
    {
      cause,
    },
  );
