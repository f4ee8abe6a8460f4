/** The way between a client and the in-memory Delivery Service, which tests can break in every way a network breaks. */
import { sleep, type Time } from "@coppice/kit";
import type { ClientId, DeliveryEvent, DeliveryService } from "../contract.ts";

/** Names of the calls. */
export type CallName = Exclude<keyof DeliveryService, "subscribe" | "close">;

/** A scripted fault: throws to lose the request (it is not carried out) or the reply (it is, but nobody hears). */
export type MemoryFault = (call: {
  readonly client: ClientId;
  readonly call: CallName;
  readonly phase: "request" | "reply";
}) => void | Promise<void>;

/** What happens to events. */
export type EventMode = "deliver" | "drop" | "duplicate" | "reorder";

/** Switches of one client's way to the server, or of everybody's. May be changed at any time. */
export class MemoryNetwork {
  #reachable = true;
  readonly #lostReplies: (CallName | undefined)[] = [];
  readonly #slow = new Map<CallName, number>();
  readonly #time: Time;
  readonly #onReachable: () => void;
  #held: (() => void) | undefined;

  /** Milliseconds before a request arrives, and again before its reply does. Default 0. */
  delay = 0;
  /** `reorder` swaps each two consecutive events, holding one back until the next. Default `deliver`. */
  events: EventMode = "deliver";
  /** Runs for each phase of each call, for faults that the switches cannot describe. */
  fault: MemoryFault | undefined;

  constructor(time: Time, onReachable: () => void) {
    this.#time = time;
    this.#onReachable = onReachable;
  }

  /** While false, calls reject with `ERR_DS_UNREACHABLE`, replies on the way are lost and subscribers are offline. */
  get reachable(): boolean {
    return this.#reachable;
  }

  set reachable(value: boolean) {
    this.#reachable = value;
    this.#onReachable();
  }

  /** Carries out the next call (of this name) but rejects it with `ERR_DS_UNREACHABLE`. Adds up. */
  loseReply(call?: CallName): void {
    this.#lostReplies.push(call);
  }

  /** From now on, requests of this call take so many milliseconds more to arrive; 0 ends it. */
  slow(call: CallName, milliseconds: number): void {
    this.#slow.set(call, milliseconds);
  }

  /** Waits as long as this part of the way takes. */
  async travel(call: CallName, phase: "request" | "reply", signal: AbortSignal): Promise<void> {
    const milliseconds = this.delay + (phase === "request" ? (this.#slow.get(call) ?? 0) : 0);
    if (milliseconds > 0) await sleep(this.#time, milliseconds, signal);
  }

  /** Whether this reply is one to lose; counts it. */
  takeLostReply(call: CallName): boolean {
    const index = this.#lostReplies.findIndex((name) => name === undefined || name === call);
    if (index >= 0) this.#lostReplies.splice(index, 1);
    return index >= 0;
  }

  /** Passes an event on the way that `events` says. */
  pass(event: DeliveryEvent, deliver: (event: DeliveryEvent) => void): void {
    switch (this.events) {
      case "drop":
        return;
      case "duplicate":
        deliver(event);
        deliver(event);
        return;
      case "reorder":
        if (this.#held === undefined) {
          this.#held = () => {
            deliver(event);
          };
          return;
        }
        deliver(event);
        break;
      case "deliver":
        deliver(event);
        break;
    }
    this.#held?.();
    this.#held = undefined;
  }
}
