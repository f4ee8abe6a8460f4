/**
 * `npm run weather -- [--seconds N] [--seed S]`: people in real Chromium and Firefox talk through a real server while
 * networks fail, Commits pass their queues, tabs come and go, workers freeze, the server is killed and a profile is
 * restored from a copy. Nothing that was acknowledged may be lost, nothing shown twice. Exit code 1 on any loss.
 */
import { call } from "./browsers.ts";
import { attackOptions } from "./options.ts";
import { installedEngines, Party, sleep } from "./party.ts";
import { seeded } from "./random.ts";
import { standStill } from "./standstill.ts";
import { conclude } from "./verdict.ts";

const { seconds, seed } = attackOptions("weather");
const random = seeded(seed);
const engines = installedEngines();
const [first = "chromium", second = first] = engines;
console.log(`weather: ${engines.join(" and ")}, ${String(seconds)} s, seed ${String(seed)}`);

const party = await Party.gather([
  ["alice", first],
  ["bob", second],
  ["carol", first],
]);
const { people, group, server } = party;
const [alice, bob, carol] = [party.person("alice"), party.person("bob"), party.person("carol")];
await alice.openTab();

/** About as many moments as a worker meets while it sends. */
const MOMENTS = 40;

/** What a restored profile does not remember. */
const gone = new Set<string>();
let longestWait = 0;
const end = Date.now() + seconds * 1000;
const episodes = new Map<string, number>();

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
      const other = random.pick(others);
      await other.say(other.tab, group, 1);
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
    const person = random.pick(people);
    await Promise.all([person.say(person.tab, group, 3), server.kill()]);
    await alice.say(random.pick(alice.tabs), group, 3);
    await bob.say(bob.tab, group, 5);
    await server.start();
  },
  tabs: async () => {
    if (alice.tabs.length < 4 && random.next() < 0.5) await alice.openTab();
    else if (alice.tabs.length > 1) await alice.closeTab(random.pick(alice.tabs));
    for (const tab of alice.tabs) await alice.say(tab, group, random.pick([1, 10]));
  },
  /** The worker of one tab stands still, wherever browsers let one stand; the others must not. */
  freeze: async () => {
    // In Firefox some standstills hold up the database: `freeze` tells them apart.
    if (alice.profile.engine !== "chromium" || alice.tabs.length < 2) return;
    const [frozen, ...awake] = alice.tabs;
    if (frozen === undefined) return;
    const milliseconds = random.pick([6000, 12_000]);
    let busy: Promise<unknown> | undefined;
    await standStill(frozen, { at: random.integer(0, MOMENTS), milliseconds }, () => {
      busy = alice.say(frozen, group, 10);
    });
    const awakes = sleep(milliseconds);
    for (const tab of awake) {
      const start = Date.now();
      await alice.say(tab, group, 3);
      longestWait = Math.max(longestWait, Date.now() - start);
    }
    await busy;
    await awakes;
  },
  /** A copy of the profile is restored after more was sent from it. */
  rollBack: async () => {
    await carol.quit();
    await carol.profile.save();
    const known = carol.accepted.length;
    await carol.profile.start();
    await carol.openTab();
    await carol.say(carol.tab, group, 5);
    await party.settle([carol]);
    await carol.quit();
    for (const text of carol.accepted.slice(known)) gone.add(text);
    await carol.profile.restore();
    await carol.profile.start();
    await carol.openTab();
    await carol.say(carol.tab, group, 3);
    await party.settle([carol]);
    await carol.noteProblems();
    if (!carol.problems.has("ERR_CLIENT_ROLLED_BACK")) throw new Error("A restored profile was not noticed");
  },
};

let failure: unknown;
try {
  const schedule = ["talk", "talk", "talk", "storm", "molasses", "silence", "tabs", "tabs", "kill", "freeze"];
  let nextRollBack = Date.now() + Math.min(60_000, seconds * 300);
  do {
    const due = Date.now() > nextRollBack;
    if (due) nextRollBack = Date.now() + 150_000;
    const name = due ? "rollBack" : random.pick(schedule);
    episodes.set(name, (episodes.get(name) ?? 0) + 1);
    await weathers[name]?.();
    await sleep(random.integer(0, 300));
  } while (Date.now() < end);
  await party.calmDown();
} catch (error) {
  failure = error;
}
process.exit((await conclude(party, { attack: "weather", episodes, failure, gone, longestWait })) ? 0 : 1);
