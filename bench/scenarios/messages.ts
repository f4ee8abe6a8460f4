/** Application messages of 100 bytes. */
import { seatIn } from "../fixtures/seat.ts";
import type { Bytes, Library, Member } from "../libraries/library.ts";
import type { Contestant, Scenario } from "../src/scenario.ts";
import { contestOf, fresh, fromSeat } from "./contest.ts";
import { bytes } from "./inputs.ts";

const DATA = bytes(100);

interface Pair {
  readonly founder: Member;
  readonly member: Member;
}

/** Two members who understand each other. The founder uses Coppice, unless the library can only be among its own. */
async function pairOf(library: Library): Promise<Pair> {
  const pair = (await library.newPair?.()) ?? (await seatIn(library, "populated", 2));
  const opened = await pair.member.open(await pair.founder.send(DATA));
  const answered = await pair.founder.open(await pair.member.send(DATA));
  if (opened.join() !== DATA.join() || answered.join() !== DATA.join()) throw new Error("not what was sent");
  return pair;
}

async function sending(library: Library): Promise<Contestant> {
  const { member } = await pairOf(library);
  return () => member.send(DATA);
}

/** In the order in which they were sent. */
async function opening(library: Library): Promise<Contestant> {
  const { founder, member } = await pairOf(library);
  return fresh(
    () => founder.send(DATA),
    (message) => member.open(message),
  );
}

async function catchingUp(library: Library, count: number): Promise<Contestant> {
  const { founder, member } = await pairOf(library);
  const makeBacklog = async (): Promise<Bytes[]> => {
    const backlog: Bytes[] = [];
    for (let index = 0; index < count; index++) backlog.push(await founder.send(DATA));
    return backlog;
  };
  return fresh(makeBacklog, (backlog) => member.openAll(backlog));
}

const sendingFirst = (library: Library, members: number): Promise<Contestant> =>
  fromSeat(
    { library, shape: "populated", members },
    (seat) => seat,
    ({ member }) => member.send(DATA),
  );

const openingFirst = (library: Library, members: number): Promise<Contestant> =>
  fromSeat(
    { library, shape: "populated", members },
    async ({ founder, member }) => ({ member, message: await founder.send(DATA) }),
    ({ member, message }) => member.open(message),
  );

const only =
  (engine: string, promise: number): Exclude<Scenario["promise"], number | undefined> =>
  (_, name) =>
    name === engine ? promise : undefined;

export const messageScenarios: readonly Scenario[] = [
  {
    name: "message: send",
    sizes: [1],
    sizeUnit: "messages",
    promise: only("chromium", 1.4),
    setup: () => contestOf({ step: "message", members: 2, work: { sign: 1 } }, sending),
  },
  {
    name: "message: open",
    sizes: [1],
    sizeUnit: "messages",
    promise: only("chromium", 1.3),
    setup: () => contestOf({ step: "message", members: 2, work: { verify: 1 } }, opening),
  },
  {
    name: "message: open a backlog",
    sizes: [1_000],
    sizeUnit: "messages",
    promise: only("chromium", 1.2),
    setup: (count) =>
      contestOf({ step: "message", members: 2, work: { verify: count } }, (library) => catchingUp(library, count)),
  },
  {
    name: "message, first of an epoch: send",
    sizes: [2, 10, 100, 1_000, 10_000],
    sizeUnit: "members",
    setup: (members) =>
      contestOf({ step: "join", members, work: { sign: 1 } }, (library) => sendingFirst(library, members)),
  },
  {
    name: "message, first of its sender: open",
    sizes: [2, 10, 100, 1_000, 10_000],
    sizeUnit: "members",
    setup: (members) =>
      contestOf({ step: "join", members, work: { verify: 1 } }, (library) => openingFirst(library, members)),
  },
];
