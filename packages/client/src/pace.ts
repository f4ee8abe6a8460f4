/** How long the engine waits. */
import type { Backoff } from "@coppice/kit";

/** Milliseconds of each kind of wait. */
export interface Pace {
  /** Between attempts to reach the Delivery Service. Default 500 to 30,000. */
  readonly retry: Backoff;
  /** Longest wait before a commit that lost its epoch is made again. Default 250. */
  readonly conflict: number;
  /** What each member waits longer than the one before it to commit another member's proposal. Default 1,500. */
  readonly autoCommit: number;
}

export const DEFAULT_PACE: Pace = { retry: { first: 500, longest: 30_000 }, conflict: 250, autoCommit: 1500 };
