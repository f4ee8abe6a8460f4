/**
 * How much one server carries: `npm run load -- --clients N --seconds N [--group N] [--bytes N] [--rate N] [--idle N]
 * [--seed N] [--memory]`. Server and generator share this machine and its loopback; the data is in a file unless
 * `--memory`. Prints what was accepted and delivered, how long it took, and what it cost. Ends with status 1 if anything failed.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { countKeyPackages } from "@coppice/delivery/wire";
import { mapLimit, sleep, systemTime } from "@coppice/kit";
import { makeCrowd, Peer, type Crowd } from "./peer.ts";
import { seeded } from "./random.ts";
import type { Usage } from "./server.ts";

/** Bounds of what one run may ask for. */
const MOST = { clients: 5000, seconds: 600, group: 1000, bytes: 60_000, rate: 100_000, idle: 20_000 } as const;

/** Time for the last events to come after the last message, milliseconds. */
const DRAIN_MS = 1000;

/** Where each message says when it was sent: microseconds of this process's clock. */
const STAMP_BYTES = 8;

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "200" },
    seconds: { type: "string", default: "10" },
    group: { type: "string", default: "10" },
    bytes: { type: "string", default: "500" },
    rate: { type: "string" },
    idle: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    memory: { type: "boolean", default: false },
  },
});

function number(name: keyof typeof MOST, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= MOST[name]) return value;
  throw new RangeError(`--${name} is a whole number up to ${String(MOST[name])}`);
}

const clients = number("clients", values.clients);
const seconds = number("seconds", values.seconds);
const groupSize = Math.max(1, number("group", values.group));
const bytes = Math.max(STAMP_BYTES, number("bytes", values.bytes));
const rate = values.rate === undefined ? undefined : number("rate", values.rate);
const idle = number("idle", values.idle);

const random = seeded(Number(values.seed));
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(random() * 256));
const microseconds = (): number => Math.round(systemTime.elapsed() * 1000);

function makeMessage(): Uint8Array {
  const message = noise(bytes);
  new DataView(message.buffer).setFloat64(0, microseconds());
  return message;
}

const percentiles = (histogram: RecordableHistogram): string =>
  [50, 90, 99, 100].map((part) => `p${String(part)} ${(histogram.percentile(part) / 1000).toFixed(1)}`).join("  ");

const folder = await mkdtemp(join(tmpdir(), "coppice-load-"));
const child = fork(fileURLToPath(new URL("server.ts", import.meta.url)), values.memory ? [] : [join(folder, "ds.db")], {
  execArgv: ["--conditions=@coppice/source", "--import", "tsx"],
});
const [url] = (await once(child, "message")) as [string];

async function usage(): Promise<Usage> {
  child.send("usage");
  const [answer] = (await once(child, "message")) as [Usage];
  return answer;
}

const agent = new Agent({ keepAlive: true, maxSockets: Math.max(1, clients) });
const counts = { accepted: 0, delivered: 0, failed: 0 };
const accepted = createHistogram();
const delivered = createHistogram();
let firstFailure: unknown;

function onMessage(message: Uint8Array): void {
  counts.delivered += 1;
  const sentAt = new DataView(message.buffer, message.byteOffset).getFloat64(0);
  delivered.record(Math.max(1, microseconds() - sentAt));
}

async function post(crowd: Crowd, from: Peer): Promise<void> {
  const start = microseconds();
  try {
    await crowd.send(from, makeMessage());
    counts.accepted += 1;
    accepted.record(Math.max(1, microseconds() - start));
  } catch (error) {
    counts.failed += 1;
    firstFailure ??= error;
  }
}

/** Each client sends its next message once the one before was accepted. */
async function sendAllOut(crowds: readonly Crowd[], end: number): Promise<void> {
  const senders = crowds.flatMap((crowd) => crowd.members.map((member) => ({ crowd, member })));
  await Promise.all(
    senders.map(async ({ crowd, member }) => {
      while (systemTime.elapsed() < end) await post(crowd, member);
    }),
  );
}

