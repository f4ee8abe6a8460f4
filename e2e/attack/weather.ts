/**
 * `npm run weather -- [--seconds N] [--seed S]`: people in real Chromium and Firefox talk through a real server while
 * networks fail, Commits pass their queues, tabs come and go, workers freeze, the server is killed and a profile is
 * restored from a copy. Nothing that was acknowledged may be lost, nothing shown twice. Exit code 1 on any loss.
 */
import { rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { DeliveryServer } from "../fixtures/delivery-server.ts";
import { browserPath, call, type EngineName, freezeWorker } from "./browsers.ts";
import { Link, Person } from "./people.ts";
import { seeded } from "./random.ts";
import { buildSite } from "./site.ts";
import { tally } from "./tally.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "600" }, seed: { type: "string", default: "1" } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
if (!(seconds > 0) || !Number.isSafeInteger(seed)) throw new RangeError("--seconds is positive, --seed an integer");
const random = seeded(seed);
const end = Date.now() + seconds * 1000;

/** Milliseconds that everything gets to arrive once the weather is fair again. */
const SETTLE_MS = 120_000;
/** The longest that a call may take while another context is frozen. */
const PATIENCE_MS = 5000;

const engines = (["chromium", "firefox"] as const).filter((engine) => browserPath(engine) !== undefined);
if (engines.length === 0) throw new Error("No browser was found: set COPPICE_CHROMIUM or COPPICE_FIREFOX");
const [first = "chromium", second = first]: readonly EngineName[] = engines;
console.log(`weather: ${engines.join(" and ")}, ${String(seconds)} s, seed ${String(seed)}`);

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

const site = await buildSite();
const links = [await Link.open(), await Link.open(), await Link.open()];
const server = await DeliveryServer.start({ site, flags: links.flatMap(({ origin }) => ["--origin", origin]) });
for (const link of links) link.leadTo(server.port);
const [aliceLink, bobLink, carolLink] = links;
if (aliceLink === undefined || bobLink === undefined || carolLink === undefined)
  throw new Error("There are three links");
const alice = await Person.create("alice", first, aliceLink);
const bob = await Person.create("bob", second, bobLink);
const carol = await Person.create("carol", first, carolLink);
const people = [alice, bob, carol];

/** What a restored profile does not remember. */
const gone = new Set<string>();
let longestWait = 0;
const counts = new Map<string, number>();
const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

for (const person of people) await person.openTab();
const group = await call(alice.tab, "create", ["Weather"]);
const added = await call(alice.tab, "add", [group, ["bob", "carol"]]);
if (added !== "ok") throw new Error(`The group could not be made: ${added}`);
for (const person of people) await until(() => call(person.tab, "has", [group]), 30_000, `${person.name} joins`);
await alice.openTab();

async function until(condition: () => Promise<boolean>, limit: number, what: string): Promise<void> {
  for (const deadline = Date.now() + limit; !(await condition()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`It did not happen within ${String(limit)} ms: ${what}`);
  }
}

/** One kind of weather. Each leaves the links up. */
const weathers: Readonly<Record<string, () => Promise<void>>> = {
  /** Just talk. */
  talk: async () => {
    const person = random.pick(people);
    await person.say(random.pick(person.tabs), group, random.pick([1, 1, 2, 5, 20]));
  },
  /** A queue grows offline while Commits pass it (issue: acknowledged messages lost). */
  storm: async () => {
    const away = random.pick(people);
    const others = people.filter((person) => person !== away);
    away.link.state = "down";
    await away.say(random.pick(away.tabs), group, random.pick([20, 60, 200]));
    for (let commits = random.integer(1, 8); commits > 0; commits--) {
      await call(random.pick(others).tab, "update", [group]).catch(() => "late");
      await random
        .pick(others)
        .say(random.pick(others).tab, group, 1)
        .catch(() => undefined);
    }
    away.link.state = "up";
    await away.say(random.pick(away.tabs), group, 3);
  },
  /** Slow requests beside Commits. */
  molasses: async () => {
    const slow = random.pick(people);
    slow.link.delay = random.pick([100, 400, 1500]);
    await slow.say(random.pick(slow.tabs), group, random.pick([1, 10]));
    await call(random.pick(people).tab, "update", [group]).catch(() => "late");
    await sleep(random.integer(500, 3000));
    slow.link.delay = 0;
  },
  /** Requests arrive nowhere and nothing says so. */
  silence: async () => {
    const person = random.pick(people);
    person.link.state = "silent";
    await person.say(random.pick(person.tabs), group, 2);
    await sleep(random.integer(500, 4000));
    person.link.state = "down";
    await sleep(100);
    person.link.state = "up";
  },
  kill: async () => {
    await Promise.all([random.pick(people).say(random.pick(people).tab, group, 0), server.kill()]);
    await random.pick(people).say(random.pick(alice.tabs), group, 0);
    await bob.say(bob.tab, group, 5);
    await server.start();
  },
  tabs: async () => {
    if (alice.tabs.length < 4 && random.next() < 0.5) await alice.openTab();
    else if (alice.tabs.length > 1) await alice.closeTab(random.pick(alice.tabs));
    for (const tab of alice.tabs) await alice.say(tab, group, random.pick([1, 10]));
  },
  /** The worker of one tab stands still; the others must not. */
  freeze: async () => {
    if (alice.profile.engine !== "chromium" || alice.tabs.length < 2) return;
    const [frozen, ...awake] = alice.tabs;
    if (frozen === undefined) return;
    const busy = alice.say(frozen, group, 10);
    const freezing = freezeWorker(frozen, random.pick([6000, 12_000]));
    for (const tab of awake) {
      const start = Date.now();
      await alice.say(tab, group, 3);
      longestWait = Math.max(longestWait, Date.now() - start);
    }
    await freezing;
    await busy;
  },
  /** A copy of the profile is restored after more was sent from it. */
  rollBack: async () => {
    await carol.quit();
    await carol.profile.save();
    const known = carol.accepted.length;
    await carol.profile.start();
    await carol.openTab();
    await carol.say(carol.tab, group, 5);
    await settled([carol]);
    await carol.quit();
    for (const text of carol.accepted.slice(known)) gone.add(text);
    await carol.profile.restore();
    await carol.profile.start();
    await carol.openTab();
    await carol.say(carol.tab, group, 3);
    await settled([carol]);
    await carol.noteProblems();
    if (!carol.problems.has("ERR_CLIENT_ROLLED_BACK")) throw new Error("A restored profile was not noticed");
  },
};

/** Waits until nothing of these people is on its way. */
async function settled(who: readonly Person[]): Promise<void> {
  for (const person of who) {
    await until(
      async () => {
        const history = await call(person.tab, "history", [group], 120_000);
        return (
          (await call(person.tab, "status", [group])) === "active" && history.every(({ state }) => state !== "sending")
        );
      },
      SETTLE_MS,
      `${person.name}'s messages leave`,
    );
  }
}

let failure: unknown;
try {
  const schedule = ["talk", "talk", "talk", "storm", "molasses", "silence", "tabs", "tabs", "kill", "freeze"];
  let nextRollBack = Date.now() + Math.min(60_000, seconds * 300);
  while (Date.now() < end) {
    const due = Date.now() > nextRollBack;
    if (due) nextRollBack = Date.now() + 150_000;
    const name = due ? "rollBack" : random.pick(schedule);
    count(name);
    await weathers[name]?.();
    await sleep(random.integer(0, 300));
  }
  for (const { link } of people) Object.assign(link, { state: "up", delay: 0 });
  await settled(people);
  for (const person of people) await call(person.tab, "sync", []);
  await until(
    async () => new Set(await Promise.all(people.map(({ tab }) => call(tab, "epoch", [group])))).size === 1,
    SETTLE_MS,
    "everybody reaches the same epoch",
  );
} catch (error) {
  failure = error;
}

for (const person of people) await person.noteProblems();
const result = await tally(people, group, gone).catch((error: unknown) => {
  failure ??= error;
  return undefined;
});
console.log(`episodes: ${[...counts].map(([name, times]) => `${name} ${String(times)}`).join(", ")}`);
for (const { name, problems } of people) {
  if (problems.size > 0)
    console.log(`${name} was told: ${[...problems].map(([code, n]) => `${code} ${String(n)}`).join(", ")}`);
}
for (const kind of ["lost", "repeated", "stuck"] as const) {
  for (const text of result?.[kind].slice(0, 20) ?? []) console.log(`${kind}: ${text}`);
}
if (failure !== undefined) console.log(failure instanceof Error ? (failure.stack ?? failure.message) : failure);
if (result !== undefined) {
  console.log(
    `sent ${String(result.sent)}, delivered ${String(result.delivered)}, lost ${String(result.lost.length)}, ` +
      `repeated ${String(result.repeated.length)}, behind a gap ${String(result.behindGap)}, failed ${String(result.failed)}, stuck ${String(result.stuck.length)}, ` +
      `longest wait beside a frozen tab ${String(Math.round(longestWait))} ms`,
  );
}
const isBad =
  failure !== undefined ||
  result === undefined ||
  result.lost.length + result.repeated.length + result.stuck.length > 0 ||
  longestWait > PATIENCE_MS + 1000;
if (failure !== undefined || isBad) console.log(`server log, last lines:\n${server.log.slice(-2000)}`);
for (const person of people) await person.dispose();
await server.dispose();
await rm(site, { recursive: true, force: true });
process.exit(isBad ? 1 : 0);
