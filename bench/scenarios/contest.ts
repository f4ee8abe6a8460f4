/** Puts contests together from the same step by every library. */
import { seatIn, type Seat } from "../fixtures/seat.ts";
import type { Shape } from "../fixtures/shape.ts";
import { coppice } from "../libraries/coppice.ts";
import { peersIn } from "../libraries/index.ts";
import type { Library, Step } from "../libraries/library.ts";
import type { Contest, Contestant, Work } from "../src/scenario.ts";

/** A step in a group of `members`, as `enter` sets it up for each library that can take it. */
export async function contestOf(
  { step, members, work }: { readonly step: Step; readonly members: number; readonly work?: Work },
  enter: (library: Library) => Contestant | Promise<Contestant>,
): Promise<Contest> {
  const peers: Record<string, Contestant> = {};
  for (const library of peersIn(step, members)) {
    peers[library.name] = await Promise.resolve(enter(library)).catch((error: unknown) => failing(error));
  }
  return { coppice: await enter(coppice), peers, ...(work === undefined ? {} : { work }) };
}

/** Fails when it is measured, so that the row says how. */
const failing = (reason: unknown): Contestant => ({
  prepare: () => {
    throw reason;
  },
});

/** An operation that begins every time with something of its own, which `make` gives. */
export function fresh<T>(make: () => T | Promise<T>, operate: (value: T) => unknown): Contestant {
  return {
    prepare: async (times) => {
      const values: T[] = [];
      for (let index = 0; index < times; index++) values.push(await make());
      return (index) => {
        const value = values[index];
        if (value === undefined) throw new RangeError("more runs than were prepared");
        return operate(value);
      };
    },
  };
}

/** An operation that begins every time in the same place: with forks of one seat, or each with a seat of its own. */
export async function fromSeat<T extends Pick<Seat, "member">>(
  { library, shape, members }: { readonly library: Library; readonly shape: Shape; readonly members: number },
  prepare: (seat: Seat) => T | Promise<T>,
  operate: (prepared: T) => unknown,
): Promise<Contestant> {
  const make = async (): Promise<T> => prepare(await seatIn(library, shape, members));
  if (!library.forks) return fresh(make, operate);
  const prepared = await make();
  return fresh(() => ({ ...prepared, member: prepared.member.fork() }), operate);
}
