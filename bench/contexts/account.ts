/** Opening an account with many conversations, beside one with a single conversation of two. */
import type { Browser, BrowserContext } from "playwright";
import { median } from "../src/median.ts";
import type { Row } from "../src/scenario.ts";
import { registerCrowd } from "./crowd.ts";
import { openSite } from "./site.ts";
import { openTab, type Tab, until } from "./tab.ts";

const CONVERSATIONS = 200;
const MEMBERS = 100;
const ROUNDS = 9;
/** Bounds: opening the list, and the first message in one of them. */
const OPEN_PROMISE = 5;
const SEND_PROMISE = 3;

interface Account {
  readonly user: string;
  readonly context: BrowserContext;
  /** One of its conversations. */
  readonly id: string;
}

async function openAs(context: BrowserContext, url: string, user: string): Promise<{ tab: Tab; milliseconds: number }> {
  const tab = await openTab(context, url);
  return { tab, milliseconds: await tab.call("open", user) };
}

async function makeAccount(
  browser: Browser,
  url: string,
  { user, conversations, crowd }: { user: string; conversations: number; crowd: readonly string[] },
): Promise<Account> {
  const context = await browser.newContext();
  const { tab } = await openAs(context, url, user);
  let id = "";
  for (let index = 0; index < conversations; index++) {
    id = await tab.call("create", `Conversation ${String(index)}`);
    await tab.call("add", id, [...crowd]);
  }
  await tab.call("close");
  await tab.close();
  return { user, context, id };
}

/** Milliseconds until the list is there, and then until the first message has left. */
async function openAndSend(
  { user, context, id }: Account,
  url: string,
  conversations: number,
): Promise<[number, number]> {
  const { tab, milliseconds } = await openAs(context, url, user);
  await until(async () => (await tab.call("count")) === conversations);
  await tab.call("listen", id);
  const { handedIn, sent } = await tab.call("send", id, `first ${crypto.randomUUID()}`);
  await tab.call("close");
  await tab.close();
  return [milliseconds, sent - handedIn];
}

/** Measures in turns, so that both meet the same machine, and reports two rows. */
export async function measureAccount(
  { browser, engine }: { readonly browser: Browser; readonly engine: string },
  report: (row: Row) => void,
): Promise<void> {
  const site = await openSite();
  try {
    const crowd = await registerCrowd(site.url, MEMBERS - 1, "crowd-");
    const small = await makeAccount(browser, site.url, { user: "small", conversations: 1, crowd: crowd.slice(0, 1) });
    const large = await makeAccount(browser, site.url, { user: "large", conversations: CONVERSATIONS, crowd });
    const samples: (readonly [[number, number], [number, number]])[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      samples.push([await openAndSend(small, site.url, 1), await openAndSend(large, site.url, CONVERSATIONS)]);
    }
    for (const [index, name, promise] of [
      [0, "account: open to the list", OPEN_PROMISE],
      [1, "account: first message in one of its conversations", SEND_PROMISE],
    ] as const) {
      const [base, value] = [
        median(samples.map(([one]) => one[index])),
        median(samples.map(([, many]) => many[index])),
      ];
      report({
        name: `${name}, ${String(MEMBERS)} members each`,
        engine,
        n: CONVERSATIONS,
        unit: "conversations",
        measured: "microseconds",
        coppice: value * 1000,
        peers: {},
        failed: {},
        limit: base * 1000,
        ratio: median(samples.map(([one, many]) => many[index] / one[index])),
        reference: "one conversation of two",
        promise,
      });
    }
    await small.context.close();
    await large.context.close();
  } finally {
    await site.close();
  }
}
