/** All contestants. */
import { coppice } from "./coppice.ts";
import type { Library } from "./library.ts";
import { tsMls1 } from "./ts-mls-1.ts";
import { tsMls2 } from "./ts-mls-2.ts";

export const PEERS: readonly Library[] = [tsMls2, tsMls1];

/** Coppice and those peers that are measured in groups of that size. */
export const contestantsFor = (members: number): readonly Library[] => [
  coppice,
  ...PEERS.filter(({ mostMembers = Infinity }) => members <= mostMembers),
];
