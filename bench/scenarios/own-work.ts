/** What Coppice itself takes for a message: with signatures that cost nothing, all that is left is ours. */
import type { Signer } from "@coppice/core";
import { coppice, memberOf, SUITE, type CoppiceMember } from "../libraries/coppice.ts";
import type { Bytes } from "../libraries/library.ts";
import type { Contestant, Scenario } from "../src/scenario.ts";
import { fresh } from "./contest.ts";
import { bytes } from "./inputs.ts";

const DATA = bytes(100);
const SIGNATURE = bytes(64);

/** Signs with always the same bytes, and takes them for a signature. */
function unsigned(member: CoppiceMember, { publicKey }: Signer): CoppiceMember {
  const verify = (): Promise<boolean> => Promise.resolve(true);
  const suite = { ...SUITE, signature: { ...SUITE.signature, verify } };
  return memberOf({ ...member.state(), suite }, { publicKey, sign: () => Promise.resolve(SIGNATURE) });
}

async function pair(): Promise<{ readonly founder: CoppiceMember; readonly member: CoppiceMember }> {
  const [first, second] = [await coppice.newClient(0), await coppice.newClient(1)];
  const founder = await first.found();
  const { welcome } = await founder.commit({ add: [second.keyPackage] });
  if (welcome === undefined) throw new Error("no Welcome");
  const member = await second.join(welcome);
  return { founder: unsigned(founder, first.signer), member: unsigned(member, second.signer) };
}

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
];
