/** The event connection: one WebSocket while somebody listens, opened again whenever it breaks. */
import type { DeliveryEvent } from "../contract.ts";
import { Listeners } from "../listeners.ts";
import { decode, encode } from "../wire/codec.ts";
import {
  clientFrame,
  CLOSE_UNAUTHENTICATED,
  EVENTS_PATH,
  serverFrame,
  type ClientFrame,
  type ServerFrame,
} from "../wire/events.ts";
import { backoff, Pause } from "./backoff.ts";
import type { Session } from "./session.ts";

/** The part of the WebSocket API that is used here. */
export type WebSocketConstructor = new (url: string | URL) => WebSocket;

/** How many heartbeats may be missing before the connection counts as dead. */
const MISSED_HEARTBEATS = 2.5;

/** Browsers and workers tell when the network comes and goes, Node does not. */
const network: Partial<Pick<typeof globalThis, "addEventListener" | "removeEventListener">> = globalThis;

export class EventStream {
  readonly #url: URL;
  readonly #session: Session;
  readonly #WebSocket: WebSocketConstructor;
  readonly #timeout: number;
  readonly #listeners = new Listeners();
  readonly #pause = new Pause();
  #run: AbortController | undefined;
  #attempt = 0;

  constructor(options: {
    readonly url: URL;
    readonly session: Session;
    readonly WebSocket: WebSocketConstructor;
    readonly timeout: number;
  }) {
    this.#url = new URL(EVENTS_PATH, options.url);
    this.#url.protocol = options.url.protocol === "https:" ? "wss:" : "ws:";
    this.#session = options.session;
    this.#WebSocket = options.WebSocket;
    this.#timeout = options.timeout;
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
    const run = new AbortController();
    this.#run = run;
    // These save the rest of a pause, or the wait for a missed heartbeat.
    network.addEventListener?.("online", this.#onNetworkUp);
    network.addEventListener?.("offline", this.#onNetworkDown);
    void this.#keepConnected(run.signal);
  }

  #stop(): void {
    network.removeEventListener?.("online", this.#onNetworkUp);
    network.removeEventListener?.("offline", this.#onNetworkDown);
    this.#run?.abort();
    this.#run = undefined;
    this.#listeners.reset();
    this.#pause.wake();
  }

  readonly #onNetworkUp = (): void => {
    this.#attempt = 0;
    this.#pause.wake();
  };

  #dropConnection: (() => void) | undefined;

  readonly #onNetworkDown = (): void => {
    this.#dropConnection?.();
  };

  async #keepConnected(signal: AbortSignal): Promise<void> {
    this.#attempt = 0;
    for (;;) {
      await this.#connectOnce(signal).catch(() => undefined);
      if (signal.aborted) return;
      this.#listeners.setOnline(false);
      // A name that belongs to someone else will not become ours by asking again.
      if (this.#session.refusal !== undefined) return;
      await this.#pause.sleep(backoff(this.#attempt++));
    }
  }

  /** Opens a connection and serves it. Settles when it has ended, for whatever reason. */
  async #connectOnce(signal: AbortSignal): Promise<void> {
    const token = await this.#session.token(signal);
    signal.throwIfAborted();
    const socket = new this.#WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    const send = (frame: ClientFrame): void => {
      socket.send(encode(clientFrame, frame));
    };
    await new Promise<void>((resolve) => {
      // A half-open connection may take minutes to close, so nothing waits for that.
      const drop = (): void => {
        clearTimeout(watchdog);
        signal.removeEventListener("abort", drop);
        socket.onopen = socket.onmessage = socket.onclose = null;
        // Closing before the handshake is done is an error in some implementations, and of no interest.
        socket.onerror = () => undefined;
        this.#dropConnection = undefined;
        try {
          socket.close();
        } finally {
          resolve();
        }
      };
      let watchdog = setTimeout(drop, this.#timeout);
      let patience = this.#timeout;
      this.#dropConnection = drop;
      signal.addEventListener("abort", drop, { once: true });
      socket.onopen = () => {
        send({ type: "authenticate", token });
      };
      socket.onclose = (event) => {
        if (event.code === CLOSE_UNAUTHENTICATED) this.#session.invalidate(token);
        drop();
      };
      socket.onerror = drop;
      socket.onmessage = (event: MessageEvent<unknown>) => {
        const frame = readFrame(event.data);
        if (frame === undefined) {
          drop();
          return;
        }
        if (frame.type === "ready") patience = frame.heartbeat * MISSED_HEARTBEATS;
        clearTimeout(watchdog);
        watchdog = setTimeout(drop, patience);
        this.#receive(frame, send);
      };
    });
  }

  #receive(frame: ServerFrame, send: (frame: ClientFrame) => void): void {
    switch (frame.type) {
      case "ready":
        this.#attempt = 0;
        this.#listeners.setOnline(true);
        return;
      case "ping":
        send({ type: "pong" });
        return;
      case "log":
      case "inbox":
        this.#listeners.emit(frame);
        return;
    }
  }
}

/** The frame that a WebSocket message holds; `undefined` for anything else: such a peer is no Delivery Service. */
function readFrame(data: unknown): ServerFrame | undefined {
  if (!(data instanceof ArrayBuffer)) return undefined;
  try {
    return decode(serverFrame, new Uint8Array(data));
  } catch {
    return undefined;
  }
}
