/** What the tests call in the page. */
import { type Client, isCoppiceError, openInWorker } from "@coppice/worker";

const clients = new Map<string, Client>();
/** Workers in the order they were started, also those that the package starts. */
const workers: Worker[] = [];
const NativeWorker = Worker;
globalThis.Worker = class extends NativeWorker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    workers.push(this);
  }
};

async function settle(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "resolved";
  } catch (error) {
    return isCoppiceError(error) ? error.code : String(error);
  }
}

function client(name: string): Client {
  const found = clients.get(name);
  if (found === undefined) throw new Error(`${name} is not open`);
  return found;
}

const page = {
  /** Opens the package's own worker on the server of this page's origin. */
  open: (name: string, server: string = location.origin): Promise<string> =>
    settle(openInWorker({ name, server }).then((opened) => clients.set(name, opened))),

  /** Opens a worker whose engine is a fake that lets `sync` wait for ever. */
  openFake: (name: string): Promise<string> =>
    settle(
      openInWorker({
        name,
        server: location.origin,
        worker: () => new Worker(new URL("./fake-worker.ts", import.meta.url), { type: "module" }),
      }).then((opened) => clients.set(name, opened)),
    ),

  openShared: (name: string): Promise<string> =>
    settle(
      openInWorker({
        name,
        server: location.origin,
        worker: () => new SharedWorker(new URL("./fake-worker.ts", import.meta.url), { type: "module" }),
      }).then((opened) => clients.set(name, opened)),
    ),

  /** Opens the package's own worker, which does not come to answer; what the error says. */
  fail: async (): Promise<{ code: string; message: string; url: unknown } | undefined> => {
    try {
      clients.set("nobody", await openInWorker({ name: "nobody", server: "http://127.0.0.1:9" }));
      return undefined;
    } catch (error) {
      if (!isCoppiceError(error)) throw error;
      return { code: error.code, message: error.message, url: error.detail["url"] };
    }
  },

  openMissing: (): Promise<string> =>
    settle(
      openInWorker({
        name: "nobody",
        server: location.origin,
        worker: () => new Worker("/no-such-script.js", { type: "module" }),
      }),
    ),

  /** Two calls that wait, then `end`; what becomes of them and of a call afterwards. */
  waitAndEnd: async (name: string, end: "terminate" | "crash" | "close"): Promise<string[]> => {
    const waiting = [client(name).sync(), client(name).sync()].map(settle);
    await client(name).createGroup({ title: "the calls before have arrived" });
    if (end === "terminate") workers.at(-1)?.terminate();
    else if (end === "close") void client(name).close();
    else await settle(client(name).createGroup({ title: "crash" }));
    return [...(await Promise.all(waiting)), await settle(client(name).sync())];
  },

  /** Engines and sessions that are open in the fake worker. */
  counts: async (name: string): Promise<unknown> => {
    const group = await client(name).createGroup({ title: "counts" });
    const [item] = await group.history();
    return item?.kind === "message" ? JSON.parse(new TextDecoder().decode(item.data)) : undefined;
  },

  close: (name: string): Promise<string> => settle(client(name).close()),

  /** One invites the other and writes; resolves with what the other reads. */
  talk: async (from: string, to: string, text: string): Promise<unknown> => {
    const group = await client(from).createGroup({ title: "Lunch" });
    const read = new Promise((resolve) => {
      client(to).on("conversation", ({ id }) => {
        client(to)
          .conversation(id)
          ?.on("message", ({ sender, data }) => {
            resolve([sender, new TextDecoder().decode(data)]);
          });
      });
    });
    await group.add([to]);
    await group.send(text);
    return read;
  },
};

export type Page = typeof page;
Object.assign(globalThis, { page });
