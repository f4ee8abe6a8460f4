/**
 * `npm run hammer -- [--seconds N] [--seed S]`: four tabs and a service worker of one account send at once, while tabs are
 * reloaded, closed, opened, led away and back, and Commits pass. Per engine, it ends with how many messages one tab and four
 * tabs deliver per second.
 */
import type { Page as Tab } from "playwright";
import { call, type EngineName, shown } from "./browsers.ts";
import { attackOptions } from "./options.ts";
import { installedEngines, Party, sleep, until } from "./party.ts";
import { seeded } from "./random.ts";
import { conclude } from "./verdict.ts";

const { seconds, seed } = attackOptions("hammer");
const random = seeded(seed);
const TABS = 4;
/** Messages whose delivery is timed. */
const TIMED = 200;

async function attack(engine: EngineName, other: EngineName, milliseconds: number): Promise<boolean> {
  const party = await Party.gather([
    ["alice", engine],
    ["bob", other],
  ]);
  const { people, group } = party;
  const [alice, bob] = [party.person("alice"), party.person("bob")];
  const end = Date.now() + milliseconds;
  const episodes = new Map<string, number>();

  /** Messages that reach bob per second, if all tabs of alice send together. */
  async function rate(): Promise<number> {
    const has = async (): Promise<number> => (await call(bob.tab, "history", [group], 120_000)).length;
    const before = await has();
    const start = Date.now();
    await Promise.all(alice.tabs.map((tab) => alice.say(tab, group, TIMED / alice.tabs.length)));
    await until(async () => (await has()) >= before + TIMED, 120_000, "timed messages arrive");
    return (TIMED * 1000) / (Date.now() - start);
  }

  /** What happens to a tab while all of them send. */
  const blows: Readonly<Record<string, (tab: Tab) => Promise<void>>> = {
    none: async () => sleep(50),
    reload: async (tab) => {
      await tab.reload();
      await alice.openAgain(tab);
    },
    close: async (tab) => {
      await alice.closeTab(tab);
      await alice.openTab();
    },
    "lead away and back": async (tab) => {
      await tab.goto("about:blank");
      await sleep(random.integer(0, 500));
      // Not `goBack`, which waits for a load event: a page from the cache has none.
      await tab
        .evaluate(() => {
          history.back();
        })
        // The answer may not come before the page has gone.
        .catch(() => undefined);
      await shown(tab);
      // From the browser's cache, the page comes back as it was.
      if (!(await call(tab, "isOpen", []))) await alice.openAgain(tab);
    },
    Commit: async () => {
      await call(random.pick(people).tab, "update", [group]);
    },
    "service worker": async (tab) => {
      const told = await call(tab, "wakeServiceWorker", [alice.name], 60_000);
      if (told !== "ok") throw new Error(`The service worker could not sync: ${told}`);
    },
  };

  let failure: unknown;
  const rates: number[] = [];
  try {
    rates.push(await rate());
    while (alice.tabs.length < TABS) await alice.openTab();
    rates.push(await rate());
    do {
      const name = random.pick(Object.keys(blows));
      episodes.set(name, (episodes.get(name) ?? 0) + 1);
      const sending = [...alice.tabs, ...bob.tabs].map((tab) =>
        (alice.tabs.includes(tab) ? alice : bob).say(tab, group, random.pick([1, 5, 20])),
      );
      await blows[name]?.(random.pick(alice.tabs));
      await Promise.all(sending);
      if (random.next() < 0.1) await party.settle(people);
    } while (Date.now() < end);
    await party.calmDown();
  } catch (error) {
    failure = error;
  }
  const [one = 0, four = 0] = rates;
  console.log(
    `${engine}: ${one.toFixed(0)} messages/s from one tab, ${four.toFixed(0)} from four (${(four / one).toFixed(2)} x)`,
  );
  return conclude(party, { attack: `hammer, ${engine}`, episodes, failure });
}

const engines = installedEngines();
console.log(`hammer: ${engines.join(" and ")}, ${String(seconds)} s, seed ${String(seed)}`);
let isGood = true;
for (const [index, engine] of engines.entries()) {
  const other = engines[engines.length - 1 - index] ?? engine;
  isGood = (await attack(engine, other, (seconds * 1000) / engines.length)) && isGood;
}
process.exit(isGood ? 0 : 1);
