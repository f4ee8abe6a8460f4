/**
 * What attackers can make the server use up: `npm run siege -- --seconds N [--seed S]`. One attack after the other, for N
 * seconds each, from many loopback addresses, against a server with its default limits; beside each an honest client that
 * sends and reads. Prints the memory that each attack cost and how long the honest client waited; then SIGTERM while all of
 * them hold on. Ends with status 1 if the server ended, refused the honest client, or took over 5 seconds to end.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { sleep, systemTime } from "@coppice/kit";
import { createGroup, encode, EVENTS_PATH, MEDIA_TYPE, readLog, sendMessages } from "@coppice/delivery/wire";
import { Peer } from "./peer.ts";
import { seeded } from "./random.ts";

/** Longest that SIGTERM may take, milliseconds. */
const MOST_TO_END = 5000;

/** Longest that the honest client may wait for an answer, milliseconds. */
const MOST_TO_ANSWER = 10_000;

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "10" }, seed: { type: "string", default: "1" } },
});
const seconds = Number(values.seconds);
if (!(seconds > 0 && seconds <= 1800)) throw new RangeError("--seconds is a number up to 1800, for each attack");
const random = seeded(Number(values.seed));
const below = (limit: number): number => Math.floor(random() * limit);
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));

const folder = await mkdtemp(join(tmpdir(), "coppice-siege-"));
const child = spawn(
  process.execPath,
  [
    ...["--conditions=@coppice/source", "--import", "tsx", fileURLToPath(new URL("../src/bin.ts", import.meta.url))],
    ...["--port", "0", "--data", join(folder, "ds.db"), "--log", "error", "--admin-socket", "none"],
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const [line] = (await once(child.stdout, "data")) as [Buffer];
const url = /http:\/\/\S+/.exec(line.toString())?.[0] ?? "";
const port = Number(new URL(url).port);

/** Bytes of memory that the server's process has. */
async function memory(): Promise<number> {
  const status = await readFile(`/proc/${String(child.pid)}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

const held = new Set<Socket>();

/** A connection from one of `addresses` loopback addresses that does what it likes. */
function open(addresses: number, text: string | Buffer = "", { reads = true } = {}): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.${String(1 + below(addresses))}.1` });
  held.add(socket);
  socket.on("error", () => undefined).on("close", () => held.delete(socket));
  if (reads) socket.resume();
  if (text.length > 0) socket.write(text);
  return socket;
}

const head = (start: string, headers: Readonly<Record<string, string | number>> = {}): string =>
  `${start} HTTP/1.1\r\nhost: x\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${String(value)}\r\n`)
    .join("")}\r\n`;

const upgrade = (path: string): string =>
  head(`GET ${path}`, {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-version": 13,
  });

const agent = new Agent({ keepAlive: true });
const honest = await Peer.open(url, agent);
const victim = await Peer.open(url, agent);
const groupId = new Uint8Array(16).fill(1);
const { incarnation } = await honest.call(createGroup, { groupId, groupInfo: groupId });
const position = { incarnation, seq: 0 };
const bigGroup = new Uint8Array(16).fill(2);
const big = await victim.call(createGroup, { groupId: bigGroup, groupInfo: groupId });
for (let i = 0; i < 4; i++) {
  const messages = [{ epoch: 0n, message: new Uint8Array(1_000_000).fill(i) }];
  await victim.call(sendMessages, { groupId: bigGroup, position: { ...big, seq: 0 }, messages });
}
const page = Buffer.from(
  encode(readLog.request, { groupId: bigGroup, after: { incarnation: big.incarnation, seq: 0 }, limit: 100 }),
);
const authorized = { "content-type": MEDIA_TYPE, authorization: `Bearer ${victim.token}` };

/** Begins one connection of the attack. */
const ATTACKS: Readonly<
  Record<string, { readonly most: number; readonly atOnce?: number; readonly begin: () => void }>
> = {
  "connections that say nothing": { most: 8000, begin: () => void open(40) },
  "resets after an upgrade": {
    most: 100,
    begin: () => {
      const socket = open(40, upgrade(random() < 0.5 ? "/x" : `/${EVENTS_PATH}`));
      socket.once("connect", () => setTimeout(() => socket.resetAndDestroy(), below(5)));
    },
  },
  "refused upgrades, held": { most: 8000, begin: () => void open(40, upgrade("/x")) },
  "event connections, no sign-in": { most: 8000, begin: () => void open(40, upgrade(`/${EVENTS_PATH}`)) },
  "unfinished bodies of 8 MiB": {
    most: 1000,
    atOnce: 5,
    begin: () => {
      const length = 8 * 1024 * 1024;
      const socket = open(40, head("POST /v2/groups/messages", { ...authorized, "content-length": length }));
      socket.write(Buffer.alloc(length - 1));
    },
  },
  "pages of 4 MB that nobody reads": {
    most: 1000,
    atOnce: 5,
    begin: () => {
      const request = head("POST /v2/groups/log", { ...authorized, "content-length": page.length });
      open(40, Buffer.concat([Buffer.from(request), page]), { reads: false });
    },
  },
  "garbage, cut anywhere": {
    most: 500,
    begin: () => {
      const starts = [
        head("POST /v2/sign-in", { "content-length": 100, "content-type": MEDIA_TYPE }),
        upgrade(`/${EVENTS_PATH}`),
        "GET / HT",
        "",
      ];
      const socket = open(40, Buffer.concat([Buffer.from(starts[below(starts.length)] ?? ""), noise(below(300))]));
      setTimeout(() => socket.destroy(), below(100));
    },
  },
};

/** An answer to the honest client, milliseconds. */
async function ask(count: number): Promise<number> {
  const start = systemTime.elapsed();
  const messages = [{ epoch: 0n, message: new TextEncoder().encode(`${values.seed} ${String(count)}`) }];
  await honest.call(sendMessages, { groupId, position, messages });
  return systemTime.elapsed() - start;
}

let asked = 0;
let worst = 0;
const before = await memory();
console.log(`${"attack".padEnd(34)}connections   memory, MB   honest client, ms (median, longest)`);
console.log(`${"none".padEnd(34)}${"0".padStart(11)}${(before / 1e6).toFixed(0).padStart(13)}`);
for (const [name, { most, atOnce = 50, begin }] of Object.entries(ATTACKS)) {
  const waits: number[] = [];
  let peak = 0;
  let connections = 0;
  for (const end = systemTime.elapsed() + seconds * 1000; systemTime.elapsed() < end;) {
    for (let i = 0; i < atOnce && held.size < most; i++) begin();
    waits.push(await ask(asked++));
    peak = Math.max(peak, await memory());
    connections = Math.max(connections, held.size);
    await sleep(systemTime, 20);
  }
  for (const socket of held) socket.destroy();
  waits.sort((a, b) => a - b);
  const longest = waits.at(-1) ?? 0;
  worst = Math.max(worst, longest);
  const median = waits[Math.floor(waits.length / 2)] ?? 0;
  const columns = [String(connections).padStart(11), (peak / 1e6).toFixed(0).padStart(13)];
  console.log(`${name.padEnd(34)}${columns.join("")}   ${median.toFixed(0)}, ${longest.toFixed(0)}`);
}
for (const { begin } of Object.values(ATTACKS)) for (let i = 0; i < 50; i++) begin();
await sleep(systemTime, 500);
const start = systemTime.elapsed();
child.kill("SIGTERM");
const [code] = (await once(child, "exit")) as [number | null];
const ending = systemTime.elapsed() - start;
console.log(`SIGTERM under all of them: status ${String(code)} after ${ending.toFixed(0)} ms`);
if (ending > MOST_TO_END || worst > MOST_TO_ANSWER || code !== 0) process.exitCode = 1;
for (const socket of held) socket.destroy();
agent.destroy();
await rm(folder, { recursive: true, force: true });
process.exit();
