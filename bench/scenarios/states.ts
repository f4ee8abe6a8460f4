/** A group's state outside the engine: encoding it, reading it back, and its size. */
import { seatIn } from "../fixtures/seat.ts";
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

async function contest(members: number, operate: (member: Member) => Contestant): Promise<Contest> {
  const { coppice, peers } = await contestOf(members, {}, async (library) =>
    operate(await usedState(library, members)),
  );
  return { coppice, peers };
}

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
];
