/** Ways into a group: key packages, founding, being added, joining by Welcome and by external Commit. */
import { loadGroup } from "../fixtures/load.ts";
import { seatIn } from "../fixtures/seat.ts";
import type { Shape } from "../fixtures/shape.ts";
import { coppice } from "../libraries/coppice.ts";
import type { Bytes, Client, Library, Member } from "../libraries/library.ts";
import type { Contestant, Scenario } from "../src/scenario.ts";
import { contestOf, fresh, fromSeat } from "./contest.ts";
import { workOfAdding, workOfCreating, workOfJoining } from "./work.ts";

const keyPackages: Bytes[] = [];

/** The same ones every time. */
export async function newKeyPackages(count: number): Promise<readonly Bytes[]> {
  while (keyPackages.length < count) {
    keyPackages.push((await coppice.newClient(keyPackages.length + 2)).keyPackage);
  }
  return keyPackages.slice(0, count);
}

const IN_PAIR = { shape: "sparse", members: 2 } as const;

/** As PublicMessages: all libraries take those. */
const PUBLIC = { wire: "mls_public_message" } as const;

async function adding(library: Library, count: number): Promise<Contestant> {
  const add = await newKeyPackages(count);
  return fromSeat(
    { library, ...IN_PAIR },
    (seat) => seat,
    ({ member }) => member.commit({ add, ...PUBLIC }),
  );
}

async function processingAdds(library: Library, count: number): Promise<Contestant> {
  const add = await newKeyPackages(count);
  return fromSeat(
    { library, ...IN_PAIR },
    async ({ founder, member }) => ({ member, commit: (await founder.commit({ add, ...PUBLIC })).commit }),
    ({ member, commit }) => member.process(commit),
  );
}

interface Invitation {
  readonly client: Client;
  readonly welcome: Bytes;
}

async function invite(library: Library, shape: Shape, members: number): Promise<Invitation> {
  const client = await library.newClient(members - 1);
  const founder = await loadGroup(shape, members - 1);
  const { welcome } = await founder.commit({ add: [client.keyPackage] });
  if (welcome === undefined) throw new Error("no Welcome");
  return { client, welcome };
}

async function joining(library: Library, shape: Shape, members: number): Promise<Contestant> {
  const accept = ({ client, welcome }: Invitation): Promise<Member> => client.join(welcome);
  if (!library.forks) return fresh(() => invite(library, shape, members), accept);
  const invitation = await invite(library, shape, members);
  return () => accept(invitation);
}

/** With a GroupInfo by a member that uses the same library: ts-mls reads and writes external_pub in a form of its own. */
async function joiningExternally(library: Library, members: number): Promise<Contestant> {
  const { founder, member } = await seatIn(library.forks ? library : coppice, "populated", members);
  const groupInfo = await (library.forks ? member : founder).groupInfo();
  return fresh(
    () => library.newClient(members),
    (client) => client.joinExternally(groupInfo),
  );
}

const join = (shape: Shape): Scenario => ({
  name: `join by Welcome, ${shape}`,
  sizes: [2, 10, 100, 1_000, 10_000],
  sizeUnit: "members",
  largeSizes: [50_000],
  promise: (n) => (n === 1_000 ? 1.4 : undefined),
  setup: (members) =>
    contestOf({ step: "join", members, work: workOfJoining(members) }, (library) => joining(library, shape, members)),
});

export const joinScenarios: readonly Scenario[] = [
  {
    name: "key package: create",
    sizes: [1],
    sizeUnit: "members",
    setup: () =>
      contestOf({ step: "key package", members: 1, work: { sign: 2, generate: 2 } }, async (library) => {
        const client = await library.newClient(0);
        return () => client.newKeyPackage();
      }),
  },
  {
    name: "group: create, and add the first member",
    sizes: [2],
    sizeUnit: "members",
    // A leaf of its own, then one Add.
    setup: () =>
      contestOf({ step: "found", members: 2, work: { sign: 3, verify: 2, generate: 2, agree: 1 } }, async (library) => {
        const client = await library.newClient(0);
        const { keyPackage } = await library.newClient(1);
        return async () => (await client.found()).commit({ add: [keyPackage], ...PUBLIC });
      }),
  },
  {
    name: "add many at once: create",
    sizes: [250, 1_000, 2_000],
    sizeUnit: "members",
    promise: (n) => (n === 1_000 ? 1.6 : undefined),
    setup: (count) =>
      contestOf({ step: "add", members: count, work: workOfAdding(count) }, (library) => adding(library, count)),
  },
  {
    name: "add many at once: process",
    sizes: [250, 1_000, 2_000],
    sizeUnit: "members",
    promise: (n) => (n === 1_000 ? 1.4 : undefined),
    setup: (count) =>
      contestOf({ step: "add", members: count, work: { verify: 2 * count + 1, keys: count } }, (library) =>
        processingAdds(library, count),
      ),
  },
  join("sparse"),
  join("populated"),
  {
    name: "join by external Commit, populated",
    sizes: [10, 100, 1_000],
    sizeUnit: "members",
    setup: async (members) => {
      const { founder } = await seatIn(coppice, "populated", members);
      const client = await coppice.newClient(members);
      const path = workOfCreating(await client.joinExternally(await founder.groupInfo()));
      // Beside its Commit: every leaf and the GroupInfo, and an encapsulation for the init secret.
      const more = { generate: (path.generate ?? 0) + 1, agree: (path.agree ?? 0) + 1, keys: members };
      const work = { ...path, ...more, verify: members + 1 };
      return contestOf({ step: "join externally", members, work }, (library) => joiningExternally(library, members));
    },
  },
];
