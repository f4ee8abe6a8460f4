/** What the measurements call in a page. */
import { Coppice, type Client, type Conversation, type HistoryItem } from "coppice";
import type { Counts } from "./counters.ts";

/** One name for each tab, so that its worker's counters can be asked. */
const name = crypto.randomUUID();
const channel = new BroadcastChannel(`counts:${name}`);
const decoder = new TextDecoder();
let client: Client | undefined;
const problems: string[] = [];
/** When each message was seen here, by its text. */
const seen = new Map<string, number>();
const sent = new Map<string, number>();
let waiting: (() => void) | undefined;

function opened(): Client {
  if (client === undefined) throw new Error("No client is open in this page");
  return client;
}

function conversation(id: string): Conversation {
  const found = opened().conversation(id);
  if (found === undefined) throw new Error("There is no such conversation");
  return found;
}

const now = (): number => performance.timeOrigin + performance.now();

function note(item: HistoryItem): void {
  if (item.kind !== "message") return;
  const text = decoder.decode(item.data);
  if (!seen.has(text)) seen.set(text, now());
  if (item.state === "sent") sent.set(text, now());
  waiting?.();
}

function untilNoted(map: ReadonlyMap<string, number>, text: string): Promise<number> {
  return new Promise((resolve) => {
    const look = (): void => {
      const at = map.get(text);
      if (at === undefined) return;
      waiting = undefined;
      resolve(at);
    };
    waiting = look;
    look();
  });
}

const page = {
  /** Milliseconds until the list of conversations is there. */
  open: async (user: string): Promise<number> => {
    const start = performance.now();
    client = await Coppice.open({
      name: user,
      server: location.origin,
      worker: () => new Worker("/worker.js", { type: "module", name }),
    });
    const milliseconds = performance.now() - start;
    client.on("problem", ({ code, message }) => problems.push(`${code}: ${message}`));
    return milliseconds;
  },
  problems: (): string[] => problems,
  close: (): Promise<void> => opened().close(),
  create: async (title: string): Promise<string> => (await opened().createGroup({ title })).id,
  add: (id: string, users: string[]): Promise<void> => conversation(id).add(users),
  count: (): number => opened().conversations.length,
  has: (id: string): boolean => opened().conversation(id) !== undefined,
  listen: (id: string): void => {
    conversation(id).on("item", note);
  },
  /** Sends a message; when it was handed in, and when the server had it (milliseconds since 1970). */
  send: async (id: string, text: string): Promise<{ readonly handedIn: number; readonly sent: number }> => {
    const handedIn = now();
    await conversation(id).send(text);
    return { handedIn, sent: await untilNoted(sent, text) };
  },
  /** Hands in all of these at once; when (milliseconds since 1970). */
  sendAtOnce: async (id: string, texts: string[]): Promise<number> => {
    const handedIn = now();
    await Promise.all(texts.map((text) => conversation(id).send(text)));
    return handedIn;
  },
  /** When the last of these was seen here. */
  heardAll: async (texts: string[]): Promise<number> => {
    let last = 0;
    for (const text of texts) last = Math.max(last, await untilNoted(seen, text));
    return last;
  },
  /** When a message was seen here (milliseconds since 1970). */
  heard: (text: string): Promise<number> => untilNoted(seen, text),
  counts: (): Promise<Counts> =>
    new Promise((resolve) => {
      channel.onmessage = ({ data }: MessageEvent<Counts>) => {
        resolve(data);
      };
      channel.postMessage("ask");
    }),
};

export type Page = typeof page;

Object.assign(globalThis, { page });
