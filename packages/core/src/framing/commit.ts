/** Commits on the wire (RFC 9420 §12.4). */

import { type Codec, optional, struct, vector } from "../codec/codec.ts";
import { type UpdatePath, updatePath } from "../tree/update-path.ts";
import { type ProposalOrRef, proposalOrRef } from "./proposal.ts";

/** `struct { ProposalOrRef proposals<V>; optional<UpdatePath> path; } Commit;` */
export interface Commit {
  readonly proposals: readonly ProposalOrRef[];
  readonly path: UpdatePath | undefined;
}

/** Bounded by the reader: each proposal is an object, and work, for whoever receives it. */
const proposals: Codec<readonly ProposalOrRef[]> = {
  encode: vector(proposalOrRef).encode,
  decode: (reader) => vector(proposalOrRef, reader.mostProposals).decode(reader),
};

export const commit: Codec<Commit> = struct({ proposals, path: optional(updatePath) });
