/** What a message costs with several tabs of one account, in groups of any size: records, locks, requests, time. */
import type { Browser } from "playwright";
import { median } from "../src/median.ts";
import type { Row } from "../src/scenario.ts";
import type { Counts } from "./counters.ts";
import { registerCrowd } from "./crowd.ts";
import { openSite } from "./site.ts";
import { openTab, type Tab, until } from "./tab.ts";

const TABS = [1, 2, 4] as const;
const SIZES: readonly number[] = [2, 100, 1000, 10_000];
const MESSAGES = 40;
/** Users of one Commit. */
const PER_COMMIT = 1000;
/** What a message may cost in any group, by what it costs in a group of two. */
const GROWTH = 1.2;

interface Group {
  readonly id: string;
  readonly alice: Tab;
  readonly bob: Tab;
  readonly openAlice: () => Promise<Tab>;
  readonly close: () => Promise<void>;
}

/** Alice and Bob in real browser profiles, and others who are never online. */
async function makeGroup(browser: Browser, url: string, members: number): Promise<Group> {
  const [atAlice, atBob] = [await browser.newContext(), await browser.newContext()];
  const [user, peer] = [`alice-${String(members)}`, `bob-${String(members)}`];
  const openAlice = async (): Promise<Tab> => {
    const tab = await openTab(atAlice, url);
    await tab.call("open", user);
    return tab;
  };
  const alice = await openAlice();
  const bob = await openTab(atBob, url);
  await bob.call("open", peer);
  const crowd = await registerCrowd(url, members - 2, `crowd-${String(members)}-`);
  const id = await alice.call("create", "Contexts");
  for (let from = 0; from < crowd.length; from += PER_COMMIT) {
    await alice.call("add", id, crowd.slice(from, from + PER_COMMIT));
  }
  await alice.call("add", id, [peer]);
  await until(() => bob.call("has", id));
  await alice.call("listen", id);
  await bob.call("listen", id);
  const close = async (): Promise<void> => {
    await atAlice.close();
    await atBob.close();
  };
  return { id, alice, bob, openAlice, close };
}

type PerMessage = Readonly<Record<keyof Counts | "milliseconds", number>>;

const differenceOf = (before: Counts, after: Counts, milliseconds: number): PerMessage => ({
  recordsRead: (after.recordsRead - before.recordsRead) / MESSAGES,
  recordsWritten: (after.recordsWritten - before.recordsWritten) / MESSAGES,
  transactions: (after.transactions - before.transactions) / MESSAGES,
  locks: (after.locks - before.locks) / MESSAGES,
  requests: (after.requests - before.requests) / MESSAGES,
  sockets: after.sockets,
  milliseconds,
});

/** Sends messages one after the other from the first tab; what each context did for one, and how long it took. */
async function exchange(group: Group, tabs: readonly Tab[]): Promise<Readonly<Record<string, PerMessage>>> {
  const { id, bob } = group;
  const [sender] = tabs;
  if (sender === undefined) throw new Error("There is no tab");
  const others = tabs.slice(1);
  const send = async (text: string): Promise<{ readonly toServer: number; readonly toPeer: number }> => {
    const done = await sender.call("send", id, text);
    const heard = await bob.call("heard", text);
    for (const tab of others) await tab.call("heard", text);
    return { toServer: done.sent - done.handedIn, toPeer: heard - done.handedIn };
  };
  const round = `${String(tabs.length)} ${crypto.randomUUID()}`;
  for (let warm = 0; warm < 5; warm++) await send(`warm ${round} ${String(warm)}`);
  const watched = [sender, ...others, bob];
  const before = await Promise.all(watched.map((tab) => tab.call("counts")));
  const times: { readonly toServer: number; readonly toPeer: number }[] = [];
  for (let index = 0; index < MESSAGES; index++) times.push(await send(`${round} ${String(index)}`));
  const after = await Promise.all(watched.map((tab) => tab.call("counts")));
  const of = (index: number, milliseconds: number): PerMessage => {
    const [start, end] = [before[index], after[index]];
    if (start === undefined || end === undefined) throw new Error("A tab was not counted");
    return differenceOf(start, end, milliseconds);
  };
  const toServer = median(times.map((time) => time.toServer));
  return {
    "by the tab that sends it": of(0, toServer),
    ...(others.length === 0 ? {} : { "by another tab": of(1, toServer) }),
    "by the peer that receives it": of(watched.length - 1, median(times.map((time) => time.toPeer))),
  };
}

const WORDS: Readonly<Record<keyof PerMessage, string>> = {
  recordsRead: "records read",
  recordsWritten: "records written",
  transactions: "durable transactions",
  locks: "locks",
  requests: "requests",
  sockets: "connections opened, in all",
  milliseconds: "time",
};

/** Requests are compared with what a message may need, times with nothing, the rest with what it is in a group of two. */
function comparison(
  key: keyof PerMessage,
  value: number,
  base: number,
  needed: number,
): Pick<Row, "limit" | "ratio" | "reference" | "promise"> {
  if (key === "milliseconds") return { limit: null, ratio: null, reference: null, promise: null };
  const isRequests = key === "requests";
  const limit = isRequests ? needed : base;
  const ratio = limit === 0 ? (value === 0 ? 1 : Infinity) : value / limit;
  const reference = isRequests ? "what it needs" : "in a group of two";
  return { limit, ratio, reference, promise: isRequests ? 1 : GROWTH };
}

/** Measures and reports row by row. `sizes` empty: all. */
export async function measureTabs(
  { browser, engine, sizes }: { readonly browser: Browser; readonly engine: string; readonly sizes: readonly number[] },
  report: (row: Row) => void,
): Promise<void> {
  const site = await openSite();
  const first = new Map<string, number>();
  try {
    for (const members of sizes.length === 0 ? SIZES : sizes) {
      const group = await makeGroup(browser, site.url, members);
      const tabs = [group.alice];
      for (const count of TABS) {
        while (tabs.length < count) {
          const tab = await group.openAlice();
          await tab.call("listen", group.id);
          tabs.push(tab);
        }
        for (const [who, costs] of Object.entries(await exchange(group, tabs))) {
          for (const key of Object.keys(WORDS) as (keyof PerMessage)[]) {
            const name = `tabs: ${String(count)}, ${WORDS[key]} for a message, ${who}`;
            const value = key === "milliseconds" ? costs[key] * 1000 : costs[key];
            const base = first.get(name) ?? value;
            first.set(name, base);
            report({
              name,
              engine,
              n: members,
              unit: "members",
              measured: key === "milliseconds" ? "microseconds" : "count",
              coppice: value,
              peers: {},
              failed: {},
              ...comparison(key, value, base, who === "by the tab that sends it" ? 1 : 0),
            });
          }
        }
      }
      await group.close();
    }
  } finally {
    await site.close();
  }
}
