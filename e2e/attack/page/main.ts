/** What the attackers call in a page. Everything is plain data, so that it crosses to Node. */
import { rows } from "./rows.ts";
import { ORDERS, REPORTS, type Order, type Report } from "./standstill-orders.ts";
import { Coppice, isCoppiceError, type Client, type Conversation } from "coppice";

/** A message as this page's history has it. */
export interface Seen {
  readonly id: string;
  readonly text: string;
  readonly sender: string;
  readonly state: "sending" | "sent" | "failed";
}

/** Tells this page's worker from the others of its browser. */
const workerName = crypto.randomUUID();
const worker = (): Worker => new Worker("/worker.js", { type: "module", name: workerName });
const decoder = new TextDecoder();

let client: Client | undefined;
const problems: { code: string; message: string; conversation: string | undefined }[] = [];
/** Texts of `message` events by conversation, in their order. */
const told = new Map<string, string[]>();
const orders = new BroadcastChannel(ORDERS);
/** What this page's worker has reported since the last order. */
const moments: Report[] = [];
new BroadcastChannel(REPORTS).onmessage = ({ data }: MessageEvent<Report>) => {
  if (data.worker === workerName) moments.push(data);
};
/** Sends that have not settled, by their start (milliseconds of `performance.now`). */
const waiting = new Set<number>();
let longest = 0;

function opened(): Client {
  if (client === undefined) throw new Error("No client is open in this page");
  return client;
}

function conversation(id: string): Conversation {
  const found = opened().conversation(id);
  if (found === undefined) throw new Error(`There is no conversation ${id}`);
  return found;
}

function listen(id: string): void {
  if (told.has(id)) return;
  const texts: string[] = [];
  told.set(id, texts);
  conversation(id).on("message", ({ data }) => {
    texts.push(decoder.decode(data));
  });
}

async function timed<T>(work: Promise<T>): Promise<T> {
  const start = performance.now();
  waiting.add(start);
  try {
    return await work;
  } finally {
    waiting.delete(start);
    longest = Math.max(longest, performance.now() - start);
  }
}

/** "ok", or the code of what a call rejected with. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    return isCoppiceError(error) ? error.code : String(error);
  }
}

async function history(id: string): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (let before: number | undefined; ;) {
    const page = await conversation(id).history({ limit: 1000, ...(before === undefined ? {} : { before }) });
    for (const item of page) {
      if (item.kind !== "message") continue;
      seen.push({ id: item.id, text: decoder.decode(item.data), sender: item.sender, state: item.state });
    }
    before = page[0]?.seq;
    if (before === undefined) return seen;
  }
}

async function kinds(id: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let before: number | undefined; ;) {
    const page = await conversation(id).history({ limit: 1000, ...(before === undefined ? {} : { before }) });
    for (const { kind } of page) counts[kind] = (counts[kind] ?? 0) + 1;
    before = page[0]?.seq;
    if (before === undefined) return counts;
  }
}

const page = {
  ...rows,
  open: (name: string): Promise<string> =>
    outcome(
      Coppice.open({ name, server: location.origin, worker }).then((made) => {
        client = made;
        made.on("problem", ({ code, message, conversation: of }) => problems.push({ code, message, conversation: of }));
        made.on("conversation", ({ id }) => {
          listen(id);
        });
        for (const { id } of made.conversations) listen(id);
      }),
    ),
  /** Deletes the account from this browser, without opening it. */
  wipe: (name: string): Promise<string> => outcome(Coppice.wipe({ name, server: location.origin, worker })),
  isOpen: (): boolean => client !== undefined,
  /** Lets an engine in the service worker take what is new; "ok", or the code of what failed. */
  wakeServiceWorker: async (name: string): Promise<string> => {
    await navigator.serviceWorker.register("/service-worker.js");
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise<string>((resolve) => {
      port1.onmessage = ({ data }: MessageEvent<string>) => {
        resolve(data);
      };
    });
    active?.postMessage({ name }, [port2]);
    return answer;
  },
  close: (): Promise<string> => outcome(opened().close()),
  create: async (title: string): Promise<string> => {
    const { id } = await opened().createGroup({ title });
    listen(id);
    return id;
  },
  add: (id: string, users: string[]): Promise<string> => outcome(conversation(id).add(users)),
  remove: (id: string, users: string[]): Promise<string> => outcome(conversation(id).remove(users)),
  update: (id: string): Promise<string> => outcome(timed(conversation(id).update())),
  rename: (id: string, title: string): Promise<string> => outcome(timed(conversation(id).rename(title))),
  /** Stores these messages; resolves with the outcomes, not waiting for the network. */
  send: (id: string, texts: string[]): Promise<string[]> =>
    Promise.all(texts.map((text) => outcome(timed(conversation(id).send(text))))),
  sync: (): Promise<string> => outcome(opened().sync()),
  rejoin: (id: string): Promise<string> => outcome(conversation(id).rejoin()),
  forget: (id: string): Promise<string> => outcome(conversation(id).forget()),
  online: (): boolean => opened().online,
  status: (id: string): string => opened().conversation(id)?.snapshot.status ?? "none",
  epoch: (id: string): string => String(conversation(id).snapshot.epoch),
  has: (id: string): boolean => opened().conversation(id) !== undefined,
  history,
  kinds,
  told: (id: string): string[] => told.get(id) ?? [],
  problems: (): typeof problems => problems,
  /** Orders this page's worker to stand still at a moment to come: see `standstill.ts`. */
  order: (at: number, milliseconds: number): void => {
    moments.splice(0);
    orders.postMessage({ worker: workerName, at, milliseconds } satisfies Order);
  },
  /** The moments that the worker has met since, in their order. */
  moments: (): string[] => moments.map(({ moment }) => moment),
  /** The moment at which the worker stands still, or stood. */
  standstill: (): string | undefined => moments.find(({ standsStill }) => standsStill)?.moment,
  /** Milliseconds of the longest call so far, those that still wait included. */
  longestWait: (): number => Math.max(longest, ...[...waiting].map((start) => performance.now() - start)),
};

export type Page = typeof page;

Object.assign(globalThis, { page });