/** So many messages a second, by whoever the seed says, whether those before were accepted or not. */
async function sendAtRate(crowds: readonly Crowd[], end: number, perSecond: number): Promise<void> {
  const start = systemTime.elapsed();
  const underWay: Promise<void>[] = [];
  for (let now = start, sent = 0; now < end; now = systemTime.elapsed()) {
    for (; sent < ((now - start) / 1000) * perSecond; sent++) {
      const crowd = crowds[Math.floor(random() * crowds.length)];
      const member = crowd?.members[Math.floor(random() * crowd.members.length)];
      if (crowd !== undefined && member !== undefined) underWay.push(post(crowd, member));
    }
    await sleep(systemTime, 1);
  }
  await Promise.all(underWay);
}

const log = (name: string, text: string): void => {
  console.log(`${name.padEnd(22)}${text}`);
};

try {
  log("machine", `${String(availableParallelism())} x ${cpus()[0]?.model ?? ""}, Node ${process.version}`);
  log(
    "load",
    `${String(clients)} clients, groups of ${String(groupSize)}, ${String(bytes)} bytes, seed ${values.seed}`,
  );

  if (idle > 0) {
    const sleeper = await Peer.open(url, agent);
    await sleeper.listen(() => undefined);
    const before = await usage();
    await mapLimit(Array.from({ length: idle }), 50, () => sleeper.listen(() => undefined));
    await sleep(systemTime, DRAIN_MS);
    const { rss } = await usage();
    log("idle sockets", `${String(idle)}, ${((rss - before.rss) / idle / 1000).toFixed(1)} kB each`);
  }

  const peers = await mapLimit(Array.from({ length: clients }), 20, () => Peer.open(url, agent));
  const crowds: Crowd[] = [];
  for (let first = 0; first < peers.length; first += groupSize) {
    crowds.push(await makeCrowd(peers.slice(first, first + groupSize), noise(16)));
  }
  await mapLimit(peers, 50, (peer) => peer.listen(onMessage));
  // Each opens its connection: Node accepts one in a turn of its event loop, so that those of a burst wait for each other.
  await Promise.all(peers.map((peer) => peer.call(countKeyPackages, undefined)));

  const before = await usage();
  const own = process.cpuUsage();
  const start = systemTime.elapsed();
  const end = start + seconds * 1000;
  await (rate === undefined ? sendAllOut(crowds, end) : sendAtRate(crowds, end, rate));
  const took = (systemTime.elapsed() - start) / 1000;
  const after = await usage();
  const generator = process.cpuUsage(own);
  await sleep(systemTime, DRAIN_MS);

  const perSecond = (count: number): string => `${(count / took).toFixed(0)}/s`;
  log("accepted", `${String(counts.accepted)}  ${perSecond(counts.accepted)}  ms: ${percentiles(accepted)}`);
  log("delivered", `${String(counts.delivered)}  ${perSecond(counts.delivered)}  ms: ${percentiles(delivered)}`);
  const expected = counts.accepted * (groupSize - 1);
  log("events lost", String(clients % groupSize === 0 ? expected - counts.delivered : "not counted"));
  log("failed", String(counts.failed));
  const cpu = after.cpu - before.cpu;
  log("server", `${((cpu / took) * 100).toFixed(0)} % of a core, longest pause ${after.pause.toFixed(0)} ms`);
  log("server per message", `${((cpu / Math.max(1, counts.accepted)) * 1e6).toFixed(0)} µs of a core`);
  log("memory", `${(before.rss / 1e6).toFixed(0)} MB before, ${(after.rss / 1e6).toFixed(0)} MB after`);
  log("generator", `${(((generator.user + generator.system) / 1e6 / took) * 100).toFixed(0)} % of a core`);
  if (firstFailure !== undefined) {
    console.error(firstFailure);
    process.exitCode = 1;
  }
  for (const peer of peers) peer.close();
} finally {
  child.disconnect();
  await once(child, "exit");
  agent.destroy();
  await rm(folder, { recursive: true, force: true });
}
process.exit();
