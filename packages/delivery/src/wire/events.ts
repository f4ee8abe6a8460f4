/** Frames of the event connection: one binary WebSocket message each. */
import { codec } from "@coppice/core";
import { integer, text, type Bytes, type Codec } from "./codec.ts";
import { groupId } from "./calls.ts";
const { closedEnum, nothing, select, struct, uint8 } = codec;

/** Path of the WebSocket below the server's URL. */
export const EVENTS_PATH = "v1/events";

/** Application close codes (RFC 6455 §7.4.2). */
export const CLOSE_UNAUTHENTICATED = 4401;
export const CLOSE_TOO_MANY = 4429;
export const CLOSE_PROTOCOL = 4400;

/** Upper bound of one frame in either direction, bytes. */
export const MAX_FRAME_BYTES = 1024;

/** From client to server. The token comes as a message so that it is in no URL and so in no log. */
export type ClientFrame = { readonly type: "authenticate"; readonly token: string } | { readonly type: "pong" };

/** From server to client. A `ping` comes every `heartbeat` milliseconds and is answered with a `pong`. */
export type ServerFrame =
  | { readonly type: "ready"; readonly heartbeat: number }
  | { readonly type: "ping" }
  | { readonly type: "log"; readonly groupId: Bytes; readonly seq: number }
  | { readonly type: "inbox" };

export const clientFrame: Codec<ClientFrame> = select<"type", ClientFrame["type"], ClientFrame>(
  "type",
  closedEnum(uint8, { authenticate: 1, pong: 2 }),
  { authenticate: struct({ token: text(128) }), pong: nothing },
);

export const serverFrame: Codec<ServerFrame> = select<"type", ServerFrame["type"], ServerFrame>(
  "type",
  closedEnum(uint8, { ready: 1, ping: 2, log: 3, inbox: 4 }),
  {
    ready: struct({ heartbeat: integer({ min: 10, max: 3_600_000 }) }),
    ping: nothing,
    log: struct({ groupId, seq: integer({ min: 1 }) }),
    inbox: nothing,
  },
);
