/** Commits that refresh the committer's keys: the first one of a group, and those of a group that is in use. */
import type { Shape } from "../fixtures/shape.ts";
import { seatIn } from "../fixtures/seat.ts";
import { coppice } from "../libraries/coppice.ts";
import type { Bytes, CommitRequest, Library, Step, Wire } from "../libraries/library.ts";
import type { Contestant, Scenario, Work } from "../src/scenario.ts";
import { contestOf, fresh, fromSeat } from "./contest.ts";
import { WORK_OF_PROCESSING, workOfCreating } from "./work.ts";

const MEMBERS = [2, 10, 100, 1_000, 10_000];

async function workOfCommitting(shape: Shape, members: number, request: CommitRequest): Promise<Work> {
  const { member } = await seatIn(coppice, shape, members);
  return workOfCreating((await member.commit({ ...request, ...PUBLIC })).commit);
}

/** As PublicMessages: all libraries take those. */
const PUBLIC = { wire: "mls_public_message" } as const;

/** Always from the same state. */
const creating = (library: Library, shape: Shape, members: number, request: CommitRequest): Promise<Contestant> =>
  fromSeat(
    { library, shape, members },
    (seat) => seat,
    ({ member }) => member.commit({ ...request, ...PUBLIC }),
  );

/** The founder's Commit, always in the same state. */
const processing = (library: Library, shape: Shape, members: number, request: CommitRequest): Promise<Contestant> =>
  fromSeat(
    { library, shape, members },
    async ({ founder, member }) => ({ member, commit: (await founder.commit({ ...request, ...PUBLIC })).commit }),
    ({ member, commit }) => member.process(commit),
  );

/** Each Commit follows the one before. */
async function creatingOnward(library: Library, members: number, wire: Wire): Promise<Contestant> {
  const { member } = await seatIn(library, "populated", members);
  return () => member.commit({ wire });
}

/** Each Commit follows the one before. */
async function processingOnward(library: Library, members: number, wire: Wire): Promise<Contestant> {
  const { founder, member } = await seatIn(library, "populated", members);
  return fresh(
    async (): Promise<Bytes> => (await founder.commit({ wire })).commit,
    (commit) => member.process(commit),
  );
}

const frameOf = { mls_private_message: "PrivateMessage", mls_public_message: "PublicMessage" } as const;
const stepOf = { mls_private_message: "private commit", mls_public_message: "public commit" } as const;

const warm = (wire: Wire, sizes: readonly number[], largeSizes: readonly number[] = []): readonly Scenario[] => {
  const promised =
    (ratio: number) =>
    (n: number, engine: string): number | undefined =>
      wire === "mls_private_message" && n === 1_000 && engine === "chromium" ? ratio : undefined;
  return [
    {
      name: `commit, warm, ${frameOf[wire]}: create`,
      sizes,
      largeSizes,
      sizeUnit: "members",
      promise: promised(2),
      setup: async (members) => {
        const work = await workOfCommitting("populated", members, {});
        return contestOf({ step: stepOf[wire], members, work }, (library) => creatingOnward(library, members, wire));
      },
    },
    {
      name: `commit, warm, ${frameOf[wire]}: process`,
      sizes,
      largeSizes,
      sizeUnit: "members",
      promise: promised(3),
      setup: (members) =>
        contestOf({ step: stepOf[wire], members, work: WORK_OF_PROCESSING }, (library) =>
          processingOnward(library, members, wire),
        ),
    },
  ];
};

/** Time may grow with the height of the tree alone: a hundred times the members may take twice as long. */
const growth = (step: "create" | "process", onward: typeof creatingOnward): Scenario => ({
  name: `commit, warm: ${step}, 10,000 members beside 100`,
  sizes: [10_000],
  sizeUnit: "members",
  promise: 2,
  reference: "100 members",
  setup: async (members) => ({
    coppice: await onward(coppice, members, "mls_private_message"),
    peers: { "100 members": await onward(coppice, 100, "mls_private_message") },
  }),
});

interface Repeated extends Pick<Scenario, "sizes" | "promise"> {
  readonly step: Step;
  readonly shape: Shape;
  readonly request: (members: number) => CommitRequest;
}

const again = (name: string, { step, shape, sizes, request, promise }: Repeated): readonly Scenario[] => [
  {
    name: `${name}: create`,
    sizes,
    sizeUnit: "members",
    ...(promise === undefined ? {} : { promise }),
    setup: async (members) => {
      const work = await workOfCommitting(shape, members, request(members));
      return contestOf({ step, members, work }, (library) => creating(library, shape, members, request(members)));
    },
  },
  {
    name: `${name}: process`,
    sizes,
    sizeUnit: "members",
    setup: (members) =>
      contestOf({ step, members, work: WORK_OF_PROCESSING }, (library) =>
        processing(library, shape, members, request(members)),
      ),
  },
];

export const commitScenarios: readonly Scenario[] = [
  ...again("commit, first in a sparse tree", {
    step: "public commit",
    shape: "sparse",
    sizes: MEMBERS,
    request: () => ({}),
    promise: (n) => (n === 1_000 ? 1.5 : undefined),
  }),
  ...warm("mls_private_message", MEMBERS, [50_000]),
  ...warm("mls_public_message", [10, 100, 1_000]),
  growth("create", creatingOnward),
  growth("process", processingOnward),
  // Two of them: for a single Remove ts-mls 2 leaves out the path that RFC 9420 §12.4 demands.
  ...again("remove two members", {
    step: "remove",
    shape: "populated",
    sizes: [10, 100, 1_000, 10_000],
    request: (members) => ({ remove: [1, members >> 1] }),
  }),
];
