/** Waits for device logs, look by look. */
import { expect, test } from "vitest";
import { isOver, LOG_PATIENCE, waitAt, waitedOn, WELCOME_PATIENCE, type LogWait } from "../src/patience.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test("a conversation waits for an hour in one place, looked at now and then", () => {
  let wait = waitAt(7, undefined, 0);
  for (let now = MINUTE; now < HOUR; now += MINUTE) {
    wait = waitAt(7, wait, now);
    expect(isOver(wait, LOG_PATIENCE)).toBe(false);
  }
  expect(isOver(waitAt(7, wait, HOUR), LOG_PATIENCE)).toBe(true);
});

test("looks in quick succession change nothing, so that nothing is stored", () => {
  const wait = waitAt(7, undefined, 1000);
  expect(waitAt(7, wait, 1000 + MINUTE - 1)).toBe(wait);
  expect(waitAt(7, wait, 1000 + MINUTE)).toEqual({ seq: 7, spent: MINUTE, at: 1000 + MINUTE });
});

test("neither a clock that jumps, nor a device that was off, counts for more than a look", () => {
  const wait = waitAt(7, undefined, 5 * HOUR);
  expect(waitAt(7, wait, 1000 * HOUR).spent).toBe(LOG_PATIENCE.step);
  expect(waitAt(7, wait, 0)).toEqual({ seq: 7, spent: 0, at: 0 });
  expect(waitedOn({ spent: 0, at: 0 }, 1000 * HOUR, WELCOME_PATIENCE).spent).toBe(WELCOME_PATIENCE.step);
});

test("a member who makes a conversation wait over and over stops it for an hour in a day at most", () => {
  let wait: LogWait | undefined;
  let stopped = 0;
  let now = 0;
  for (let seq = 1; now < 10 * 24 * HOUR; seq++) {
    wait = waitAt(seq, wait, now);
    const began = now;
    while (!isOver(wait, LOG_PATIENCE)) {
      now += MINUTE;
      wait = waitAt(seq, wait, now);
    }
    stopped += now - began;
    now += MINUTE;
  }
  expect(stopped).toBeLessThan(12 * HOUR);
});

test("short waits, each of another place, are forgiven as the conversation goes on", () => {
  let wait = waitAt(1, undefined, 0);
  for (let seq = 2; seq < 500; seq++) {
    const now = seq * HOUR;
    wait = waitAt(seq, wait, now);
    wait = waitAt(seq, wait, now + 2 * MINUTE);
    expect(isOver(wait, LOG_PATIENCE)).toBe(false);
  }
});
