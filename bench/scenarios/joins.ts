/** Ways into a group: key packages, founding, being added, joining by Welcome and by external Commit. */
import { loadGroup } from "../fixtures/load.ts";
import { seatIn } from "../fixtures/seat.ts";
import type { Shape } from "../fixtures/shape.ts";
import { coppice } from "../libraries/coppice.ts";
import type { Bytes, Library } from "../libraries/library.ts";
import type { Contestant, Scenario } from "../src/scenario.ts";
import { contestOf, fresh } from "./contest.ts";
import { workOfAdding, workOfCreating, workOfJoining } from "./work.ts";

const keyPackages: Bytes[] = [];

/** The same ones every time. */
async function newKeyPackages(count: number): Promise<readonly Bytes[]> {
  while (keyPackages.length < count) {
    keyPackages.push((await coppice.newClient(`added ${String(keyPackages.length)}`)).keyPackage);
  }
  return keyPackages.slice(0, count);
}

async function adding(library: Library, count: number): Promise<Contestant> {
  const add = await newKeyPackages(count);
  const { member } = await seatIn(library, "sparse", 2);
  return fresh(
    () => member.fork(),
    (own) => own.commit({ add }),
  );
}

async function processingAdds(library: Library, count: number): Promise<Contestant> {
  const { founder, member } = await seatIn(library, "sparse", 2);
  const { commit } = await founder.commit({ add: await newKeyPackages(count) });
  return fresh(
    () => member.fork(),
    (own) => own.process(commit),
  );
}

async function joining(library: Library, shape: Shape, members: number): Promise<Contestant> {
  const client = await library.newClient("joiner");
  const founder = await loadGroup(shape, members - 1);
  const { welcome } = await founder.commit({ add: [client.keyPackage] });
  if (welcome === undefined) throw new Error("no Welcome");
  return () => client.join(welcome);
}

/** With a GroupInfo by a member that uses the same library: ts-mls reads and writes external_pub in a form of its own. */
async function joiningExternally(library: Library, members: number): Promise<Contestant> {
  const { member } = await seatIn(library, "populated", members);
  const [client, groupInfo] = [await library.newClient("joiner"), await member.groupInfo()];
  return () => client.joinExternally(groupInfo);
}

const join = (shape: Shape): Scenario => ({
  name: `join by Welcome, ${shape}`,
  sizes: [2, 10, 100, 1_000, 10_000],
  sizeUnit: "members",
  largeSizes: [50_000],
  promise: (n) => (n === 1_000 ? 1.4 : undefined),
  setup: (members) => contestOf(members, workOfJoining(members), (library) => joining(library, shape, members)),
});

export const joinScenarios: readonly Scenario[] = [
  {
    name: "key package: create",
    sizes: [1],
    sizeUnit: "members",
    setup: () =>
      contestOf(1, { sign: 2, generate: 2 }, async (library) => {
        const client = await library.newClient("somebody");
        return () => client.newKeyPackage();
      }),
  },
  {
    name: "group: create, and add the first member",
    sizes: [2],
    sizeUnit: "members",
    // A leaf of its own, then one Add.
    setup: () =>
      contestOf(2, { sign: 3, verify: 2, generate: 2, agree: 1 }, async (library) => {
        const [client, add] = [await library.newClient("founder"), await newKeyPackages(1)];
        return async () => (await client.found()).commit({ add });
      }),
  },
  {
    name: "add many at once: create",
    sizes: [250, 1_000, 2_000],
    sizeUnit: "members",
    promise: (n) => (n === 1_000 ? 1.6 : undefined),
    setup: (count) => contestOf(count, workOfAdding(count), (library) => adding(library, count)),
  },
  {
    name: "add many at once: process",
    sizes: [250, 1_000, 2_000],
    sizeUnit: "members",
    promise: (n) => (n === 1_000 ? 1.4 : undefined),
    setup: (count) => contestOf(count, { verify: 2 * count + 1 }, (library) => processingAdds(library, count)),
  },
  join("sparse"),
  join("populated"),
  {
    name: "join by external Commit, populated",
    sizes: [10, 100, 1_000],
    sizeUnit: "members",
    setup: async (members) => {
      const { founder } = await seatIn(coppice, "populated", members);
      const client = await coppice.newClient("joiner");
      const path = workOfCreating(await client.joinExternally(await founder.groupInfo()));
      // Beside its Commit: every leaf and the GroupInfo, and an encapsulation for the init secret.
      const work = { ...path, verify: members + 1, generate: (path.generate ?? 0) + 1, agree: (path.agree ?? 0) + 1 };
      return contestOf(members, work, (library) => joiningExternally(library, members));
    },
  },
];
