/** Records that were read from a store, decoded where they are asked for. */

import { type Codec, decode } from "../codec/codec.ts";
import { CoppiceError, isCoppiceError } from "../errors.ts";
import { GROUP_RECORDS, isSingleRecord, recordPlace } from "./record-names.ts";

/** Records that are there, and names of those that are not. */
export interface KnownRecords {
  readonly put: ReadonlyMap<string, Uint8Array>;
  readonly delete: readonly string[];
}

export const corrupt = (name: string, what: string, cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_MLS_DECODE", `The stored group state is damaged: record ${name} ${what}`, { cause });

export class GivenRecords {
  readonly #put: ReadonlyMap<string, Uint8Array>;
  readonly #deleted: ReadonlySet<string>;
  /** By folder. */
  readonly #indices = new Map<string, number[]>();

  /** Records of others than a group are passed over. `ERR_MLS_DECODE` for unknown ones of a group, or what is there and is not. */
  constructor({ put, delete: gone }: KnownRecords) {
    this.#put = put;
    this.#deleted = new Set(gone);
    for (const name of [...put.keys(), ...this.#deleted]) {
      if (!name.startsWith(GROUP_RECORDS.all)) continue;
      if (put.has(name) && this.#deleted.has(name)) throw corrupt(name, "is there and is deleted");
      const place = recordPlace(name);
      if (place !== undefined) {
        const indices = this.#indices.get(place.folder);
        if (indices === undefined) this.#indices.set(place.folder, [place.index]);
        else indices.push(place.index);
      } else if (!isSingleRecord(name)) throw corrupt(name, "is unknown");
    }
  }

  /** Indices of the records of a folder that are given, there or not. */
  indices(folder: string): readonly number[] {
    return this.#indices.get(folder) ?? [];
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
      throw isCoppiceError(cause, "ERR_MLS_VERSION") ? cause : corrupt(name, "does not decode", cause);
    }
  }

  /** `ERR_MLS_DECODE` if it is not there. */
  get<T>(name: string, codec: Codec<T>): T {
    const value = this.find(name, codec);
    if (value === undefined) throw corrupt(name, "is missing");
    return value;
  }
}
