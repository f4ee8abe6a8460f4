/** Events: frames over a WebSocket, one binary message each, or in the answers of long polling. */
import { codec } from "@coppice/core";
import { MAX_EVENT_ENTRY_BYTES, type LogEntry, type LogPosition } from "../contract.ts";
import { WIRE_LIMITS, type Call } from "./call.ts";
import { bool, bytes, integer, list, text, type Bytes, type Codec } from "./codec.ts";
import { groupId, logEntry, position, user } from "./fields.ts";
import { MAX_TOKEN_BYTES } from "./sign-in.ts";
const { closedEnum, nothing, optional, select, struct, uint8 } = codec;

/** Path of the WebSocket below the server's URL. */
export const EVENTS_PATH = "v2/events";

/** Application close codes (RFC 6455 §7.4.2). */
export const CLOSE_UNAUTHENTICATED = 4401;
export const CLOSE_TOO_MANY = 4429;
export const CLOSE_PROTOCOL = 4400;

/** Upper bound of a frame from the server, bytes: the longest entry that events carry, and what goes with it. */
export const MAX_SERVER_FRAME_BYTES: number = MAX_EVENT_ENTRY_BYTES + 1024;

/** Upper bound of a frame from the client, bytes. */
export const MAX_CLIENT_FRAME_BYTES = 1024;

/** From client to server. The token comes as a message so that it is in no URL and so in no log. */
export type ClientFrame = { readonly type: "authenticate"; readonly token: string } | { readonly type: "pong" };

/** What happened: the same over every transport. */
export type EventFrame =
  | {
      readonly type: "log";
      readonly groupId: Bytes;
      readonly position: LogPosition;
      /** Undefined where its message is longer than `MAX_EVENT_ENTRY_BYTES`. */
      readonly entry: LogEntry | undefined;
    }
  | { readonly type: "inbox" }
  | { readonly type: "devices"; readonly user: string };

/** From server to client. A `ping` comes every `heartbeat` milliseconds and is answered with a `pong`. */
export type ServerFrame =
  { readonly type: "ready"; readonly heartbeat: number } | { readonly type: "ping" } | EventFrame;

export const clientFrame: Codec<ClientFrame> = select<"type", ClientFrame["type"], ClientFrame>(
  "type",
  closedEnum(uint8, { authenticate: 1, pong: 2 }),
  { authenticate: struct({ token: text(MAX_TOKEN_BYTES) }), pong: nothing },
);

export const serverFrame: Codec<ServerFrame> = select<"type", ServerFrame["type"], ServerFrame>(
  "type",
  closedEnum(uint8, { ready: 1, ping: 2, log: 3, inbox: 4, devices: 5 }),
  {
    ready: struct({ heartbeat: integer({ min: 10, max: 3_600_000 }) }),
    ping: nothing,
    log: struct({ groupId, position, entry: optional(logEntry(MAX_EVENT_ENTRY_BYTES)) }),
    inbox: nothing,
    devices: struct({ user }),
  },
);

/** Longest that a poll may wait for an event, milliseconds. */
export const MAX_POLL_WAIT_MS = 60_000;

/** Asks for what happened since an earlier poll. */
export interface PollRequest {
  /** From the answer before; empty for the first poll. Handing it in acknowledges what that answer brought. */
  readonly cursor: string;
  /** Milliseconds after which an answer without events is due. */
  readonly wait: number;
}

export interface PollAnswer {
  readonly cursor: string;
  /** Events before this answer may be missing, as on a new connection: fetch everything once. */
  readonly isFresh: boolean;
  /** Encoded `EventFrame`s, in order. */
  readonly frames: readonly Bytes[];
}

/** Events where WebSockets do not get through. */
export const pollEvents: Call<PollRequest, PollAnswer> = {
  name: "pollEvents",
  path: "v2/events/poll",
  request: struct<PollRequest>({ cursor: text(64), wait: integer({ max: MAX_POLL_WAIT_MS }) }),
  answer: struct<PollAnswer>({
    cursor: text(64),
    isFresh: bool,
    frames: list(bytes({ min: 1, max: MAX_SERVER_FRAME_BYTES }), WIRE_LIMITS.pollFrames),
  }),
};
