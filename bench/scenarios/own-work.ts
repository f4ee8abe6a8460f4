/** What Coppice itself takes for a step: with signatures that cost nothing, all that is left is ours, and keys of HPKE. */
import type { CipherSuite } from "@coppice/core";
import { loadGroup } from "../fixtures/load.ts";
import { coppice, memberOf, SUITE, type CoppiceMember } from "../libraries/coppice.ts";
import type { Bytes } from "../libraries/library.ts";
import type { Contestant, Scenario } from "../src/scenario.ts";
import { fresh } from "./contest.ts";
import { bytes } from "./inputs.ts";
import { newKeyPackages } from "./joins.ts";

const DATA = bytes(100);
const SIGNATURE = bytes(64);

/** Takes everything for a signature. */
const UNVERIFIED: CipherSuite = {
  ...SUITE,
  signature: { ...SUITE.signature, verify: () => Promise.resolve(true) },
};

/** Signs with always the same bytes. */
function unsigned(member: CoppiceMember): CoppiceMember {
  const { tree, leafIndex } = member.state();
  const publicKey = tree.leaf(leafIndex)?.signatureKey;
  if (publicKey === undefined) throw new Error("no leaf");
  return memberOf({ ...member.state(), suite: UNVERIFIED }, { publicKey, sign: () => Promise.resolve(SIGNATURE) });
}

interface Pair {
  readonly founder: CoppiceMember;
  readonly member: CoppiceMember;
}

/** The first and the last of `members`, of whom the last has committed, as the others may have. */
async function pairIn(founder: CoppiceMember, members: number): Promise<Pair> {
  const last = await coppice.newClient(members - 1);
  const { welcome } = await founder.commit({ add: [last.keyPackage] });
  if (welcome === undefined) throw new Error("no Welcome");
  const member = await last.join(welcome);
  await founder.process((await member.commit({})).commit);
  return { founder: unsigned(founder), member: unsigned(member) };
}

const pair = async (): Promise<Pair> => pairIn(await (await coppice.newClient(0)).found(), 2);

async function joining(members: number): Promise<Contestant> {
  const client = await coppice.newClient(members - 1, UNVERIFIED);
  const founder = await loadGroup("sparse", members - 1);
  const { welcome } = await founder.commit({ add: [client.keyPackage] });
  if (welcome === undefined) throw new Error("no Welcome");
  return () => client.join(welcome);
}

async function processingAdds(count: number): Promise<Contestant> {
  const add = await newKeyPackages(count);
  const { founder, member } = await pair();
  const { commit } = await founder.commit({ add, wire: "mls_public_message" });
  return () => member.fork().process(commit);
}

async function processing(members: number): Promise<Contestant> {
  const { founder, member } = await pairIn(await loadGroup("populated", members - 1), members);
  return fresh(
    async () => (await founder.commit({})).commit,
    (commit) => member.process(commit),
  );
}

const scenario = (
  step: string,
  count: number,
  prepare: (count: number) => Promise<Contestant>,
  sizeUnit: Scenario["sizeUnit"] = "messages",
): Scenario => ({
  name: `own work: ${step}`,
  sizes: [count],
  sizeUnit,
  setup: async () => ({ coppice: await prepare(count), peers: {} }),
});

export const ownWorkScenarios: readonly Scenario[] = [
  scenario("send", 1, async () => {
    const { member } = await pair();
    return () => member.send(DATA);
  }),
  scenario("open", 1, async () => {
    const { founder, member } = await pair();
    return fresh(
      () => founder.send(DATA),
      (message) => member.open(message),
    );
  }),
  scenario("open a backlog", 1_000, async () => {
    const { founder, member } = await pair();
    const backlog = async (): Promise<Bytes[]> => {
      const messages: Bytes[] = [];
      for (let i = 0; i < 1_000; i++) messages.push(await founder.send(DATA));
      return messages;
    };
    return fresh(backlog, (messages) => member.openAll(messages));
  }),
  scenario("process a warm Commit", 1_000, processing, "members"),
  scenario("join by Welcome, sparse", 1_000, joining, "members"),
  scenario("add many at once: process", 1_000, processingAdds, "members"),
];
