/** A partial member (Partial MLS) beside a full one, in populated groups: what it downloads and how long it takes, to join and to follow. */
import type { GroupState, OwnKeyPackage } from "@coppice/core";
import {
  adoptCommit,
  basicCredential,
  createCommit,
  createKeyPackage,
  decodeGroupState,
  exportRatchetTree,
  joinGroup,
  processMessage,
  ProposalType,
} from "@coppice/core";
import type { PartialGroupState } from "@coppice/core/drafts/partial";
import {
  annotateCommit,
  annotateWelcome,
  downgradeToPartial,
  joinPartially,
  processAnnotatedCommit,
} from "@coppice/core/drafts/partial";
import { identityOf } from "../fixtures/identity.ts";
import { loadGroup } from "../fixtures/load.ts";
import { seatIn } from "../fixtures/seat.ts";
import { aboutOf, coppice, RULES, SUITE } from "../libraries/coppice.ts";
import type { Bytes } from "../libraries/library.ts";
import type { Scenario } from "../src/scenario.ts";
import { workOfJoining } from "./work.ts";

const ABOUT = aboutOf(SUITE);

interface Invitation {
  readonly keyPackage: OwnKeyPackage;
  /** Without the tree. */
  readonly welcome: Bytes;
  readonly ratchetTree: Bytes;
  readonly annotated: Bytes;
}

/** As the last member of `members`, by a Commit with a path, so that the joiner derives all keys above its leaf. */
async function invite(members: number): Promise<Invitation> {
  const founder = await loadGroup("populated", members - 1);
  const { privateKey } = await SUITE.signature.generateKeyPair();
  const signer = await SUITE.signature.importSigner(privateKey);
  const keyPackage = await createKeyPackage({ ...ABOUT, credential: basicCredential(identityOf(members)), signer });
  const { state, staged } = await createCommit(founder.state(), {
    rules: RULES,
    signer: founder.signer,
    proposals: [{ proposalType: ProposalType.add, keyPackage: keyPackage.keyPackage }],
    forcePath: true,
    treeInWelcome: false,
  });
  const after = adoptCommit(state, staged, RULES).state;
  const [joiner] = staged.added;
  if (staged.welcome === undefined || joiner === undefined) throw new Error("no Welcome");
  const annotated = annotateWelcome(after, staged.welcome, { sender: after.leafIndex, joiner });
  return { keyPackage, welcome: staged.welcome, ratchetTree: exportRatchetTree(after), annotated };
}

interface Followed {
  readonly full: GroupState;
  readonly partial: PartialGroupState;
  readonly commit: Bytes;
  readonly annotated: Bytes;
}

/** A Commit by the founder, taken in by the last member. */
async function followed(members: number): Promise<Followed> {
  const { founder, member } = await seatIn(coppice, "populated", members);
  const before = founder.state();
  const full = await decodeGroupState(member.encode());
  const { commit } = await founder.commit({});
  const after = founder.state();
  const change = { commit, before, after, committer: before.leafIndex, added: [] };
  return { full, partial: downgradeToPartial(full), commit, annotated: annotateCommit(change, full.leafIndex) };
}

const following = async (members: number): Promise<() => Promise<unknown>> => {
  const { partial, annotated } = await followed(members);
  return () => processAnnotatedCommit(partial, annotated, { rules: RULES });
};

const SIZES: Pick<Scenario, "sizes" | "largeSizes" | "sizeUnit"> = {
  sizes: [100, 1_000, 10_000],
  largeSizes: [50_000],
  sizeUnit: "members",
};

/** Bytes that a partial member may have to download to join. */
const MOST_TO_JOIN = 64_000;

export const partialScenarios: readonly Scenario[] = [
  {
    ...SIZES,
    name: "partial: download to join",
    promise: 1,
    setup: async (members) => {
      const { annotated, welcome, ratchetTree } = await invite(members);
      const full = welcome.length + ratchetTree.length;
      return { bytes: { coppice: annotated.length, "full member": full }, limit: MOST_TO_JOIN };
    },
  },
  {
    ...SIZES,
    name: "partial: join",
    promise: 20,
    setup: async (members) => {
      const { annotated, welcome, ratchetTree, keyPackage } = await invite(members);
      return {
        coppice: () => joinPartially(annotated, { ...ABOUT, keyPackage }),
        peers: { "full member": () => joinGroup(welcome, { ...ABOUT, keyPackage, ratchetTree }) },
        // Of a join in a group of two, whatever the size.
        work: workOfJoining(2),
      };
    },
  },
  {
    ...SIZES,
    name: "partial: download of a Commit",
    setup: async (members) => {
      const { annotated, commit } = await followed(members);
      return { bytes: { coppice: annotated.length, "full member": commit.length } };
    },
  },
  {
    ...SIZES,
    name: "partial: process a Commit",
    // Beside itself, the group of 100 has nothing to promise.
    promise: (members) => (members > 100 ? 2 : undefined),
    reference: "100 members",
    setup: async (members) => {
      const { full, commit } = await followed(members);
      return {
        coppice: await following(members),
        peers: {
          "100 members": await following(100),
          "full member": () => processMessage(full, commit, { rules: RULES }),
        },
      };
    },
  },
];
