/** A group's state outside the engine: encoding it, reading it back, its size, and its size in memory. */
import { seatIn } from "../fixtures/seat.ts";
import { coppice } from "../libraries/coppice.ts";
import { peersIn } from "../libraries/index.ts";
import type { Library, Member } from "../libraries/library.ts";
import type { Contest, Contestant, Scenario } from "../src/scenario.ts";
import { contestOf } from "./contest.ts";

const MEMBERS = [100, 1_000, 10_000];

/** Kept by default by all of them. */
const PAST_EPOCHS = 4;

/** A populated group, after as many Commits as there are epochs to keep. */
async function usedState(library: Library, members: number): Promise<Member> {
  const { founder, member } = await seatIn(library, "populated", members);
  for (let epoch = 0; epoch < PAST_EPOCHS; epoch++) await member.process((await founder.commit({})).commit);
  return member;
}

const contest = (members: number, operate: (member: Member) => Contestant): Promise<Contest> =>
  contestOf({ step: "state", members }, async (library) => operate(await usedState(library, members)));

/** Bytes of a GroupInfo: the current tree and some hundred more. */
async function encodedTree(members: number): Promise<number> {
  const { founder } = await seatIn(coppice, "populated", members);
  return (await founder.groupInfo()).length;
}

/** Bytes that values take which nothing else holds, after a collection of garbage. */
async function bytesHeld(make: () => Promise<Member>): Promise<number> {
  const { gc, process } = globalThis as unknown as NodeGlobals;
  const used = (): number => {
    for (let pass = 0; pass < 3; pass++) gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  const held: Member[] = [];
  for (let copy = 0; copy < COPIES; copy++) held.push(await make());
  return (used() - before) / held.length;
}

/** What Node has and `engines.ts` switches on. */
interface NodeGlobals {
  readonly gc: () => void;
  readonly process: { readonly memoryUsage: () => { readonly heapUsed: number; readonly external: number } };
}

const COPIES = 3;

export const stateScenarios: readonly Scenario[] = [
  {
    name: "state: encode",
    sizes: MEMBERS,
    sizeUnit: "members",
    setup: (members) => contest(members, (member) => () => member.encode()),
  },
  {
    name: "state: restore",
    sizes: MEMBERS,
    sizeUnit: "members",
    setup: (members) =>
      contest(members, (member) => {
        const bytes = member.encode();
        return () => member.decode(bytes);
      }),
  },
  {
    name: "state: encoded",
    sizes: MEMBERS,
    sizeUnit: "members",
    promise: (n) => (n === 1_000 ? 1.1 : undefined),
    setup: async (members) => {
      const bytes: Record<string, number> = {};
      for (const library of peersIn("state", members)) {
        bytes[library.name] = (await usedState(library, members)).encode().length;
      }
      // Beside the tree, 20 kB of everything else are granted.
      const limit = (await encodedTree(members)) + 20_000 / 1.1;
      return { bytes: { ...bytes, coppice: (await usedState(coppice, members)).encode().length }, limit };
    },
  },
  {
    name: "state: in memory, for each member",
    sizes: [1_000, 10_000],
    sizeUnit: "members",
    engines: ["node"],
    setup: async (members) => {
      const measured = async (library: Library): Promise<number> => {
        const state = await usedState(library, members);
        const bytes = state.encode();
        // A copy each time: what is restored may be views of it.
        return (await bytesHeld(() => state.decode(bytes.slice()))) / members;
      };
      const peers: Record<string, number> = {};
      for (const library of peersIn("state", members)) peers[library.name] = await measured(library);
      return { bytes: { ...peers, coppice: await measured(coppice) } };
    },
  },
];
