/** Secret trees, past epochs and proposals from given records, and what is known where nothing is given. */
import { toHex } from "../codec/bytes.ts";
import type { CachedProposal, FormerMembers, MessagingState, PastEpoch } from "./group-state.ts";
import type { Identity } from "../identity/authentication.ts";
import { type SecretNode, type SecretTree, ABSENT } from "../schedule/secret-tree.ts";
import { type NodeIndex, children, root } from "../tree/tree-math.ts";
import { type GivenRecords, corrupt } from "./given-records.ts";
import { cachedProposal, formerRecord, pastRecord, secretNode } from "./record-codecs.ts";
import { recordFolders, recordNames } from "./record-names.ts";

/** What says which other records there are. */
export interface Outline {
  readonly epoch: bigint;
  readonly leafCount: number;
  /** Newest first. */
  readonly pastEpochs: readonly bigint[];
}

/** What is so where no record is given. */
export interface Known {
  readonly past: (epoch: bigint) => PastEpoch | undefined;
  readonly secretTree: (epoch: bigint, leafCount: number) => SecretTree | undefined;
  readonly proposals: readonly CachedProposal[];
  /** Of past epochs that `past` does not know. */
  readonly former: FormerMembers;
}

const NOBODY: FormerMembers["members"] = new Map();

/** All that there is is given. */
export const NOTHING_ELSE: Known = {
  past: () => undefined,
  secretTree: () => undefined,
  proposals: [],
  former: { members: NOBODY, loaded: undefined },
};

/** There may be more. */
export const NOT_LOADED: Known = {
  ...NOTHING_ELSE,
  secretTree: (_, leafCount) => ({ leafCount, root: ABSENT }),
  former: { members: NOBODY, loaded: new Set() },
};

/** The parts of a state that consist of several records, but its ratchet tree. */
export function rebuildEpochs(
  given: GivenRecords,
  { epoch, leafCount, pastEpochs }: Outline,
  known: Known,
): Pick<MessagingState, "secretTree" | "proposals" | "pastEpochs"> {
  const proposals = rebuildProposals(given, known.proposals);
  return {
    secretTree: rebuildSecretTree(given, { epoch, leafCount }, known),
    proposals: new Map(proposals.map((cached) => [toHex(cached.ref), cached])),
    pastEpochs: pastEpochs.map((past) => rebuildPastEpoch(given, past, known)),
  };
}

/** Up to the first position at which there is none. */
function rebuildProposals(given: GivenRecords, known: readonly CachedProposal[]): CachedProposal[] {
  const givenPositions = new Set(given.indices(recordFolders.proposals));
  const proposals: CachedProposal[] = [];
  for (;;) {
    const position = proposals.length;
    const isGiven = givenPositions.has(position);
    const cached = isGiven ? given.find(recordNames.proposal(position), cachedProposal) : known[position];
    if (cached === undefined) return proposals;
    proposals.push(cached);
  }
}

function rebuildPastEpoch(given: GivenRecords, epoch: bigint, known: Known): PastEpoch {
  const name = recordNames.past(epoch);
  const old = known.past(epoch);
  const stored = given.find(name, pastRecord);
  const { context, senderDataSecret } = stored ?? old ?? {};
  if (context === undefined || senderDataSecret === undefined || given.isDeleted(name)) {
    throw corrupt(name, "is missing");
  }
  const leafCount = stored?.leafCount ?? old?.secretTree.leafCount ?? 1;
  const secretTree = rebuildSecretTree(given, { epoch, leafCount }, known);
  const former = rebuildFormerMembers(given, epoch, old?.former ?? known.former);
  const isSame = old !== undefined && stored === undefined && secretTree === old.secretTree && former === old.former;
  return isSame ? old : { context, senderDataSecret, secretTree, former };
}

function rebuildFormerMembers(given: GivenRecords, epoch: bigint, old: FormerMembers): FormerMembers {
  const leaves = given.indices(recordFolders.former(epoch));
  if (leaves.length === 0) return old;
  const members = new Map<number, Identity | undefined>(old.members);
  for (const leaf of leaves) {
    const record = given.find(recordNames.former(epoch, leaf), formerRecord);
    if (record === undefined) members.delete(leaf);
    else members.set(leaf, record.member);
  }
  return { members, loaded: old.loaded && new Set([...old.loaded, ...leaves]) };
}

function rebuildSecretTree(
  given: GivenRecords,
  { epoch, leafCount }: { readonly epoch: bigint; readonly leafCount: number },
  known: Known,
): SecretTree {
  const found = known.secretTree(epoch, leafCount);
  const old = found?.leafCount === leafCount ? found : undefined;
  const build = (index: NodeIndex, was: SecretNode | undefined, changed: readonly number[]): SecretNode => {
    const isChanged = changed.includes(index);
    const stored = isChanged ? given.find(recordNames.ratchet(epoch, index), secretNode) : undefined;
    if (stored !== undefined) return stored;
    // What is below a node that stands as it was is of no use.
    if (was !== undefined && !isChanged && (changed.length === 0 || was.kind === "secret" || was.kind === "leaf"))
      return was;
    const below = children(index);
    if (below === undefined || changed.length === 0) throw corrupt(recordNames.ratchet(epoch, index), "is missing");
    const [left, right] =
      was?.kind === "expanded" ? [was.left, was.right] : was?.kind === "absent" ? [ABSENT, ABSENT] : [];
    return {
      kind: "expanded",
      left: build(
        below[0],
        left,
        changed.filter((other) => other < index),
      ),
      right: build(
        below[1],
        right,
        changed.filter((other) => other > index),
      ),
    };
  };
  const changed = given.indices(recordFolders.ratchets(epoch));
  const top = build(root(leafCount), old?.root, changed);
  return old !== undefined && old.root === top ? old : { leafCount, root: top };
}
