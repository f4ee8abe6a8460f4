/** The place of each entry in a device log, and what comes of a pinned head (DL-1 to DL-4, DL-14 to DL-16). */
import { codec, equalBytes, type Bytes, type CoppiceError } from "@coppice/core";
import { deviceLogEntry, MAX_DEVICE_LOG_ENTRIES } from "./codec.ts";
import type { DeviceLogEntry } from "./entry.ts";
import type { DeviceLog } from "./log.ts";
import { deviceLogError, type DeviceLogRule } from "./rules.ts";

/** What a chain was followed to. */
type Head = Pick<DeviceLog, "root" | "position" | "head">;

const NOTHING: Bytes = new Uint8Array(0);

/** Follows entries in the order in which a server returns them. */
export class Chain {
  readonly #user: string;
  readonly #pinned: DeviceLog | undefined;
  readonly #digest: (data: Bytes) => Bytes;
  /** Hash of the first entry. */
  #root: Bytes | undefined;
  /** The entry that was read last. */
  #last: { readonly position: number; readonly hash: Bytes } | undefined;

  constructor(user: string, pinned: DeviceLog | undefined, digest: (data: Bytes) => Bytes) {
    this.#user = user;
    this.#pinned = pinned;
    this.#digest = digest;
    this.#root = pinned?.root;
  }

  /** Position after which everything is new. */
  get #pinnedAt(): number {
    return this.#pinned?.position ?? -1;
  }

  /** An own copy of an entry that is new; undefined for one that is pinned. */
  follow(given: DeviceLogEntry): DeviceLogEntry | undefined {
    const { entry, hash } = this.#copy(given);
    const { position } = entry;
    if (entry.user !== this.#user) throw this.#refuse("DL-2", position);
    const isInPlace = this.#last === undefined ? position <= this.#pinnedAt + 1 : position === this.#last.position + 1;
    if (!isInPlace) throw this.#refuse("DL-3", position);
    const previous = this.#hashBefore(position);
    if (previous !== undefined && !equalBytes(entry.previous, previous)) {
      // What extends another head than the pinned one is no broken chain.
      const isFork = this.#last === undefined && position > 0;
      throw this.#refuse(isFork ? "DL-16" : "DL-4", position);
    }
    if (position === this.#pinnedAt && !equalBytes(hash, this.#pinned?.head ?? NOTHING)) {
      throw this.#refuse("DL-16", position);
    }
    this.#root ??= hash;
    this.#last = { position, hash };
    return position > this.#pinnedAt ? entry : undefined;
  }

  /** The head after the last entry. */
  finish(): Head {
    if (this.#last === undefined || this.#root === undefined) {
      throw this.#pinned === undefined ? this.#refuse("DL-3", 0) : this.#refuse("DL-15", this.#pinnedAt);
    }
    const { position, hash } = this.#last;
    if (position < this.#pinnedAt) throw this.#refuse("DL-15", this.#pinnedAt);
    return { root: this.#root, position, head: hash };
  }

  /** Hash of the entry before this position; undefined where only the pinned head, further on, can tell. */
  #hashBefore(position: number): Bytes | undefined {
    if (this.#last !== undefined) return this.#last.hash;
    if (position === 0) return NOTHING;
    return position > this.#pinnedAt ? this.#pinned?.head : undefined;
  }

  /** Entries come from a server: an own copy, in the one form that its bytes have. */
  #copy(given: DeviceLogEntry): { readonly entry: DeviceLogEntry; readonly hash: Bytes } {
    try {
      const encoded = codec.encode(deviceLogEntry, given);
      return { entry: codec.decode(deviceLogEntry, encoded), hash: this.#digest(encoded) };
    } catch (cause) {
      const position = (this.#last?.position ?? this.#pinnedAt) + 1;
      throw this.#refuse(position >= MAX_DEVICE_LOG_ENTRIES ? "DL-14" : "DL-1", position, cause);
    }
  }

  #refuse(rule: DeviceLogRule, position: number, cause?: unknown): CoppiceError {
    return deviceLogError(rule, { user: this.#user, position, cause });
  }
}
