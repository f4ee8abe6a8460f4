/**
 * A bound for all bytes that wait for slow peers: request bodies that come in, answers and events that go out. When there is no
 * room, those who have held bytes for longest are ended: a peer at work holds them for a moment, an attacker as long as it may.
 */
import type { Time } from "@coppice/kit";

/** Whoever holds bytes for less than this is not ended for others, milliseconds. */
const GRACE_MS = 2000;

/** Bytes of one peer that count. */
export interface Holding {
  /** Holds `bytes` from now on. False, and nothing changed, where there is no room for them or the peer is gone. */
  readonly resize: (bytes: number) => boolean;
  /** Holds nothing, for good. */
  readonly release: () => void;
}

interface Held {
  readonly key: string;
  readonly end: () => void;
  bytes: number;
  since: number;
  ended: boolean;
}

export class ByteBudget {
  readonly #total: number;
  readonly #share: number;
  readonly #time: Time;
  /** Those who hold something, by age. */
  readonly #held = new Set<Held>();
  readonly #byKey = new Map<string, number>();
  #bytes = 0;

  /** `total` bytes in all, of which one key may hold `share`. */
  constructor({ total, share, time }: { readonly total: number; readonly share: number; readonly time: Time }) {
    this.#total = total;
    this.#share = share;
    this.#time = time;
  }

  /** Bytes that are held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A peer that holds nothing yet. `end` has to end it; what it held counts as free from then on. */
  open(key: string, end: () => void): Holding {
    const held: Held = { key, end, bytes: 0, since: 0, ended: false };
    return {
      resize: (bytes) => this.#resize(held, bytes),
      release: () => {
        this.#set(held, 0);
        held.ended = true;
      },
    };
  }

  #resize(held: Held, bytes: number): boolean {
    if (held.ended) return false;
    const more = bytes - held.bytes;
    if (more > 0 && !this.#makeRoom(held, more)) return false;
    this.#set(held, bytes);
    return true;
  }

  /** First at the cost of the same key, then at that of all. */
  #makeRoom(held: Held, more: number): boolean {
    const fitsShare = (): boolean => (this.#byKey.get(held.key) ?? 0) + more <= this.#share;
    const fits = (): boolean => this.#bytes + more <= this.#total;
    this.#endOldest((other) => other !== held && other.key === held.key, fitsShare);
    if (!fitsShare()) return false;
    this.#endOldest((other) => other !== held, fits);
    return fits();
  }

  #endOldest(mayEnd: (other: Held) => boolean, until: () => boolean): void {
    const before = this.#time.elapsed() - GRACE_MS;
    for (const other of this.#held) {
      if (until() || other.since > before) return;
      if (!mayEnd(other)) continue;
      this.#set(other, 0);
      other.ended = true;
      other.end();
    }
  }

  #set(held: Held, bytes: number): void {
    if (held.bytes === 0 && bytes > 0) {
      held.since = this.#time.elapsed();
      this.#held.add(held);
    }
    if (bytes === 0) this.#held.delete(held);
    const ofKey = (this.#byKey.get(held.key) ?? 0) + bytes - held.bytes;
    if (ofKey > 0) this.#byKey.set(held.key, ofKey);
    else this.#byKey.delete(held.key);
    this.#bytes += bytes - held.bytes;
    held.bytes = bytes;
  }
}
