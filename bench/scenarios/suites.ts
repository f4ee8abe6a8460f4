/**
 * Post-quantum suites beside suite 1, and beside ts-mls where it has the same primitives. Each contestant is in a group of its own making,
 * founded and filled in one Commit: libraries derive keys of ML-KEM in different ways, so that one cannot join what the other made.
 */
import { getCipherSuite } from "@coppice/core";
import { PQ_CODE_POINTS, type PqCipherSuite, registerPqCipherSuites } from "@coppice/core/drafts/pq";
import { coppice, coppiceOf } from "../libraries/coppice.ts";
import type { Bytes, Client, Library, Member } from "../libraries/library.ts";
import { tsMls2Of } from "../libraries/ts-mls-2.ts";
import type { Contestant, Scenario } from "../src/scenario.ts";
import { fresh } from "./contest.ts";

registerPqCipherSuites();

const SUITES: readonly PqCipherSuite[] = [
  "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519",
  "MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519",
  "MLS_192_MLKEM1024P384_AES256GCM_SHA384_P384",
  "MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44",
  "MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87",
];

/** The one suite of ts-mls with the KEM, AEAD and signature of one of the draft's. */
const SAME_IN_TS_MLS = {
  ours: "MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519",
  theirs: "MLS_256_MLKEM768_AES256GCM_SHA384_Ed25519",
} as const;
/** Filling a larger group takes it minutes. */
const MOST_IN_TS_MLS = 100;

interface OwnGroup {
  readonly founder: Member;
  readonly member: Member;
  /** Of the last one who joined. */
  readonly client: Client;
  readonly welcome: Bytes;
}

async function fill(library: Library, members: number): Promise<OwnGroup> {
  const founder = await (await library.newClient(0)).found();
  const others: Client[] = [];
  while (others.length < members - 1) others.push(await library.newClient(others.length + 1));
  const { welcome } = await founder.commit({ add: others.map(({ keyPackage }) => keyPackage) });
  const client = others.at(-1);
  if (welcome === undefined || client === undefined) throw new RangeError("a group has two members");
  return { founder, member: await client.join(welcome), client, welcome };
}

const filled = new Map<string, Promise<OwnGroup>>();

/** The same group every time; what is done in it is done by forks. */
async function groupOf(name: string, library: Library, members: number): Promise<OwnGroup> {
  const place = `${name} ${String(members)}`;
  const group = filled.get(place) ?? fill(library, members);
  filled.set(place, group);
  const { founder, member, ...rest } = await group;
  return { founder: founder.fork(), member: member.fork(), ...rest };
}

const PUBLIC = { wire: "mls_public_message" } as const;

/** Always from the same state. */
const STEPS: Readonly<Record<string, (group: OwnGroup) => Contestant | Promise<Contestant>>> = {
  "commit, first in a sparse tree: create": ({ member }) =>
    fresh(
      () => member.fork(),
      (own) => own.commit(PUBLIC),
    ),
  "commit, first in a sparse tree: process": async ({ founder, member }) => {
    const { commit } = await founder.commit(PUBLIC);
    return fresh(
      () => member.fork(),
      (own) => own.process(commit),
    );
  },
  "join by Welcome, sparse":
    ({ client, welcome }) =>
    () =>
      client.join(welcome),
};

const scenarioOf = (suite: PqCipherSuite, step: string, enter: (typeof STEPS)[string]): Scenario => ({
  name: `suites, ${step}, ${suite}`,
  sizes: [2, 100, 1_000],
  sizeUnit: "members",
  reference: "suite 1",
  setup: async (members) => {
    const ours = coppiceOf(await getCipherSuite(PQ_CODE_POINTS[suite]));
    const peers: Record<string, Contestant> = { "suite 1": await enter(await groupOf("suite 1", coppice, members)) };
    if (suite === SAME_IN_TS_MLS.ours && members <= MOST_IN_TS_MLS) {
      const theirs = await tsMls2Of(SAME_IN_TS_MLS.theirs, MOST_IN_TS_MLS);
      peers[theirs.name] = await enter(await groupOf(theirs.name, theirs, members));
    }
    return { coppice: await enter(await groupOf(suite, ours, members)), peers };
  },
});

export const suiteScenarios: readonly Scenario[] = SUITES.flatMap((suite) =>
  Object.entries(STEPS).map(([step, enter]) => scenarioOf(suite, step, enter)),
);
