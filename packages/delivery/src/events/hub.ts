/** Who listens, and what they are told: the part of events that is the same for every host. */

import { type ClientId, MAX_EVENT_ENTRY_BYTES } from "../contract.ts";
import { bytesKey, clientKey } from "../domain/client-key.ts";
import type { Notice } from "../domain/notice.ts";
import { encode, type Bytes } from "../wire/codec.ts";
import { serverFrame, type EventFrame } from "../wire/events.ts";

/** One connection of a client. Neither function may throw. */
export interface Subscriber {
  /** Takes an encoded `EventFrame`. Whoever cannot keep up drops the connection: the client then fetches what it missed. */
  readonly send: (frame: Bytes) => void;
  /** The client's session ended, or another connection took this one's place. */
  readonly end: () => void;
}

/** Groups whose newest entry is remembered, to keep the order. */
const MOST_GROUPS = 10_000;

export class EventHub {
  readonly #perClient: number;
  readonly #subscribers = new Map<string, Set<Subscriber>>();
  /** The newest entry that was announced, by incarnation and group. */
  readonly #newest = new Map<string, number>();

  /** `perClient`: connections that one client may have; the oldest makes room. Default 16. */
  constructor({ perClient = 16 }: { readonly perClient?: number } = {}) {
    this.#perClient = perClient;
  }

  /** Sends a client's events to `subscriber` from now on; returns what ends that. */
  subscribe(client: ClientId, subscriber: Subscriber): () => void {
    const key = clientKey(client);
    const subscribers = this.#subscribers.get(key) ?? new Set();
    this.#subscribers.set(key, subscribers.add(subscriber));
    const [oldest] = subscribers;
    if (subscribers.size > this.#perClient && oldest !== undefined) {
      this.#remove(key, oldest);
      oldest.end();
    }
    return () => {
      this.#remove(key, subscriber);
    };
  }

  /** Connections of a client. */
  count(client: ClientId): number {
    return this.#subscribers.get(clientKey(client))?.size ?? 0;
  }

  /** Tells everyone whom a notice of the domain concerns. */
  publish(notice: Notice): void {
    switch (notice.type) {
      case "log":
        this.#publishEntry(notice);
        return;
      case "inbox":
        this.#send(notice.clients.map(clientKey), { type: "inbox" });
        return;
      case "devices":
        this.#send(notice.clients.map(clientKey), { type: "devices", user: notice.user });
        return;
      case "revoked":
        for (const subscriber of this.#take(clientKey(notice.client))) subscriber.end();
    }
  }

  /** Forgets how far logs have come: after the store was put back to an earlier state. */
  reset(): void {
    this.#newest.clear();
  }

  #publishEntry({ groupId, incarnation, entry, readers, poster }: Extract<Notice, { type: "log" }>): void {
    if (!this.#isNewest(incarnation + bytesKey(groupId), entry.seq)) return;
    const isSmall = entry.message.length <= MAX_EVENT_ENTRY_BYTES;
    const position = { incarnation, seq: entry.seq };
    const own = clientKey(poster);
    // Whichever are fewer: the clients that listen, or those who read.
    const concerned =
      this.#subscribers.size < readers.size
        ? [...this.#subscribers.keys()].filter((key) => key !== own && readers.has(key))
        : [...readers].filter((key) => key !== own && this.#subscribers.has(key));
    this.#send(concerned, { type: "log", groupId, position, entry: isSmall ? entry : undefined });
  }

  /** Notices may come late or twice where several processes serve one store: events keep the order all the same. */
  #isNewest(key: string, seq: number): boolean {
    if (seq <= (this.#newest.get(key) ?? 0)) return false;
    this.#newest.delete(key);
    this.#newest.set(key, seq);
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > MOST_GROUPS && oldest !== undefined) this.#newest.delete(oldest);
    return true;
  }

  #send(keys: readonly string[], frame: EventFrame): void {
    let bytes: Bytes | undefined;
    for (const key of keys) {
      for (const subscriber of [...(this.#subscribers.get(key) ?? [])]) {
        bytes ??= encode(serverFrame, frame);
        subscriber.send(bytes);
      }
    }
  }

  #remove(key: string, subscriber: Subscriber): void {
    const subscribers = this.#subscribers.get(key);
    subscribers?.delete(subscriber);
    if (subscribers?.size === 0) this.#subscribers.delete(key);
  }

  #take(key: string): readonly Subscriber[] {
    const subscribers = [...(this.#subscribers.get(key) ?? [])];
    this.#subscribers.delete(key);
    return subscribers;
  }
}
