/** One WebSocket connection for events, from its opening to its end. */
import type { Time } from "@coppice/kit";
import { decode, encode } from "../wire/codec.ts";
import {
  clientFrame,
  CLOSE_UNAUTHENTICATED,
  serverFrame,
  type ClientFrame,
  type EventFrame,
  type ServerFrame,
} from "../wire/events.ts";

/** The part of the WebSocket API that is used here. */
export type WebSocketConstructor = new (url: string | URL) => WebSocket;

/** How many heartbeats may be missing before the connection counts as dead. */
const MISSED_HEARTBEATS = 2.5;

export interface SocketOptions {
  readonly WebSocket: WebSocketConstructor;
  readonly url: URL;
  readonly token: string;
  readonly time: Time;
  /** Milliseconds that opening may take, and a silence before the first heartbeat. */
  readonly patience: number;
  /** Ends the connection. */
  readonly signal: AbortSignal;
  readonly onReady: () => void;
  readonly onEvent: (frame: EventFrame) => void;
}

/**
 * How a connection ended: it never opened (something in between lets no WebSocket through), it was open, or the server did
 * not know the token.
 */
export type SocketEnd = "unopened" | "ended" | "unauthenticated";

/** Opens a connection and serves it. Resolves when it has ended, for whatever reason. */
export function serveSocket(options: SocketOptions): Promise<SocketEnd> {
  const { url, token, time, signal } = options;
  if (signal.aborted) return Promise.resolve("ended");
  let socket: WebSocket;
  try {
    socket = new options.WebSocket(url);
  } catch {
    // A Content Security Policy that lacks the host makes some engines throw here.
    return Promise.resolve("unopened");
  }
  socket.binaryType = "arraybuffer";
  return new Promise((resolve) => {
    let end: SocketEnd = "unopened";
    let patience = options.patience;
    let cancelWatchdog = (): void => undefined;
    const send = (frame: ClientFrame): void => {
      socket.send(encode(clientFrame, frame));
    };
    // A half-open connection may take minutes to close, so nothing waits for that.
    const drop = (): void => {
      cancelWatchdog();
      signal.removeEventListener("abort", drop);
      socket.onopen = socket.onmessage = socket.onclose = null;
      // Closing before the handshake is done is an error in some implementations, and of no interest.
      socket.onerror = () => undefined;
      try {
        socket.close();
      } finally {
        resolve(end);
      }
    };
    const watch = (): void => {
      cancelWatchdog();
      cancelWatchdog = time.after(patience, drop);
    };
    watch();
    signal.addEventListener("abort", drop, { once: true });
    socket.onopen = () => {
      send({ type: "authenticate", token });
    };
    socket.onclose = ({ code }) => {
      if (code === CLOSE_UNAUTHENTICATED) end = "unauthenticated";
      drop();
    };
    socket.onerror = drop;
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      const frame = readFrame(data);
      if (frame === undefined) {
        drop();
        return;
      }
      if (frame.type === "ready") {
        // Only now it is certain that frames get through in both directions.
        end = "ended";
        patience = frame.heartbeat * MISSED_HEARTBEATS;
        options.onReady();
      } else if (frame.type === "ping") send({ type: "pong" });
      else if (end === "ended") options.onEvent(frame);
      watch();
    };
  });
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
