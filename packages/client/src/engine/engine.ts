/** The engine of a database: one account, its conversations, and, while it leads, the connection to the Delivery Service. */
import type { DeliveryService } from "@coppice/delivery/contract";
import {
  backoff,
  CoppiceError,
  isCoppiceError,
  Listeners,
  Retrying,
  untilAborted,
  type Backoff,
  type Scope,
  type Time,
} from "@coppice/kit";
import type { StoreChange } from "@coppice/storage";
import type { Account } from "../account/account.ts";
import { ClockWatch } from "../account/clock.ts";
import { refillPool } from "../account/key-packages.ts";
import type { People } from "../account/people.ts";
import { raiseRecovery, readRecovery } from "../account/recovery.ts";
import type { Client, Problem } from "../api.ts";
import type { Shared } from "../conversation/context.ts";
import { isForgotten, overdueError, type EngineConversation } from "../conversation/conversation.ts";
import { storeNewGroup } from "../conversation/create.ts";
import { closedError, retryAfter, retryInBackgroundAfter, rolledBackError } from "../errors.ts";
import { checkTitle } from "../names.ts";
import type { Pace } from "../pace.ts";
import { ACCOUNT } from "../records/account.ts";
import type { Alerts } from "./alerts.ts";
import { Conversations, idOf } from "./conversations.ts";
import { readInbox } from "./inbox.ts";
import { Leadership, OFFLINE, type Connection } from "./leader.ts";
import { Link } from "./link.ts";
import type { Peers } from "./peers.ts";
import { Session, type HostEvents, type SessionHost } from "./session.ts";

/** An engine: it serves any number of sessions, each for one page. */
export interface Engine {
  /** The user's name, in its normal form. */
  readonly name: string;
  /** This device, 32 hex digits. */
  readonly device: string;
  /** A client with listeners of its own. Closing it does not close the engine. */
  session(): Client;
  /** Ends all sessions, the connection and the store. Idempotent. */
  close(): Promise<void>;
}

export interface EngineParts {
  readonly account: Account;
  readonly people: People;
  readonly delivery: DeliveryService;
  readonly peers: Peers | undefined;
  readonly time: Time;
  readonly pace: Pace;
  readonly scope: Scope;
  readonly alerts: Alerts;
  /** Single-use key packages to keep published. */
  readonly keyPackages: number;
}

/** Milliseconds between looks at the clock, at logs and inbox whose events may be lost, and at the key packages. */
const ROUND = 600_000;

/** Between looks at invitations that wait for a device log. */
const LOOK_AGAIN: Backoff = { first: 60_000, longest: ROUND };

