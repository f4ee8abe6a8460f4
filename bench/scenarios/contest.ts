/** Puts contests together from the same step by every library. */
import { coppice } from "../libraries/coppice.ts";
import { contestantsFor } from "../libraries/index.ts";
import type { Library } from "../libraries/library.ts";
import type { Contest, Contestant, Work } from "../src/scenario.ts";

/** The step as `enter` sets it up for each library that is measured in groups of `members`. */
export async function contestOf(
  members: number,
  work: Work,
  enter: (library: Library) => Contestant | Promise<Contestant>,
): Promise<Contest> {
  const peers: Record<string, Contestant> = {};
  for (const library of contestantsFor(members)) {
    if (library !== coppice) peers[library.name] = await enter(library);
  }
  return { coppice: await enter(coppice), peers, work };
}

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
