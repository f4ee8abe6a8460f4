/** Letting a tab's worker stand still at a chosen moment: see `page/standstill.ts`. */
import type { Page as Tab } from "playwright";
import { call } from "./browsers.ts";
import { sleep } from "./party.ts";

/** Milliseconds in which a worker meets the moment that it was told of. */
const MEETING_MS = 2000;

interface Standstill {
  /** The so-many-th moment that the worker meets from now on, counted from 0. */
  readonly at: number;
  readonly milliseconds: number;
}

/** Tells a tab's worker to stand still no more, and to count its moments anew. */
export function callOff(tab: Tab): Promise<void> {
  return call(tab, "order", [Number.MAX_SAFE_INTEGER, 0]);
}

/**
 * Has a tab's worker stand still while it is busy with what `begin` begins. Resolves with the name of the moment at which it
 * stands; undefined, with the order called off, if it meets no such moment in time.
 */
export async function standStill(
  tab: Tab,
  { at, milliseconds }: Standstill,
  begin: () => unknown,
): Promise<string | undefined> {
  await call(tab, "order", [at, milliseconds]);
  begin();
  for (const deadline = Date.now() + MEETING_MS; Date.now() < deadline; await sleep(20)) {
    const moment = await call(tab, "standstill", []);
    if (moment !== undefined) return moment;
  }
  await callOff(tab);
  return undefined;
}