export class AccountEngine implements Engine, SessionHost {
  readonly events: SessionHost["events"] = new Listeners<HostEvents>(["appeared", "gone", "connection", "problem"]);
  readonly #parts: EngineParts;
  readonly #shared: Shared;
  readonly #conversations: Conversations;
  readonly #sessions = new Set<Session>();
  readonly #leadership: Leadership;
  readonly #link: Link;
  readonly #clock: ClockWatch;
  /** Invitations and key packages. */
  readonly #mail: Retrying;
  /** Looks in vain at invitations that wait for a device log. */
  #looks = 0;
  #lookingAgain = false;
  #recovery = 0;
  #connection: Connection = OFFLINE;
  #releaseStore: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { account, people, delivery, peers, time, pace, scope, alerts } = parts;
    const report = (error: unknown): void => {
      this.#report(error);
    };
    this.#shared = {
      ...{ account, people, delivery, time, pace, scope },
      recovery: () => this.#recovery,
      rolledBack: (seen) => this.#rolledBack(seen),
      isLeading: () => this.#leadership.leading,
    };
    this.#conversations = new Conversations({
      shared: this.#shared,
      onAppeared: (conversation) => {
        this.events.notify("appeared", conversation);
      },
      onGone: (conversation) => {
        this.events.notify("gone", conversation);
      },
      report: (error, id) => {
        this.#report(error, id);
      },
    });
    const work = (): Promise<void> => this.#readMail();
    this.#mail = new Retrying({ work, time, scope, backoff: pace.retry, retryAfter, report });
    const onMail = (): void => {
      if (this.#leadership.leading) this.#mail.kick();
    };
    this.#clock = new ClockWatch({ time, report, onJump: onMail });
    const onConnection = (connection: Connection): void => {
      this.#leadership.announce(connection);
      this.#connected(connection);
    };
    this.#link = new Link({
      ...{ delivery, people, time, scope, pace, report, onConnection, onMail },
      clock: this.#clock,
      conversations: this.#conversations,
    });
    this.#leadership = new Leadership({
      ...{ store: account.store, peers, time, scope },
      lead: () => this.#lead(),
      onConnection: (connection) => {
        this.#connected(connection);
      },
      onOverdue: (overdue) => {
        report(overdueError(overdue));
      },
    });
    alerts.connect((problem) => {
      const isHeard = [...this.#sessions].some(({ hearsProblems }) => hearsProblems);
      if (isHeard) this.events.notify("problem", problem);
      return isHeard;
    });
  }

  get name(): string {
    return this.#parts.account.user;
  }

  get user(): string {
    return this.#parts.account.user;
  }

  get device(): string {
    return this.#parts.account.device;
  }

  get online(): boolean {
    return this.#connection.online;
  }

  get conversations(): Iterable<EngineConversation> {
    return this.#conversations.all;
  }

  /** Loads the list of conversations and starts to follow the store and, as the leader, the Delivery Service. */
  async start(): Promise<void> {
    const { account, alerts } = this.#parts;
    this.#recovery = await readRecovery(account);
    this.#releaseStore = account.store.subscribe((change) => {
      void this.#followStore(change);
    });
    const { names, damaged } = await account.store.partitions();
    if (damaged > 0) alerts.report(lostPartitions(damaged));
    await this.#conversations.load(names);
    await this.#clock.remember(account);
    void this.#rounds().catch(() => undefined);
    this.#leadership.start();
  }

  session(): Client {
    return this.#begin(async (session) => {
      await this.#conversations.settleHandOvers();
      this.#sessions.delete(session);
    });
  }

  /** A session with which the engine ends. */
  soleSession(): Client {
    return this.#begin(() => this.close());
  }

  async createGroup(title: string | undefined, signal: AbortSignal | undefined): Promise<EngineConversation> {
    const id = await storeNewGroup(checkTitle(title ?? ""), this.#shared, signal);
    const conversation = await this.#conversations.open(id);
    if (conversation === undefined) throw new RangeError("A conversation that was just stored is there");
    conversation.sync.kick();
    return conversation;
  }

  async sync(signal: AbortSignal | undefined): Promise<void> {
    await untilAborted(this.#mail.run(), signal);
    const work = [...this.#conversations.all].map(({ sync }) => sync.run());
    await untilAborted(Promise.all(work), signal);
  }

  takeProblems(): readonly Problem[] {
    return this.#parts.alerts.take();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { account, delivery, peers, scope } = this.#parts;
    this.#releaseStore?.();
    await this.#conversations.settleHandOvers();
    scope.end(closedError());
    for (const session of this.#sessions) session.end();
    this.#sessions.clear();
    this.#link.close();
    peers?.close();
    await Promise.allSettled([delivery.close(), account.store.close()]);
  }

  #begin(onClose: (session: Session) => Promise<void>): Session {
    this.#parts.scope.throwIfEnded();
    const session = new Session(this, onClose);
    this.#sessions.add(session);
    return session;
  }

  /** Tells of a failure, unless the engine has ended. */
  #report(error: unknown, id?: string): void {
    const { alerts, scope } = this.#parts;
    if (!scope.ended) alerts.report(error, id);
  }

  async #followStore({ partition, version }: StoreChange): Promise<void> {
    const { account, scope } = this.#parts;
    if (scope.ended) return;
    const id = idOf(partition);
    try {
      if (partition === ACCOUNT) this.#setRecovery(await readRecovery(account));
      if (id === undefined) return;
      const known = this.#conversations.get(id);
      if (known !== undefined) known.announce(version);
      else await this.#take(id);
    } catch (error) {
      if (!isForgotten(error)) this.#report(error, id);
    }
  }

  /** Follows a conversation that another part or context has stored. */
  async #take(id: string): Promise<void> {
    const known = this.#conversations.get(id);
    const conversation = known ?? (await this.#conversations.open(id));
    await known?.refresh();
    if (this.#leadership.leading) conversation?.sync.connected(undefined);
  }

  /** Takes up conversations that other contexts stored without a word of it: they may have been killed, or frozen, in between. */
  async #takeUnknown(): Promise<void> {
    const { names } = await this.#parts.account.store.partitions();
    for (const id of names.flatMap((name) => idOf(name) ?? [])) {
      if (this.#conversations.get(id) === undefined) await this.#take(id);
    }
  }

  #lookAround(): void {
    this.#takeUnknown().catch((error: unknown) => {
      this.#report(error);
    });
  }

  /** Talks to the Delivery Service for all that are on the database. */
  #lead(): () => void {
    for (const conversation of this.#conversations.all) conversation.sync.disconnected();
    this.#lookAround();
    this.#link.open();
    for (const { sync } of this.#conversations.all) sync.considerProposals();
    return () => {
      this.#link.close();
    };
  }

  #connected(connection: Connection): void {
    const { online, transport } = this.#connection;
    if (online === connection.online && transport === connection.transport) return;
    this.#connection = connection;
    this.events.notify("connection", connection);
    if (!connection.online) return;
    for (const { sync } of this.#conversations.all) sync.retryNow();
  }

  /** Invitations first: they may be for key packages that are about to be deleted. */
  async #readMail(): Promise<void> {
    const { account, delivery, time, keyPackages: size, alerts } = this.#parts;
    const waiting = await readInbox({
      shared: this.#shared,
      catchUp: (id) => this.#catchUp(id),
      onJoined: (id) => this.#take(id),
      report: (error, id) => {
        alerts.report(error, id);
      },
    });
    await refillPool({ account, delivery, time, size });
    if (waiting === 0) this.#looks = 0;
    else this.#lookAgain();
  }

  /** Invitations wait for device logs: nothing tells when the directory shows them. */
  #lookAgain(): void {
    const { time, scope } = this.#parts;
    if (this.#lookingAgain) return;
    this.#lookingAgain = true;
    const look = (): void => {
      this.#lookingAgain = false;
      if (this.#leadership.leading) this.#mail.kick();
    };
    scope.sleep(time, backoff(time, LOOK_AGAIN, this.#looks++)).then(look, () => undefined);
  }

  /** If this device was removed in the meantime, the log says so, and it may join again. */
  async #catchUp(id: string): Promise<void> {
    try {
      await this.#conversations.get(id)?.sync.pull();
    } catch (error) {
      // The Delivery Service refuses the log, or nobody can follow it: then it has nothing to say.
      if (!isCoppiceError(error) || retryInBackgroundAfter(error) !== undefined) throw error;
    }
  }

  async #rounds(): Promise<void> {
    const { account, time, scope } = this.#parts;
    for (;;) {
      await scope.sleep(time, ROUND);
      this.#clock.check();
      if (!this.#leadership.leading) continue;
      await this.#clock.remember(account).catch(() => undefined);
      this.#link.check();
      this.#lookAround();
      this.#mail.kick();
    }
  }

  async #rolledBack(seen: number): Promise<void> {
    const count = await raiseRecovery(this.#parts.account, seen);
    if (this.#setRecovery(count)) this.#parts.alerts.report(rolledBackError());
  }

  /** Whether it has grown. */
  #setRecovery(count: number): boolean {
    if (count <= this.#recovery) return false;
    this.#recovery = count;
    for (const conversation of this.#conversations.all) conversation.recoveryChanged();
    return true;
  }
}

const lostPartitions = (count: number): CoppiceError =>
  new CoppiceError("ERR_STORE_CORRUPT", `${count} stored rows are damaged beyond their names: what they held is lost`, {
    detail: { count },
  });
