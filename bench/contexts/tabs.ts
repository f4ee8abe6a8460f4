/**
 * What a message costs with several tabs of one account, in groups of any size and after a long history: records, locks,
 * requests, time; and how many are delivered when many are handed in at once.
 */
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
/** Messages that the tabs hand in at once, in all, and how often. */
const AT_ONCE = 400;
const ROUNDS = 5;
/** Milliseconds for which the peer may join: the device logs of all members are new to it. */
const JOIN_MS = 600_000;
/** Users of one Commit. */
const PER_COMMIT = 1000;
/** What a message may cost in any group, and after any history, by what it costs in a group of two. */
const GROWTH = 1.2;
/** What a message of many may take with several tabs, by what it takes with one: 0.8 as many are delivered in a second. */
const SLOWER = 1 / 0.8;

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
  await until(() => bob.call("has", id), JOIN_MS).catch(async (error: unknown) => {
    throw new Error(`Bob could not join: ${(await bob.call("problems")).join("; ")}`, { cause: error });
  });
  await alice.call("listen", id);
  await bob.call("listen", id);
  const close = async (): Promise<void> => {
    await atAlice.close();
    await atBob.close();
  };
  return { id, alice, bob, openAlice, close };
}

type Key = keyof Counts | "milliseconds";
type PerMessage = Readonly<Record<Key, number>>;

const differenceOf = (before: Counts, after: Counts, milliseconds: number): PerMessage => ({
  recordsRead: (after.recordsRead - before.recordsRead) / MESSAGES,
  recordsWritten: (after.recordsWritten - before.recordsWritten) / MESSAGES,
  transactions: (after.transactions - before.transactions) / MESSAGES,
  locks: (after.locks - before.locks) / MESSAGES,
  requests: (after.requests - before.requests) / MESSAGES,
  sockets: after.sockets,
  milliseconds,
});

/** One context's share of a message, and how many requests that may take. */
interface Share {
  readonly who: string;
  readonly costs: PerMessage;
  readonly needed: number;
}

/** Sends messages one after the other from one of the tabs, of which the first leads; what each context did for one. */
async function exchange(group: Group, tabs: readonly Tab[], sender: Tab): Promise<readonly Share[]> {
  const { id, bob } = group;
  const [leader] = tabs;
  if (leader === undefined) throw new Error("There is no tab");
  const send = async (text: string): Promise<{ readonly toServer: number; readonly toPeer: number }> => {
    const done = await sender.call("send", id, text);
    const heard = await bob.call("heard", text);
    for (const tab of tabs) if (tab !== sender) await tab.call("heard", text);
    return { toServer: done.sent - done.handedIn, toPeer: heard - done.handedIn };
  };
  const round = crypto.randomUUID();
  for (let warm = 0; warm < 5; warm++) await send(`warm ${round} ${String(warm)}`);
  const watched = [...tabs, bob];
  const before = await Promise.all(watched.map((tab) => tab.call("counts")));
  const times: { readonly toServer: number; readonly toPeer: number }[] = [];
  for (let index = 0; index < MESSAGES; index++) times.push(await send(`${round} ${String(index)}`));
  const after = await Promise.all(watched.map((tab) => tab.call("counts")));
  const toServer = median(times.map((time) => time.toServer));
  const toPeer = median(times.map((time) => time.toPeer));
  const shareOf = (tab: Tab, who: string, needed: number): Share => {
    const [start, end] = [before[watched.indexOf(tab)], after[watched.indexOf(tab)]];
    if (start === undefined || end === undefined) throw new Error("A tab was not counted");
    return { who, costs: differenceOf(start, end, tab === bob ? toPeer : toServer), needed };
  };
  const isLeading = sender === leader;
  // Of those that only follow, the last one stands for all.
  const bystander = tabs.findLast((tab) => tab !== sender && tab !== leader);
  return [
    shareOf(sender, isLeading ? "by the leading tab, which sends it" : "by the tab that sends it", isLeading ? 1 : 0),
    ...(isLeading ? [] : [shareOf(leader, "by the leading tab, which another has it from", 1)]),
    ...(bystander === undefined ? [] : [shareOf(bystander, `by a tab that follows${isLeading ? "" : " both"}`, 0)]),
    ...(isLeading ? [shareOf(bob, "by the peer that receives it", 0)] : []),
  ];
}

/** Milliseconds for each of many messages that the tabs hand in at once, until the peer has seen them. */
async function flood({ id, bob }: Group, tabs: readonly Tab[]): Promise<number> {
  const name = crypto.randomUUID();
  const batches = tabs.map((_, tab) =>
    Array.from({ length: AT_ONCE / tabs.length }, (__, index) => `${name} ${String(tab)} ${String(index)}`),
  );
  const starts = await Promise.all(tabs.map((tab, index) => tab.call("sendAtOnce", id, batches[index] ?? [])));
  const heard = await bob.call("heardAll", batches.flat());
  return (heard - Math.min(...starts)) / AT_ONCE;
}

