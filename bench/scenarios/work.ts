/** The public-key operations that steps of MLS cannot do without. */
import { decodeMessageOf } from "@coppice/core";
import type { Bytes } from "../libraries/library.ts";
import type { Work } from "../src/scenario.ts";

/** Making the Commit in a PublicMessage: seals, keys of path nodes, signatures of leaf and Commit. */
export function workOfCreating(publicCommit: Bytes): Work {
  const { content } = decodeMessageOf("mls_public_message", publicCommit).publicMessage.content;
  if (content.contentType !== "commit" || content.commit.path === undefined)
    throw new Error("not a Commit with a path");
  const { nodes } = content.commit.path;
  const seals = nodes.reduce((sum, { encryptedPathSecret }) => sum + encryptedPathSecret.length, 0);
  return { sign: 2, generate: seals + nodes.length, agree: seals, keys: seals };
}

/** Processing a Commit by somebody on the other side of the root: leaf and Commit, one path secret, the root's key. */
export const WORK_OF_PROCESSING: Work = { verify: 2, agree: 1, generate: 1 };

export const workOfJoining = (members: number): Work => ({ verify: members + 1, agree: 1, keys: members });

export const workOfAdding = (count: number): Work => ({
  ...{ sign: 2, verify: 2 * count },
  ...{ generate: count, agree: count, keys: count },
});
