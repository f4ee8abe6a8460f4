/** The server under load, in a process of its own: says where it is, and what it costs when it is asked. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createServer } from "@coppice/server";

/** What the process has used up. */
export interface Usage {
  /** Seconds of processor time since the start. */
  readonly cpu: number;
  /** Bytes of memory. */
  readonly rss: number;
  /** Longest delay of the event loop since it was asked last, milliseconds. */
  readonly pause: number;
}

const LOTS = { burst: 1e9, perSecond: 1e9 };
const MANY = 1_000_000;

const server = await createServer({
  port: 0,
  database: process.argv[2] ?? ":memory:",
  // One address and few users stand for many here.
  limits: {
    requestsPerUser: LOTS,
    requestsPerAddress: LOTS,
    signInsPerAddress: LOTS,
    registrationsPerAddress: LOTS,
    connections: MANY,
    connectionsPerAddress: MANY,
    pendingSockets: MANY,
    pendingSocketsPerAddress: MANY,
    socketsPerClient: MANY,
    tokensPerClient: MANY,
  },
  onError: (error) => {
    console.error(error);
  },
});

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  const usage: Usage = { cpu: (user + system) / 1e6, rss: process.memoryUsage.rss(), pause: delay.max / 1e6 };
  delay.reset();
  process.send?.(usage);
});
process.on("disconnect", () => void server.close().then(() => process.exit(0)));
process.send?.(server.url);
