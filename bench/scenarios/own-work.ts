/** What Coppice itself takes for a step: with signatures that cost nothing, all that is left is ours, and keys of HPKE. */
import { loadGroup } from "../fixtures/load.ts";
import { coppice, memberOf, SUITE, type CoppiceMember } from "../libraries/coppice.ts";
import type { Bytes } from "../libraries/library.ts";
import type { Contestant, Scenario } from "../src/scenario.ts";
import { fresh } from "./contest.ts";
import { bytes } from "./inputs.ts";

const DATA = bytes(100);
const SIGNATURE = bytes(64);

/** Signs with always the same bytes, and takes them for a signature. */
function unsigned(member: CoppiceMember): CoppiceMember {
  const { tree, leafIndex } = member.state();
  const publicKey = tree.leaf(leafIndex)?.signatureKey;
  if (publicKey === undefined) throw new Error("no leaf");
  const verify = (): Promise<boolean> => Promise.resolve(true);
  const suite = { ...SUITE, signature: { ...SUITE.signature, verify } };
  return memberOf({ ...member.state(), suite }, { publicKey, sign: () => Promise.resolve(SIGNATURE) });
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

const scenario = (step: string, count: number, prepare: () => Promise<Contestant>): Scenario => ({
  name: `own work: ${step}`,
  sizes: [count],
  sizeUnit: "messages",
  setup: async () => ({ coppice: await prepare(), peers: {} }),
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
  {
    name: "own work: process a warm Commit",
    sizes: [1_000],
    sizeUnit: "members",
    setup: async (members) => {
      const { founder, member } = await pairIn(await loadGroup("populated", members - 1), members);
      const process = fresh(
        async () => (await founder.commit({})).commit,
        (commit) => member.process(commit),
      );
      return { coppice: process, peers: {} };
    },
  },
];
