/** Commits that refresh the committer's keys: the first one of a group, and those of a group that is in use. */
import type { Shape } from "../fixtures/shape.ts";
import { seatIn } from "../fixtures/seat.ts";
import { coppice } from "../libraries/coppice.ts";
import type { Bytes, CommitRequest, Library, Wire } from "../libraries/library.ts";
import type { Contestant, Scenario, Work } from "../src/scenario.ts";
import { contestOf, fresh } from "./contest.ts";
import { WORK_OF_PROCESSING, workOfCreating } from "./work.ts";

const MEMBERS = [2, 10, 100, 1_000, 10_000];

async function workOfCommitting(shape: Shape, members: number, request: CommitRequest): Promise<Work> {
  const { member } = await seatIn(coppice, shape, members);
  return workOfCreating((await member.commit({ ...request, wire: "mls_public_message" })).commit);
}

/** Always from the same state. */
async function creating(library: Library, shape: Shape, members: number, request: CommitRequest): Promise<Contestant> {
  const { member } = await seatIn(library, shape, members);
  return fresh(
    () => member.fork(),
    (own) => own.commit(request),
  );
}

/** The same Commit by the founder, always in the same state. */
async function processing(
  library: Library,
  shape: Shape,
  members: number,
  request: CommitRequest,
): Promise<Contestant> {
  const { founder, member } = await seatIn(library, shape, members);
  const { commit } = await founder.commit(request);
  return fresh(
    () => member.fork(),
    (own) => own.process(commit),
  );
}

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

const warm = (wire: Wire, sizes: readonly number[]): readonly Scenario[] => {
  const frame = wire === "mls_private_message" ? "PrivateMessage" : "PublicMessage";
  const isPromised = wire === "mls_private_message";
  return [
    {
      name: `commit, warm, ${frame}: create`,
      sizes,
      sizeUnit: "members",
      promise: (n, engine) => (isPromised && n === 1_000 && engine === "chromium" ? 2 : undefined),
      setup: async (members) =>
        contestOf(members, await workOfCommitting("populated", members, {}), (library) =>
          creatingOnward(library, members, wire),
        ),
    },
    {
      name: `commit, warm, ${frame}: process`,
      sizes,
      sizeUnit: "members",
      promise: (n, engine) => (isPromised && n === 1_000 && engine === "chromium" ? 3 : undefined),
      setup: (members) => contestOf(members, WORK_OF_PROCESSING, (library) => processingOnward(library, members, wire)),
    },
  ];
};

const again = (
  name: string,
  shape: Shape,
  { sizes, request, promise }: Pick<Scenario, "sizes" | "promise"> & { request: (members: number) => CommitRequest },
): readonly Scenario[] => [
  {
    name: `${name}: create`,
    sizes,
    sizeUnit: "members",
    ...(promise === undefined ? {} : { promise }),
    setup: async (members) =>
      contestOf(members, await workOfCommitting(shape, members, request(members)), (library) =>
        creating(library, shape, members, request(members)),
      ),
  },
  {
    name: `${name}: process`,
    sizes,
    sizeUnit: "members",
    setup: (members) =>
      contestOf(members, WORK_OF_PROCESSING, (library) => processing(library, shape, members, request(members))),
  },
];

export const commitScenarios: readonly Scenario[] = [
  ...again("commit, first in a sparse tree", "sparse", {
    sizes: MEMBERS,
    request: () => ({}),
    promise: (n) => (n === 1_000 ? 1.5 : undefined),
  }),
  ...warm("mls_private_message", MEMBERS),
  ...warm("mls_public_message", [100, 1_000]),
  // Two of them: for a single Remove ts-mls 2 leaves out the path that RFC 9420 §12.4 demands.
  ...again("remove two members", "populated", {
    sizes: [10, 100, 1_000, 10_000],
    request: (members) => ({ remove: [1, members >> 1] }),
  }),
];
