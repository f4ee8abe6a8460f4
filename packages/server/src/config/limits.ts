/** Limits as operators write them: numbers, rates, "unlimited". */
import { DEFAULT_LIMITS, type Rate, type ServerLimits } from "../limits.ts";
import { Mistake } from "./mistake.ts";

const UNLIMITED = "unlimited";

/** Limits by name, as a file, a variable or a flag gives them. */
export type WrittenLimits = Readonly<Record<string, unknown>>;

/** Reads `messageBytes=1048576 requestsPerUser=600,60`: the form of flags and of the environment. */
export function splitLimits(texts: readonly string[], from: string): WrittenLimits {
  const limits: Record<string, unknown> = {};
  for (const text of texts.flatMap((words) => words.split(/\s+/)).filter((word) => word !== "")) {
    const [name = "", value] = text.split("=", 2);
    if (value === undefined) throw new Mistake(`${from} is written like messageBytes=1048576, not "${text}"`);
    const [burst, perSecond] = value.split(",");
    limits[name] = perSecond === undefined ? parse(value) : { burst: parse(burst ?? ""), perSecond: parse(perSecond) };
  }
  return limits;
}

const parse = (text: string): unknown => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);

/** Checks names and kinds; `resolveLimits` checks the ranges. */
export function readLimits(written: WrittenLimits, from: string): Partial<ServerLimits> {
  const limits: Record<string, number | Rate> = {};
  for (const [name, value] of Object.entries(written)) {
    if (!isLimit(name)) {
      throw new Mistake(`${from} has no limit "${name}": coppice-server --print-config lists them`);
    }
    const isRate = typeof DEFAULT_LIMITS[name] === "object";
    const limit = isRate ? toRate(value) : toNumber(value);
    if (limit === undefined) {
      throw new Mistake(`${from}: ${name} is ${isRate ? "a burst and a number per second" : "a number"}`);
    }
    limits[name] = limit;
  }
  return limits;
}

const isLimit = (name: string): name is keyof ServerLimits => Object.hasOwn(DEFAULT_LIMITS, name);

function toNumber(value: unknown): number | undefined {
  if (value === UNLIMITED) return Infinity;
  return typeof value === "number" ? value : undefined;
}

function toRate(value: unknown): Rate | undefined {
  if (typeof value !== "object" || value === null || !("burst" in value) || !("perSecond" in value)) return undefined;
  const [burst, perSecond] = [toNumber(value.burst), toNumber(value.perSecond)];
  return burst === undefined || perSecond === undefined ? undefined : { burst, perSecond };
}

/** As `readLimits` takes them. */
export const writeLimits = (limits: ServerLimits): WrittenLimits =>
  Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, limit === Infinity ? UNLIMITED : limit]));
