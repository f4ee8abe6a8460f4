/**
 * Which engine on a database talks to the Delivery Service: the one that holds the store's lock `leader`. One that is silent
 * is replaced by stealing the lock; when it wakes, it finds that it lost it. Two leaders for a moment do no harm: all they
 * write goes through the store's compare-and-swap.
 */
import { isCoppiceError, jitter, type Overdue, type Scope, type Time } from "@coppice/kit";
import type { Store } from "@coppice/storage";
import { parsePeerMessage, type PeerMessage, type Peers } from "./peers.ts";

/** The connection to the Delivery Service, as all engines know it. */
export interface Connection {
  readonly online: boolean;
  readonly transport: "websocket" | "polling" | undefined;
}

export const OFFLINE: Connection = { online: false, transport: undefined };

export interface LeadershipOptions {
  readonly store: Store;
  /** Undefined where there can be no other engine. */
  readonly peers: Peers | undefined;
  readonly time: Time;
  readonly scope: Scope;
  /** Starts to lead; what it returns ends that. */
  readonly lead: () => () => void;
  /** Told, as a follower, of the leader's connection. */
  readonly onConnection: (connection: Connection) => void;
  /** Told when a silent leader is replaced. */
  readonly onOverdue: (overdue: Overdue) => void;
}

/**
 * Milliseconds between looks at the leader. With what comes after, the locks that it holds and the work that it left, its silence is
 * to be over within 5 s.
 */
const LOOK = 700;

/** Looks without a sign of life before a leader is replaced: 2.8 to 3.5 seconds of silence. */
const MISSES = 4;

/** Milliseconds over which followers spread out, so that one of them replaces the leader and the others hear of it. */
const SPREAD = 300;

export class Leadership {
  readonly #options: LeadershipOptions;
  #leading = false;
  /** Ends the wait for the lock, to steal it. */
  #queued = new AbortController();
  #stealing = false;
  #heard = false;
  #asked = false;
  #connection: Connection = OFFLINE;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** Stands for election until the scope ends. */
  start(): void {
    const { peers } = this.#options;
    peers?.subscribe((data) => {
      const message = parsePeerMessage(data);
      if (message !== undefined) this.#receive(message);
    });
    void this.#campaign();
    if (peers !== undefined) void this.#watch(peers);
  }

  /** Tells the followers how the leader's connection is. */
  announce(connection: Connection): void {
    if (!this.#leading) return;
    this.#connection = connection;
    this.#options.peers?.post({ kind: "leader", ...connection });
  }

  async #campaign(): Promise<void> {
    const { store, time, scope, onOverdue } = this.#options;
    while (!scope.ended) {
      this.#queued = new AbortController();
      const steal = this.#stealing;
      this.#stealing = false;
      const options = steal ? { patience: 0, onOverdue } : { signal: this.#queued.signal };
      try {
        await store.exclusive("leader", (lost) => this.#lead(lost), options);
      } catch (error) {
        if (isCoppiceError(error, "ERR_STORE_CLOSED")) return;
        if (!this.#isStealing()) await scope.sleep(time, LOOK).catch(() => undefined);
      }
    }
  }

  /** Holds the lock until it is lost or the engine ends. */
  async #lead(lost: AbortSignal): Promise<void> {
    const { lead, scope } = this.#options;
    if (scope.ended) return;
    this.#leading = true;
    this.announce(OFFLINE);
    const stop = lead();
    await scope.run(new Promise<never>(() => undefined), lost).catch(() => undefined);
    this.#leading = false;
    stop();
  }

  #receive(message: PeerMessage): void {
    if (message.kind === "ping") {
      this.#asked = true;
      if (this.#leading) this.announce(this.#connection);
      return;
    }
    if (this.#leading) return;
    this.#heard = true;
    this.#options.onConnection({ online: message.online, transport: message.transport });
  }

  /** Counts looks rather than measuring time: a follower that was frozen itself has seen no silence. */
  async #watch(peers: Peers): Promise<void> {
    const { time, scope } = this.#options;
    let misses = 0;
    for (;;) {
      await scope.sleep(time, LOOK).catch(() => undefined);
      if (scope.ended) return;
      misses = this.#leading || this.#heard ? 0 : misses + 1;
      this.#heard = false;
      if (misses >= MISSES) {
        await scope.sleep(time, jitter(time, SPREAD)).catch(() => undefined);
        misses = 0;
        if (!this.#isHeard()) this.#steal();
      } else if (!this.#leading && !this.#asked) {
        peers.post({ kind: "ping" });
      }
      this.#asked = false;
    }
  }

  /** May have changed during a wait. */
  #isHeard(): boolean {
    return this.#heard || this.#leading;
  }

  #isStealing(): boolean {
    return this.#stealing;
  }

  #steal(): void {
    this.#stealing = true;
    this.#queued.abort(new Error("The leader is silent: its lock is stolen"));
  }
}
