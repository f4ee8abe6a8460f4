/** Events by long polling, where WebSockets do not get through. */
import { jitter, sleep, type Time } from "@coppice/kit";
import { deliveryError } from "../errors.ts";
import { roundTrip } from "../service.ts";
import { decode, type Bytes } from "../wire/codec.ts";
import { pollEvents, serverFrame, type EventFrame } from "../wire/events.ts";
import type { Session } from "./session.ts";

/** How long the server may wait for an event, milliseconds: shorter than the idle limits of usual proxies. */
const WAIT_MS = 25_000;

/** The least pause after an answer without events that came too early, milliseconds: a server cannot make us spin. */
const EARLY_PAUSE_MS = 1000;

export interface PollingOptions {
  readonly session: Session;
  readonly time: Time;
  readonly signal: AbortSignal;
  /** The connection is up; again whenever events may have been missed. */
  readonly onFresh: () => void;
  readonly onEvent: (frame: EventFrame) => void;
}

/** Polls until `signal` aborts or a poll fails; never resolves. */
export async function poll({ session, time, signal, onFresh, onEvent }: PollingOptions): Promise<never> {
  let cursor = "";
  for (;;) {
    const began = time.elapsed();
    const wait = cursor === "" ? 0 : WAIT_MS;
    const answer = await roundTrip(pollEvents, { cursor, wait }, (body) =>
      session.post(pollEvents.path, body, signal, wait),
    );
    signal.throwIfAborted();
    if (answer.isFresh) onFresh();
    for (const bytes of answer.frames) onEvent(readEvent(bytes));
    cursor = answer.cursor;
    const isEarly = time.elapsed() - began < wait / 2;
    if (answer.frames.length === 0 && wait > 0 && isEarly) {
      await sleep(time, EARLY_PAUSE_MS + jitter(time, EARLY_PAUSE_MS), signal);
    }
  }
}

function readEvent(bytes: Bytes): EventFrame {
  const frame = decode(serverFrame, bytes);
  if (frame.type === "ready" || frame.type === "ping") {
    throw deliveryError("ERR_DS_INTERNAL", "The Delivery Service sent a frame that belongs to no poll");
  }
  return frame;
}
