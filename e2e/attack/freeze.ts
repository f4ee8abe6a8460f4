/**
 * `npm run freeze -- [--seconds N] [--seed S]`: one of two tabs stands still at each moment that its worker meets while it
 * sends, commits, receives: before, in and after every lock, transaction and request. The other tab must go on: no call may
 * take longer than `PATIENCE_MS`. When the first one wakes, nothing is lost and nothing is there twice.
 */
import type { Page as Tab } from "playwright";
import { call, type EngineName } from "./browsers.ts";
import { attackOptions } from "./options.ts";
import { installedEngines, Party, sleep, until } from "./party.ts";
import { seeded } from "./random.ts";
import { callOff, standStill } from "./standstill.ts";
import { conclude, PATIENCE_MS } from "./verdict.ts";

const { seconds, seed } = attackOptions("freeze");
const random = seeded(seed);

/** Milliseconds that a worker stands still. */
const STANDSTILL_MS = 7000;

interface Wait {
  readonly what: string;
  readonly milliseconds: number;
  /** Whether the browser keeps the database for the one that stands still: nobody can take it away. */
  readonly isForDatabase: boolean;
}

async function attack(engine: EngineName, other: EngineName, milliseconds: number): Promise<boolean> {
  const party = await Party.gather([
    ["alice", engine],
    ["bob", other],
  ]);
  const { people, group } = party;
  const [alice, bob] = [party.person("alice"), party.person("bob")];
  await alice.openTab();
  const end = Date.now() + milliseconds;
  const episodes = new Map<string, number>();
  const waits: Wait[] = [];
  let failure: unknown;

  /** What the worker of a tab is busy with. */
  const acts: Readonly<Record<string, (tab: Tab) => Promise<unknown>>> = {
    sending: (tab) => alice.say(tab, group, 2),
    committing: (tab) => call(tab, "update", [group]),
    receiving: () => bob.say(bob.tab, group, 2),
    "receiving a Commit": () => call(bob.tab, "update", [group]),
  };

  /** Measures how long a call beside a standstill takes. */
  async function beside(what: string, work: Promise<unknown>): Promise<void> {
    const start = Date.now();
    await work;
    // In Firefox a write cannot be committed at once: see the store's README.
    const isForDatabase = engine === "firefox" && what.includes("committing a readwrite transaction");
    waits.push({ what, milliseconds: Date.now() - start, isForDatabase });
  }

  async function toldOf(tab: Tab, count: number): Promise<void> {
    await until(
      async () => (await call(tab, "told", [group])).length >= count,
      STANDSTILL_MS * 2,
      "the other tab is told",
    );
  }

  async function episode(act: string, at: number, still: Tab, awake: Tab): Promise<void> {
    let busy: Promise<unknown> | undefined;
    const moment = await standStill(still, { at, milliseconds: STANDSTILL_MS }, () => {
      busy = acts[act]?.(still).catch(() => undefined);
    });
    if (moment === undefined) {
      await busy;
      return;
    }
    const awakes = Date.now() + STANDSTILL_MS;
    const name = `${act}, ${moment}`;
    episodes.set(name, (episodes.get(name) ?? 0) + 1);
    const before = (await call(awake, "told", [group])).length;
    await Promise.all([
      beside(`send (${name})`, alice.say(awake, group, 1)),
      beside(`update (${name})`, call(awake, "update", [group])),
      beside(
        `message (${name})`,
        bob.say(bob.tab, group, 1).then(() => toldOf(awake, before + 1)),
      ),
    ]);
    await busy;
    await sleep(Math.max(0, awakes - Date.now()) + 100);
  }

  try {
    const moments: (readonly [act: string, at: number])[] = [];
    for (const [act, run] of Object.entries(acts)) {
      await callOff(alice.tab);
      await run(alice.tab);
      await sleep(1000);
      const met = await call(alice.tab, "moments", []);
      for (const at of met.keys()) moments.push([act, at]);
    }
    console.log(`${engine}: ${String(moments.length)} moments`);
    do {
      const [act, at] = random.pick(moments);
      const still = random.pick(alice.tabs);
      const awake = alice.tabs.find((tab) => tab !== still);
      if (awake === undefined) throw new Error("There are two tabs");
      await episode(act, at, still, awake);
      if (random.next() < 0.2) await party.settle(people);
    } while (Date.now() < end);
    await party.calmDown();
  } catch (error) {
    failure = error;
  }
  waits.sort((a, b) => b.milliseconds - a.milliseconds);
  for (const { what, milliseconds: waited } of waits.slice(0, 10)) {
    if (waited > PATIENCE_MS / 2) console.log(`${String(waited)} ms: ${what}`);
  }
  const longestOf = (isForDatabase: boolean): number =>
    Math.max(0, ...waits.filter((wait) => wait.isForDatabase === isForDatabase).map((wait) => wait.milliseconds));
  if (longestOf(true) > 0) console.log(`longest wait for the database: ${String(longestOf(true))} ms`);
  return conclude(party, { attack: `freeze, ${engine}`, episodes, failure, longestWait: longestOf(false) });
}

const engines = installedEngines();
console.log(`freeze: ${engines.join(" and ")}, ${String(seconds)} s, seed ${String(seed)}`);
let isGood = true;
for (const [index, engine] of engines.entries()) {
  const other = engines[engines.length - 1 - index] ?? engine;
  isGood = (await attack(engine, other, (seconds * 1000) / engines.length)) && isGood;
}
process.exit(isGood ? 0 : 1);
