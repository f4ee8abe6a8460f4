/** Long polling over an `EventHub`, the same for every host: mailboxes that are deleted when nobody polls any more. */
import { randomBytes, toHex } from "@coppice/core";
import { sleep, type Time } from "@coppice/kit";
import type { ClientId } from "../contract.ts";
import { clientKey } from "../domain/client-key.ts";
import { deliveryError } from "../errors.ts";
import { MAX_POLL_WAIT_MS, type PollAnswer, type PollRequest } from "../wire/events.ts";
import type { EventHub } from "./hub.ts";
import { Mailbox } from "./mailbox.ts";

/** How long a mailbox is kept after the last poll, milliseconds. */
const IDLE_MS: number = 2 * MAX_POLL_WAIT_MS;

interface Poller {
  readonly mailbox: Mailbox;
  readonly owner: string;
  hasEnded: boolean;
  /** Polls that wait. */
  waiting: number;
  cancelExpiry: () => void;
  readonly delete: () => void;
}

export class Polls {
  readonly #hub: EventHub;
  readonly #time: Time;
  readonly #pollers = new Map<string, Poller>();

  constructor(hub: EventHub, time: Time) {
    this.#hub = hub;
    this.#time = time;
  }

  /** Mailboxes that are kept now. */
  get size(): number {
    return this.#pollers.size;
  }

  /**
   * Answers a poll: at once if something waits or the cursor is not known, else with the next event or after the time that
   * was asked for. `ERR_DS_UNAUTHENTICATED` if the client's session ended meanwhile.
   */
  async poll(client: ClientId, { cursor, wait }: PollRequest, signal?: AbortSignal): Promise<PollAnswer> {
    const known = this.#find(client, cursor);
    const { id, poller, position } = known ?? { ...this.#open(client), position: undefined };
    const { mailbox } = poller;
    poller.cancelExpiry();
    poller.waiting += 1;
    try {
      if (!mailbox.isReady(position) && wait > 0 && !poller.hasEnded) await this.#wait(mailbox, wait, signal);
    } finally {
      poller.waiting -= 1;
      if (poller.waiting === 0) poller.cancelExpiry = this.#time.after(IDLE_MS, poller.delete);
    }
    if (poller.hasEnded) throw deliveryError("ERR_DS_UNAUTHENTICATED", "The session has ended: sign in again");
    const { isFresh, frames, position: next } = mailbox.read(position);
    return { cursor: `${id}.${next}`, isFresh, frames };
  }

  /** Answers all polls that wait: the host is about to stop. */
  close(): void {
    for (const poller of [...this.#pollers.values()]) {
      poller.cancelExpiry();
      poller.delete();
    }
  }

  #find(
    client: ClientId,
    cursor: string,
  ): { readonly id: string; readonly poller: Poller; readonly position: number } | undefined {
    const [id = "", position = ""] = cursor.split(".");
    const poller = this.#pollers.get(id);
    if (poller?.owner !== clientKey(client) || !/^\d{1,15}$/.test(position)) return undefined;
    return { id, poller, position: Number(position) };
  }

  #open(client: ClientId): { readonly id: string; readonly poller: Poller } {
    const id = toHex(randomBytes(16));
    const mailbox = new Mailbox();
    const end = (): void => {
      poller.hasEnded = true;
      poller.cancelExpiry();
      poller.delete();
    };
    const release = this.#hub.subscribe(client, {
      send: (frame) => {
        mailbox.put(frame);
      },
      end,
    });
    const poller: Poller = {
      mailbox,
      owner: clientKey(client),
      hasEnded: false,
      waiting: 0,
      cancelExpiry: () => undefined,
      delete: () => {
        release();
        this.#pollers.delete(id);
        mailbox.wake();
      },
    };
    this.#pollers.set(id, poller);
    return { id, poller };
  }

  async #wait(mailbox: Mailbox, wait: number, signal: AbortSignal | undefined): Promise<void> {
    const ready = new AbortController();
    mailbox.whenReady(() => {
      ready.abort();
    });
    await sleep(this.#time, wait, ready.signal, signal).catch((error: unknown) => {
      if (!ready.signal.aborted) throw error;
    });
  }
}
