/** Records that were read from a store, decoded where they are asked for. */
import type { Codec } from "../codec/codec.ts";
import { decode } from "../codec/codec.ts";
import { CoppiceError, isCoppiceError } from "../errors.ts";
import { GROUP_RECORDS, recordPlace } from "./record-names.ts";

/** Records that are there and names of those that are not. */
export interface KnownRecords {
  readonly put: ReadonlyMap<string, Uint8Array>;
  readonly delete: readonly string[];
}

export const corrupt = (message: string, cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_MLS_DECODE", `The stored group state is damaged: ${message}`, { cause });

const NONE: readonly number[] = [];

/** Says by kind what is given; `ERR_MLS_DECODE` for a record of a group that has no known name, or two meanings. */
export class GivenRecords {
  readonly #put: ReadonlyMap<string, Uint8Array>;
  readonly #deleted: ReadonlySet<string>;
  /** Indices of leaves and parents of the ratchet tree. */
  readonly leaves: number[] = [];
  readonly parents: number[] = [];
  readonly proposals: Set<number> = new Set<number>();
  readonly #former = new Map<bigint, number[]>();
  readonly #ratchets = new Map<bigint, number[]>();

  constructor({ put, delete: gone }: KnownRecords) {
    this.#put = put;
    this.#deleted = new Set(gone);
    for (const name of put.keys()) this.#sort(name);
    for (const name of gone) {
      if (put.has(name)) throw corrupt(`record ${name} is both there and deleted`);
      this.#sort(name);
    }
  }

  #sort(name: string): void {
    if (!name.startsWith(GROUP_RECORDS.all)) return;
    const place = recordPlace(name);
    switch (place?.kind) {
      case "leaf":
        this.leaves.push(place.index);
        break;
      case "parent":
        this.parents.push(place.index);
        break;
      case "proposal":
        this.proposals.add(place.position);
        break;
      case "former":
        append(this.#former, place.epoch, place.index);
        break;
      case "ratchet":
        append(this.#ratchets, place.epoch, place.index);
        break;
      case "state":
      case "past":
        break;
      case undefined:
        throw corrupt(`record ${name} is unknown`);
    }
  }

  /** Leaves of a past epoch of which it is given who was there. */
  former(epoch: bigint): readonly number[] {
    return this.#former.get(epoch) ?? NONE;
  }

  /** Nodes of the secret tree of an epoch that are given. */
  ratchets(epoch: bigint): readonly number[] {
    return this.#ratchets.get(epoch) ?? NONE;
  }

  isDeleted(name: string): boolean {
    return this.#deleted.has(name);
  }

  /** Undefined if it is not there. */
  find<T>(name: string, codec: Codec<T>): T | undefined {
    const bytes = this.#put.get(name);
    if (bytes === undefined) return undefined;
    try {
      return decode(codec, bytes, Number.POSITIVE_INFINITY);
    } catch (cause) {
      if (isCoppiceError(cause, "ERR_MLS_VERSION")) throw cause;
      throw corrupt(`record ${name}`, cause);
    }
  }

  /** `ERR_MLS_DECODE` if it is not there. */
  get<T>(name: string, codec: Codec<T>): T {
    const value = this.find(name, codec);
    if (value === undefined) throw corrupt(`record ${name} is missing`);
    return value;
  }
}

function append(lists: Map<bigint, number[]>, key: bigint, index: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [index]);
  else list.push(index);
}
