/**
 * Own Commits that took effect. The reply to one may be lost, and the log or another context settle it: the call that made it then
 * finds it here, whatever other members have changed since.
 */
import { equalBytes, type Bytes, type GroupState } from "@coppice/core";
import type { Summary } from "../records/conversation.ts";

/** Own Commits that are remembered: calls that wait are told of the last ones. */
const REMEMBERED = 8;

/** The first 16 bytes of the hash of an encoded Commit. */
export const commitDigest = ({ suite }: Pick<GroupState, "suite">, commit: Bytes): Bytes =>
  suite.hash.digest(commit).slice(0, 16);

export function withCommit({ committed }: Pick<Summary, "committed">, digest: Bytes): Pick<Summary, "committed"> {
  return { committed: [...committed, digest].slice(-REMEMBERED) };
}

/** Whether one of these Commits took effect. */
export function tookEffect({ committed }: Pick<Summary, "committed">, digests: readonly Bytes[]): boolean {
  return digests.some((digest) => committed.some((other) => equalBytes(digest, other)));
}
