/** Application messages of 100 bytes. */
import { seatIn } from "../fixtures/seat.ts";
import type { Bytes, Library } from "../libraries/library.ts";
import type { Contestant, Scenario } from "../src/scenario.ts";
import { contestOf, fresh } from "./contest.ts";
import { bytes } from "./inputs.ts";

const DATA = bytes(100);

/** Makes and takes messages in turn. */
async function checked(library: Library): Promise<Awaited<ReturnType<typeof seatIn>>> {
  const seat = await seatIn(library, "populated", 2);
  const opened = await seat.member.open(await seat.founder.send(DATA));
  const answered = await seat.founder.open(await seat.member.send(DATA));
  if (opened.join() !== DATA.join() || answered.join() !== DATA.join()) throw new Error("not what was sent");
  return seat;
}

async function sending(library: Library): Promise<Contestant> {
  const { member } = await checked(library);
  return () => member.send(DATA);
}

/** Messages that Coppice sent, in order. */
async function opening(library: Library): Promise<Contestant> {
  const { founder, member } = await checked(library);
  return fresh(
    () => founder.send(DATA),
    (message) => member.open(message),
  );
}

async function sendingFirst(library: Library, members: number): Promise<Contestant> {
  const { member } = await seatIn(library, "populated", members);
  return fresh(
    () => member.fork(),
    (own) => own.send(DATA),
  );
}

async function openingFirst(library: Library, members: number): Promise<Contestant> {
  const { founder, member } = await seatIn(library, "populated", members);
  const message = await founder.send(DATA);
  return fresh(
    () => member.fork(),
    (own) => own.open(message),
  );
}

async function catchingUp(library: Library, count: number): Promise<Contestant> {
  const { founder, member } = await checked(library);
  const backlog: Bytes[] = [];
  for (let index = 0; index < count; index++) backlog.push(await founder.send(DATA));
  return fresh(
    () => member.fork(),
    (own) => own.openAll(backlog),
  );
}

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
    setup: () => contestOf(2, { sign: 1 }, sending),
  },
  {
    name: "message: open",
    sizes: [1],
    sizeUnit: "messages",
    promise: only("chromium", 1.3),
    setup: () => contestOf(2, { verify: 1 }, opening),
  },
  {
    name: "message: open a backlog",
    sizes: [1_000],
    sizeUnit: "messages",
    promise: only("chromium", 1.2),
    setup: (count) => contestOf(2, { verify: count }, (library) => catchingUp(library, count)),
  },
  {
    name: "message, first of an epoch: send",
    sizes: [2, 10, 100, 1_000, 10_000],
    sizeUnit: "members",
    setup: (members) => contestOf(members, { sign: 1 }, (library) => sendingFirst(library, members)),
  },
  {
    name: "message, first of its sender: open",
    sizes: [2, 10, 100, 1_000, 10_000],
    sizeUnit: "members",
    setup: (members) => contestOf(members, { verify: 1 }, (library) => openingFirst(library, members)),
  },
];