/** Opens and closes tabs of Alice until there are so many; the first one stays. */
async function setTabs(group: Group, tabs: Tab[], count: number): Promise<void> {
  while (tabs.length > count) await tabs.pop()?.close();
  while (tabs.length < count) {
    const tab = await group.openAlice();
    await tab.call("listen", group.id);
    tabs.push(tab);
  }
}

/** In turns with one tab and with several, so that both meet the same machine. */
async function floodInTurns(
  group: Group,
  tabs: Tab[],
): Promise<{ readonly alone: number; readonly together: number; readonly ratio: number }> {
  const count = tabs.length;
  const samples: (readonly [alone: number, together: number])[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await setTabs(group, tabs, 1);
    const alone = await flood(group, tabs);
    await setTabs(group, tabs, count);
    samples.push([alone, await flood(group, tabs)]);
  }
  return {
    alone: median(samples.map(([alone]) => alone)),
    together: median(samples.map(([, together]) => together)),
    ratio: median(samples.map(([alone, together]) => together / alone)),
  };
}

const WORDS: Readonly<Record<Key, string>> = {
  recordsRead: "records read",
  recordsWritten: "records written",
  transactions: "durable transactions",
  locks: "locks",
  requests: "requests",
  sockets: "connections opened, in all",
  milliseconds: "time",
};

/** Requests are compared with what a message may need, times and connections with nothing, the rest with what it is elsewhere. */
function comparison(
  key: Key,
  value: number,
  { base, needed, reference }: { readonly base: number; readonly needed: number; readonly reference: string },
): Pick<Row, "limit" | "ratio" | "reference" | "promise"> {
  if (key === "milliseconds" || key === "sockets") return { limit: null, ratio: null, reference: null, promise: null };
  const isRequests = key === "requests";
  const limit = isRequests ? needed : base;
  const ratio = limit === 0 ? (value === 0 ? 1 : Infinity) : value / limit;
  return { limit, ratio, reference: isRequests ? "what it needs" : reference, promise: isRequests ? 1 : GROWTH };
}

/** Measures and reports row by row. `sizes` empty: all. */
export async function measureTabs(
  { browser, engine, sizes }: { readonly browser: Browser; readonly engine: string; readonly sizes: readonly number[] },
  report: (row: Row) => void,
): Promise<void> {
  const site = await openSite();
  const inGroupOfTwo = new Map<string, number>();
  const measured = (name: string, members: number, value: number, rest: Partial<Row>): void => {
    const row = { name, engine, n: members, unit: "members", measured: "count", coppice: value, peers: {}, failed: {} };
    report({ ...row, limit: null, ratio: null, reference: null, promise: null, ...rest } as Row);
  };
  const share = (
    { who, costs, needed }: Share,
    { tabs, members, history }: { readonly tabs: number; readonly members: number; readonly history: string },
  ): void => {
    for (const key of Object.keys(WORDS) as Key[]) {
      const plain = `tabs: ${String(tabs)}, ${WORDS[key]} for a message, ${who}`;
      const isTime = key === "milliseconds";
      const value = costs[key];
      const base = inGroupOfTwo.get(plain) ?? value;
      inGroupOfTwo.set(plain, base);
      const reference = "in a group of two";
      const compared = comparison(key, value, { base, needed, reference });
      const rest = isTime ? { measured: "microseconds" as const } : compared;
      measured(plain + history, members, isTime ? value * 1000 : value, rest);
    }
  };
  try {
    for (const members of sizes.length === 0 ? SIZES : sizes) {
      const group = await makeGroup(browser, site.url, members);
      const tabs = [group.alice];
      const records: number[] = [];
      for (const count of TABS) {
        await setTabs(group, tabs, count);
        const shares = await exchange(group, tabs, group.alice);
        for (const one of shares) share(one, { tabs: count, members, history: "" });
        const [sender, follower] = shares.map(({ costs }) => costs.recordsRead + costs.recordsWritten);
        records.push((sender ?? 0) + (count - 1) * (follower ?? 0));
        const other = tabs.at(-1);
        if (other !== undefined && other !== group.alice) {
          for (const one of await exchange(group, tabs, other)) share(one, { tabs: count, members, history: "" });
        }
        if (count === 1) continue;
        const { alone, together, ratio } = await floodInTurns(group, tabs);
        measured(`tabs: ${String(count)}, time for each of ${String(AT_ONCE)} messages at once`, members, 0, {
          measured: "microseconds",
          coppice: together * 1000,
          limit: alone * 1000,
          ratio,
          reference: "with one tab",
          promise: SLOWER,
        });
        measured(`tabs: ${String(count)}, delivered in a second`, members, 1000 / together, {
          limit: 1000 / alone,
        });
      }
      const [one = 0, two = 0, four = 0] = records;
      measured("tabs: 4, records read and written for a message, for each tab more", members, (four - one) / 3, {
        limit: two - one,
        ratio: (four - one) / 3 / (two - one),
        reference: "for the second tab",
        promise: GROWTH,
      });
      const history = `, after ${String(2 * (TABS.length - 1) * ROUNDS * AT_ONCE)} more`;
      for (const again of await exchange(group, tabs, group.alice)) share(again, { tabs: 4, members, history });
      await group.close();
    }
  } finally {
    await site.close();
  }
}
