/** What a call is, and the bounds of the format. */
import type { Codec } from "./codec.ts";

/** Bounds of the format itself. A server may configure lower ones. */
export const WIRE_LIMITS: {
  readonly bodyBytes: number;
  readonly messageBytes: number;
  readonly groupIdBytes: number;
  readonly clients: number;
  readonly keyPackages: number;
  readonly logPage: number;
  readonly groupPage: number;
  readonly inboxPage: number;
  readonly deviceLogPage: number;
  readonly pollFrames: number;
} = {
  bodyBytes: 16 * 1024 * 1024,
  messageBytes: 8 * 1024 * 1024,
  groupIdBytes: 255,
  clients: 10_000,
  keyPackages: 1000,
  logPage: 1024,
  groupPage: 1024,
  inboxPage: 256,
  deviceLogPage: 256,
  pollFrames: 1024,
};

/** Media type of request and answer bodies. */
export const MEDIA_TYPE = "application/vnd.coppice.ds";

/** A remote procedure: `POST` of an encoded request to `path` below the server's URL. */
export interface Call<Request, Answer> {
  readonly name: string;
  /** Relative, without a leading slash. */
  readonly path: string;
  readonly request: Codec<Request>;
  readonly answer: Codec<Answer>;
}
