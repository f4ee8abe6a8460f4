/** Peers that keep to nothing: raw TCP connections. */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A connection whose other end never closes by itself. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything that came back so far. */
  readonly text: () => string;
  /** The connection is gone. */
  readonly closed: Promise<void>;
  /** The server closed its half, or the connection is gone. */
  readonly ended: Promise<void>;
}

/** Opens a connection and sends `text`; with `reads: false` nothing is ever read from it. */
export async function openRaw(url: string, text = "", { reads = true } = {}): Promise<RawConnection> {
  const socket = connectTcp({ port: Number(new URL(url).port), host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("error", () => undefined);
  if (reads) socket.on("data", (chunk) => (received += chunk.toString("latin1")));
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  const ended = new Promise<void>((resolve) => {
    socket.on("end", () => resolve()).on("close", () => resolve());
  });
  await once(socket, "connect");
  if (text !== "") socket.write(text);
  return { socket, text: () => received, closed, ended };
}

/** The text of a request. */
export function requestText(line: string, headers: Readonly<Record<string, string | number>> = {}, body = ""): string {
  const fields = Object.entries({ host: "x", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${fields.join("")}\r\n${body}`;
}

/** An upgrade to a WebSocket. */
export const upgradeText = (path: string, headers: Readonly<Record<string, string>> = {}): string =>
  requestText(`GET ${path}`, {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-version": 13,
    ...headers,
  });
