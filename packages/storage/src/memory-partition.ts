/** One partition of a memory database: values by name, and the names in order. */
import { compareNames } from "./names.ts";
import type { NameInterval } from "./range.ts";
import type { PlannedWrite } from "./write-plan.ts";

/** Up to this many new names are inserted one by one; more are sorted together. */
const FEW_NAMES = 16;

/** Records and version of a partition. Values never leave except as copies. */
export class MemoryPartition {
  version = 0;
  readonly #values = new Map<string, Uint8Array<ArrayBuffer>>();
  #names: string[] = [];

  /** Copies of the selected records, in the order of the interval. */
  select({ from, fromExcluded, until, reverse, limit }: NameInterval): [string, Uint8Array<ArrayBuffer>][] {
    let start = this.#indexOf(from);
    if (fromExcluded && this.#names[start] === from) start++;
    const end = until === undefined ? this.#names.length : this.#indexOf(until);
    const count = Math.min(limit, Math.max(0, end - start));
    const names = reverse ? this.#names.slice(end - count, end).reverse() : this.#names.slice(start, start + count);
    return names.map((name) => [name, new Uint8Array(this.#value(name))]);
  }

  /** Applies a write whose version was checked. Replaced and deleted values are overwritten: they may be secrets. */
  apply(write: PlannedWrite): void {
    if (write.clear) this.erase();
    this.#delete(write.delete);
    const added: string[] = [];
    for (const [name, value] of write.put) {
      const previous = this.#values.get(name);
      if (previous === undefined) added.push(name);
      else previous.fill(0);
      this.#values.set(name, value);
    }
    this.#insert(added);
    this.version = write.newVersion;
  }

  /** Overwrites and drops all values. */
  erase(): void {
    for (const value of this.#values.values()) value.fill(0);
    this.#values.clear();
    this.#names = [];
  }

  #value(name: string): Uint8Array<ArrayBuffer> {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error("Names and values of a memory partition disagree");
    return value;
  }

  #delete(names: readonly string[]): void {
    let deleted = 0;
    for (const name of names) {
      this.#values.get(name)?.fill(0);
      if (this.#values.delete(name)) deleted++;
    }
    if (deleted > 0) this.#names = this.#names.filter((name) => this.#values.has(name));
  }

  #insert(names: readonly string[]): void {
    if (names.length <= FEW_NAMES) {
      for (const name of names) this.#names.splice(this.#indexOf(name), 0, name);
    } else {
      this.#names = [...this.#names, ...names].sort(compareNames);
    }
  }

  /** Index of the first name that is not before `name`. */
  #indexOf(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#names[middle] ?? "") < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
