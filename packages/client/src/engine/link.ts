/** The leader's connection to the Delivery Service: what it tells of goes to those whom it concerns. */
import { toHex } from "@coppice/core";
import type { DeliveryEvent, DeliveryService, LogPosition } from "@coppice/delivery/contract";
import { CoppiceError, mapLimit, Retrying, type Scope, type Time } from "@coppice/kit";
import type { ClockWatch } from "../account/clock.ts";
import type { People } from "../account/people.ts";
import { isTransient, retryAfter } from "../errors.ts";
import type { Pace } from "../pace.ts";
import type { Conversations } from "./conversations.ts";
import { OFFLINE, type Connection } from "./leader.ts";

export interface LinkOptions {
  readonly delivery: DeliveryService;
  readonly people: People;
  readonly clock: ClockWatch;
  readonly conversations: Pick<Conversations, "all" | "get">;
  readonly time: Time;
  readonly scope: Scope;
  readonly pace: Pace;
  /** Told how the connection is. */
  readonly onConnection: (connection: Connection) => void;
  /** Told of mail: invitations, or the time to look after key packages. */
  readonly onMail: () => void;
  readonly report: (error: unknown) => void;
}

/** Groups of one answer. */
const PAGE = 1024;
/** Conversations that are looked after at once though nothing is known to be left in them: what somebody waits for goes first. */
const LOOKED_AFTER_AT_ONCE = 2;
/** Pages that are read: a million groups. */
const MAX_PAGES = 1024;

export class Link {
  readonly #options: LinkOptions;
  readonly #catchingUp: Retrying;
  #release: (() => void) | undefined;
  #online = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { time, scope, pace, report } = options;
    const work = (): Promise<void> => this.#catchUp();
    this.#catchingUp = new Retrying({ work, time, scope, backoff: pace.retry, retryAfter, report });
  }

  /** Starts to follow events. */
  open(): void {
    this.#release = this.#options.delivery.subscribe((event) => {
      this.#receive(event);
    });
  }

  /** Looks whether events were lost. */
  check(): void {
    if (this.#online) this.#catchingUp.kick();
  }

  close(): void {
    this.#release?.();
    this.#release = undefined;
    this.#goOffline();
    this.#options.onConnection(OFFLINE);
  }

  #receive(event: DeliveryEvent): void {
    const { conversations, clock, people, report, scope, onMail } = this.#options;
    switch (event.type) {
      case "connection":
        this.#connection(event);
        return;
      case "inbox":
        onMail();
        return;
      case "devices":
        void people.follow(event.user).catch((error: unknown) => {
          if (!scope.ended && !isTransient(error)) report(error);
        });
        return;
      case "log":
        if (event.entry !== undefined) clock.compare(event.entry.receivedAt);
        conversations.get(toHex(event.groupId))?.sync.receive(event.position, event.entry);
    }
  }

  #connection({ online, transport }: Extract<DeliveryEvent, { type: "connection" }>): void {
    this.#options.onConnection({ online, transport: online ? transport : undefined });
    if (!online) {
      this.#goOffline();
      return;
    }
    this.#online = true;
    this.#catchingUp.kick();
    this.#options.onMail();
  }

  #goOffline(): void {
    this.#online = false;
    for (const conversation of this.#options.conversations.all) conversation.sync.disconnected();
  }

  /** One request tells which logs have grown. */
  async #catchUp(): Promise<void> {
    if (!this.#isOnline()) return;
    const newest = await this.#readGroups();
    if (!this.#isOnline()) return;
    const quiet = [...this.#options.conversations.all].filter(({ id, sync }) => !sync.connected(newest.get(id)));
    await mapLimit(quiet, LOOKED_AFTER_AT_ONCE, async ({ sync }) => {
      if (this.#isOnline()) await sync.lookAfter();
    });
  }

  /** May change during a request. */
  #isOnline(): boolean {
    return this.#online;
  }

  async #readGroups(): Promise<ReadonlyMap<string, LogPosition>> {
    const newest = new Map<string, LogPosition>();
    let after: Uint8Array | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const groups = await this.#options.delivery.readGroups({ after });
      for (const { groupId, position } of groups) newest.set(toHex(groupId), position);
      after = groups.at(-1)?.groupId;
      if (groups.length < PAGE) return newest;
    }
    throw new CoppiceError("ERR_DS_INTERNAL", "There is no end to this device's groups");
  }
}
