/**
 * Events while somebody listens: over one WebSocket, opened again whenever it breaks. Where it does not open although the
 * server answers (a Content Security Policy, a proxy, Node without WebSocket), events come by long polling, and the WebSocket
 * is tried again from time to time.
 */
import { anySignal, backoff, sleep, type Backoff, type Time } from "@coppice/kit";
import type { DeliveryEvent } from "../contract.ts";
import { EventListeners } from "../event-listeners.ts";
import { EVENTS_PATH, type EventFrame } from "../wire/events.ts";
import { poll } from "./polling.ts";
import type { Session } from "./session.ts";
import { serveSocket, type SocketEnd, type WebSocketConstructor } from "./socket.ts";

/** Waits between attempts to connect, milliseconds. */
const RECONNECT: Backoff = { first: 250, longest: 30_000 };

/** Waits between attempts to get back to a WebSocket while polling works, milliseconds. */
const UPGRADE: Backoff = { first: 30_000, longest: 600_000 };

/** The longest that a WebSocket may take to open before polling is tried, milliseconds. */
const OPEN_PATIENCE_MS = 10_000;

/** Browsers and workers tell when the network comes and goes, Node does not. */
const network: Partial<Pick<typeof globalThis, "addEventListener" | "removeEventListener">> = globalThis;

/** Read anew: an abort may come during every wait. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

export interface EventStreamOptions {
  /** The server's, in normal form. */
  readonly url: string;
  readonly session: Session;
  /** Undefined where there is none: events come by polling. */
  readonly WebSocket: WebSocketConstructor | undefined;
  readonly time: Time;
  readonly timeout: number;
}

export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #url: URL;
  readonly #listeners = new EventListeners();
  /** Runs while somebody listens. */
  #run: AbortController | undefined;
  /** There while a connection is up or coming up. */
  #connection: AbortController | undefined;
  /** There during a pause. */
  #pause: AbortController | undefined;
  #failures = 0;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#url = new URL(EVENTS_PATH, options.url);
    this.#url.protocol = this.#url.protocol === "https:" ? "wss:" : "ws:";
  }

  subscribe(listener: (event: DeliveryEvent) => void): () => void {
    const release = this.#listeners.add(listener);
    if (this.#run === undefined) this.#start();
    return () => {
      release();
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#stop();
  }

  #start(): void {
    this.#run = new AbortController();
    this.#failures = 0;
    // These save the rest of a pause, or the wait for a missed heartbeat.
    network.addEventListener?.("online", this.#onNetworkUp);
    network.addEventListener?.("offline", this.#onNetworkDown);
    void this.#keepConnected(this.#run.signal);
  }

  #stop(): void {
    network.removeEventListener?.("online", this.#onNetworkUp);
    network.removeEventListener?.("offline", this.#onNetworkDown);
    this.#run?.abort();
    this.#run = undefined;
    this.#listeners.reset();
  }

  readonly #onNetworkUp = (): void => {
    this.#failures = 0;
    this.#pause?.abort();
  };

  readonly #onNetworkDown = (): void => {
    this.#connection?.abort();
  };

  async #keepConnected(run: AbortSignal): Promise<void> {
    while (!run.aborted) {
      this.#connection = new AbortController();
      const { signal, release } = anySignal(run, this.#connection.signal);
      await this.#connect(signal).catch(() => undefined);
      release();
      if (isOver(run)) return;
      this.#listeners.offline();
      // A name that belongs to someone else will not become ours by asking again.
      if (this.#options.session.refusal !== undefined) return;
      const { time } = this.#options;
      this.#pause = new AbortController();
      await sleep(time, backoff(time, RECONNECT, this.#failures++), this.#pause.signal, run).catch(() => undefined);
      this.#pause = undefined;
    }
  }

  /** One connection, over whatever gets through. Settles when it has ended. */
  async #connect(signal: AbortSignal): Promise<void> {
    if ((await this.#serveSocket(signal)) !== "unopened" || signal.aborted) return;
    // Whichever ends the other: a poll that fails, or a WebSocket that opens.
    const polling = new AbortController();
    const upgrading = new AbortController();
    const forPolling = anySignal(signal, polling.signal);
    const forUpgrade = anySignal(signal, upgrading.signal);
    const upgraded = this.#upgrade(forUpgrade.signal, () => {
      polling.abort();
    }).catch(() => undefined);
    try {
      await this.#poll(forPolling.signal);
    } catch {
      // Whether it failed, or was ended by an open WebSocket: that one is served to its end.
      if (!polling.signal.aborted) upgrading.abort();
      await upgraded;
    } finally {
      forPolling.release();
      forUpgrade.release();
    }
  }

  /** Tries the WebSocket again until it opens, tells so and serves it. */
  async #upgrade(signal: AbortSignal, onOpen: () => void): Promise<void> {
    const { time, WebSocket } = this.#options;
    if (WebSocket === undefined) return;
    for (let failures = 0; !signal.aborted; failures++) {
      await sleep(time, backoff(time, UPGRADE, failures), signal).catch(() => undefined);
      if (isOver(signal) || (await this.#serveSocket(signal, onOpen)) !== "unopened") return;
    }
  }

  async #serveSocket(signal: AbortSignal, onOpen: () => void = () => undefined): Promise<SocketEnd> {
    const { session, time, timeout, WebSocket } = this.#options;
    const token = await session.token(signal);
    if (WebSocket === undefined) return "unopened";
    const end = await serveSocket({
      WebSocket,
      url: this.#url,
      token,
      time,
      patience: Math.min(timeout, OPEN_PATIENCE_MS),
      signal,
      onReady: () => {
        onOpen();
        this.#isUp("websocket");
      },
      onEvent: this.#receive,
    });
    if (end === "unauthenticated") session.invalidate(token);
    return end;
  }

  #poll(signal: AbortSignal): Promise<never> {
    const { session, time } = this.#options;
    const onFresh = (): void => {
      this.#isUp("polling");
    };
    return poll({ session, time, signal, onFresh, onEvent: this.#receive });
  }

  #isUp(transport: "websocket" | "polling"): void {
    this.#failures = 0;
    this.#listeners.online(transport);
  }

  readonly #receive = (frame: EventFrame): void => {
    this.#listeners.emit(frame);
  };
}
