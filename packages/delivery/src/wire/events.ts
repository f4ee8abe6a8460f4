/** Frames of the event connection: one binary WebSocket message each. */
import { integer, oneOf, struct, text, type Codec } from "./codec.ts";
import { groupId } from "./calls.ts";
import type { Bytes } from "./primitives.ts";

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

/** A tagged union: one octet for the case, then its fields. */
function union<T extends { readonly type: string }>(cases: {
  readonly [K in T["type"]]: Codec<Omit<Extract<T, { type: K }>, "type">>;
}): Codec<T> {
  const names = Object.keys(cases) as T["type"][];
  const tag = oneOf<T["type"]>(...names);
  return {
    encode: (writer, value) => {
      const type: T["type"] = value.type;
      tag.encode(writer, type);
      (cases[type] as unknown as Codec<T>).encode(writer, value);
    },
    decode: (reader) => {
      const type = tag.decode(reader);
      return { type, ...(cases[type] as Codec<object>).decode(reader) } as T;
    },
  };
}

const nothing: Codec<object> = struct<object>({});

export const clientFrame: Codec<ClientFrame> = union<ClientFrame>({
  authenticate: struct({ token: text(128) }),
  pong: nothing,
});

export const serverFrame: Codec<ServerFrame> = union<ServerFrame>({
  ready: struct({ heartbeat: integer({ min: 10, max: 3_600_000 }) }),
  ping: nothing,
  log: struct({ groupId, seq: integer({ min: 1 }) }),
  inbox: nothing,
});
