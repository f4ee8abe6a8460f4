/** All contestants. */
import { coreCrypto } from "./core-crypto.ts";
import type { Library, Step } from "./library.ts";
import { openMlsWasm } from "./openmls-wasm.ts";
import { tsMls1 } from "./ts-mls-1.ts";
import { tsMls2 } from "./ts-mls-2.ts";

export const PEERS: readonly Library[] = [tsMls2, tsMls1, coreCrypto, openMlsWasm];

/** Those peers that can take this step, and are measured in groups of that size. */
export const peersIn = (step: Step, members: number): readonly Library[] =>
  PEERS.filter(({ steps = [step], mostMembers = Infinity }) => steps.includes(step) && members <= mostMembers);
