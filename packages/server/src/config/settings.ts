/** The settings of `coppice-server`: each in one row, which flags, the environment, the file and the help are made of. */
import { parseOrigin } from "../auth/origins.ts";
import { resolveLimits, type ServerLimits } from "../limits.ts";
import type { ServerOptions } from "../server.ts";
import { readLimits, splitLimits, writeLimits, type WrittenLimits } from "./limits.ts";
import { asMistake, Mistake } from "./mistake.ts";

const MS_PER_DAY = 86_400_000;

/** Levels of the log, the most talkative last. */
export const LOG_LEVELS = ["silent", "error", "info", "debug"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What `coppice-server` works with. */
export interface Settings {
  readonly log: LogLevel;
  readonly options: ServerOptions;
}

interface Row {
  readonly kind: "text" | "list" | "switch" | "limits";
  readonly argument: string;
  readonly help: string;
}

/** The flags, which are also the names in the file. */
export type SettingName =
  | "port"
  | "host"
  | "data"
  | "static"
  | "origin"
  | "allow-origin"
  | "trust-proxy"
  | "retention"
  | "limit"
  | "log"
  | "monitor"
  | "admin-socket";

export const ROWS: Readonly<Record<SettingName, Row>> = {
  port: { kind: "text", argument: "PORT", help: "port to listen on; 0 picks a free one (default 8080)" },
  host: { kind: "text", argument: "ADDRESS", help: "address to listen on (default 127.0.0.1; 0.0.0.0 for all)" },
  data: { kind: "text", argument: "FILE", help: "database file (default .data/coppice.db)" },
  static: { kind: "text", argument: "FOLDER", help: "also serve this built web application" },
  origin: {
    kind: "list",
    argument: "ORIGIN",
    help: "an origin under which clients reach this server, for example https://chat.example behind a proxy that ends TLS; may be repeated",
  },
  "allow-origin": {
    kind: "list",
    argument: "ORIGIN",
    help: "let web pages of this origin use the server; may be repeated",
  },
  "trust-proxy": { kind: "switch", argument: "", help: "take the client's address from X-Forwarded-For" },
  retention: { kind: "text", argument: "DAYS", help: "delete messages after this many days (default: never)" },
  limit: {
    kind: "limits",
    argument: "NAME=VALUE",
    help: "a limit, such as messageBytes=1048576, requestsPerUser=600,60 or groupBytes=unlimited; may be repeated",
  },
  log: {
    kind: "text",
    argument: "LEVEL",
    help: `${LOG_LEVELS.join(", ")} (default info): JSON lines on standard error`,
  },
  monitor: {
    kind: "text",
    argument: "ADDRESS:PORT",
    help: "serve /metrics, /healthz and /readyz there (default: the latter two on the main port only)",
  },
  "admin-socket": {
    kind: "text",
    argument: "PATH",
    help: "where `coppice-server admin` finds the server (default: the database's path with -admin; none: nowhere)",
  },
};

/** A value as it was written, and where. */
export interface Written {
  readonly value: unknown;
  /** `--port`, `COPPICE_PORT`, `"port" in coppice.json`. */
  readonly from: string;
}

export type WrittenSettings = Partial<Readonly<Record<SettingName, Written>>>;

/** Makes settings of what was written. `Mistake`. */
export function readSettings(written: WrittenSettings): Settings {
  const database = text(written.data) ?? ".data/coppice.db";
  const adminSocket = text(written["admin-socket"]) ?? `${database}-admin`;
  const hasAdminSocket = adminSocket !== "none" && database !== ":memory:" && process.platform !== "win32";
  const directory = text(written.static);
  const monitor = written.monitor === undefined ? undefined : readAddress(written.monitor);
  return {
    log: readLevel(written.log),
    options: {
      port: readPort(written.port),
      host: text(written.host) ?? "127.0.0.1",
      database,
      origins: readOrigins(written.origin),
      allowedOrigins: readOrigins(written["allow-origin"]),
      trustProxy: readSwitch(written["trust-proxy"]),
      limits: readAllLimits(written),
      ...(directory === undefined ? {} : { staticDirectory: directory }),
      ...(monitor === undefined ? {} : { monitor }),
      ...(hasAdminSocket ? { adminSocket } : {}),
    },
  };
}

/** What a configuration file would have to say for these settings, all limits included. */
export function printSettings({ log, options }: Settings): string {
  const { port, host, database, staticDirectory, origins, allowedOrigins, trustProxy, monitor, adminSocket } = options;
  const file: Partial<Record<SettingName, unknown>> = {
    port,
    ...(host === undefined ? {} : { host }),
    data: database,
    ...(staticDirectory === undefined ? {} : { static: staticDirectory }),
    origin: origins,
    "allow-origin": allowedOrigins,
    "trust-proxy": trustProxy,
    log,
    ...(monitor === undefined ? {} : { monitor: `${monitor.host}:${String(monitor.port)}` }),
    "admin-socket": adminSocket ?? "none",
    limit: writeLimits(resolveLimits(options.limits)),
  };
  return JSON.stringify(file, undefined, 2);
}

function text(written: Written | undefined): string | undefined {
  if (written === undefined) return undefined;
  const { value, from } = written;
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number") return String(value);
  throw new Mistake(`${from} is a text that is not empty`);
}

function readPort(written: Written | undefined): number {
  const value = text(written) ?? "8080";
  if (/^\d+$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new Mistake(`${written?.from ?? ""} is a number from 0 to 65535, not "${value}"`);
}

function readAddress(written: Written): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(.*):(\d+)$/.exec(text(written) ?? "") ?? [];
  if (host === undefined || host === "" || Number(port) > 65_535) {
    throw new Mistake(`${written.from} is an address and a port, such as 127.0.0.1:9090`);
  }
  return { host, port: Number(port) };
}

function readSwitch(written: Written | undefined): boolean {
  if (written === undefined) return false;
  const { value, from } = written;
  if (value === true || value === "true" || value === "1") return true;
  if (value === false || value === "false" || value === "0") return false;
  throw new Mistake(`${from} is true or false`);
}

function readLevel(written: Written | undefined): LogLevel {
  const level = text(written) ?? "info";
  const found = LOG_LEVELS.find((known) => known === level);
  if (found === undefined) throw new Mistake(`${written?.from ?? ""} is one of ${LOG_LEVELS.join(", ")}`);
  return found;
}

function readOrigins(written: Written | undefined): readonly string[] {
  return listOf(written).map((origin) => asMistake(() => parseOrigin(origin)));
}

function listOf(written: Written | undefined): readonly string[] {
  if (written === undefined) return [];
  const { value, from } = written;
  const items = typeof value === "string" ? value.split(/[\s,]+/).filter((item) => item !== "") : value;
  if (Array.isArray(items) && items.every((item) => typeof item === "string")) return items;
  throw new Mistake(`${from} is a list of texts`);
}

function readAllLimits({ retention, limit }: WrittenSettings): Partial<ServerLimits> {
  const days = text(retention);
  const messageRetention = Number(days) * MS_PER_DAY;
  if (days !== undefined && !(messageRetention > 0)) {
    throw new Mistake(`${retention?.from ?? ""} is a number of days greater than 0, not "${days}"`);
  }
  const limits = {
    ...(days === undefined ? {} : { messageRetention }),
    ...(limit === undefined ? {} : readLimits(writtenLimits(limit), limit.from)),
  };
  asMistake(() => resolveLimits(limits));
  return limits;
}

function writtenLimits({ value, from }: Written): WrittenLimits {
  if (typeof value === "string") return splitLimits([value], from);
  if (Array.isArray(value)) return splitLimits(value.map(String), from);
  if (typeof value === "object" && value !== null) return value as WrittenLimits;
  throw new Mistake(`${from} is an object of limits`);
}
