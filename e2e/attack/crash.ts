/**
 * `npm run crash -- [--seconds N] [--seed S]`: the browser, the server or both are killed (SIGKILL) at a random moment of
 * signing in, creating, joining, sending, committing and receiving, and started again with what lies on the disk.
 */
import { call, type EngineName } from "./browsers.ts";
import { attackOptions } from "./options.ts";
import { installedEngines, Party, sleep } from "./party.ts";
import { seeded } from "./random.ts";
import { conclude } from "./verdict.ts";

const { seconds, seed } = attackOptions("crash");
const random = seeded(seed);
/** The latest moment of a kill after something began, in milliseconds. */
const LATEST_MS = 400;

async function attack(engine: EngineName, other: EngineName, milliseconds: number): Promise<boolean> {
  const party = await Party.gather([
    ["alice", engine],
    ["bob", other],
    ["carol", engine],
  ]);
  const { people, group, server } = party;
  const [alice, bob, carol] = [party.person("alice"), party.person("bob"), party.person("carol")];
  const end = Date.now() + milliseconds;
  const episodes = new Map<string, number>();
  let groups = 0;

  /** What is under way when the power goes. */
  const acts: Readonly<Record<string, () => Promise<unknown>>> = {
    send: () => alice.say(alice.tab, group, random.pick([1, 20, 100])),
    commit: () => call(alice.tab, "update", [group]),
    receive: () => Promise.all([bob.say(bob.tab, group, 20), call(bob.tab, "update", [group])]),
    create: () => call(alice.tab, "create", [`Group ${String(++groups)}`]),
    join: async () => {
      const made = await call(bob.tab, "create", [`Group ${String(++groups)}`]);
      await call(bob.tab, "add", [made, ["alice"]]);
    },
    open: () => alice.openTab(),
  };

  async function killBrowser(): Promise<void> {
    await alice.kill();
    await alice.profile.start();
    await alice.openTab();
  }

  async function killServer(): Promise<void> {
    await server.kill();
    await server.start();
  }

  const kills: Readonly<Record<string, () => Promise<unknown>>> = {
    browser: killBrowser,
    server: killServer,
    both: () => Promise.all([killServer(), killBrowser()]),
  };

  let failure: unknown;
  try {
    do {
      const [act, kill] = [random.pick(Object.keys(acts)), random.pick(Object.keys(kills))];
      const name = `${act} | ${kill}`;
      episodes.set(name, (episodes.get(name) ?? 0) + 1);
      // Interrupted, it may fail in any way; what was acknowledged is counted.
      const under = acts[act]?.().catch(() => undefined);
      await sleep(random.integer(0, LATEST_MS));
      await kills[kill]?.();
      await under;
      alice.forgetClosedTabs();
      if (alice.tabs.length === 0) await alice.openTab();
      await carol.say(carol.tab, group, 1);
      if (random.next() < 0.3) await party.settle(people);
    } while (Date.now() < end);
    await party.calmDown();
  } catch (error) {
    failure = error;
  }
  return conclude(party, { attack: `crash, ${engine}`, episodes, failure });
}

const engines = installedEngines();
console.log(`crash: ${engines.join(" and ")}, ${String(seconds)} s, seed ${String(seed)}`);
let isGood = true;
for (const [index, engine] of engines.entries()) {
  const other = engines[engines.length - 1 - index] ?? engine;
  isGood = (await attack(engine, other, (seconds * 1000) / engines.length)) && isGood;
}
process.exit(isGood ? 0 : 1);
