/** One partition of a memory database: values by name, the names in order, and the journal. */
import { changedNames, entriesKept, type JournalEntry, journalEntry, type NameChange } from "./journal.ts";
import { compareNames } from "./names.ts";
import { indexOfName, type NameInterval, namesIn } from "./range.ts";
import type { PlannedWrite } from "./write-plan.ts";

/** Up to this many new names are inserted one by one; more are sorted together. */
const FEW_NAMES = 16;

/** Records and version of a partition. Values never leave except as copies. */
export class MemoryPartition {
  version = 0;
  /** False before the first write and after a clear; the version stays. */
  exists = false;
  readonly #values = new Map<string, Uint8Array<ArrayBuffer>>();
  #names: string[] = [];
  /** Of the last writes, the newest last; undefined for one that does not tell its names. */
  readonly #journal: (JournalEntry | undefined)[] = [];

  /** Copies of the selected records, in the order of the interval. */
  select(interval: NameInterval): [string, Uint8Array<ArrayBuffer>][] {
    return namesIn(this.#names, interval).map((name) => [name, this.value(name)]);
  }

  /** A copy of the record that is called `name`, which must exist. */
  value(name: string): Uint8Array<ArrayBuffer> {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error("Names and values of a memory partition disagree");
    return new Uint8Array(value);
  }

  /** What changed after version `since`; undefined if the journal does not tell. */
  changes(since: number, intervals: readonly NameInterval[]): readonly NameChange[] | undefined {
    const count = this.version - since;
    if (count < 0 || count > this.#journal.length) return undefined;
    const entries = this.#journal.slice(this.#journal.length - count);
    const told = entries.filter((entry) => entry !== undefined);
    return told.length < count ? undefined : changedNames(since, told, intervals);
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
    this.exists = write.exists;
    const entry = journalEntry(write);
    this.#journal.push(entry);
    this.#journal.splice(0, this.#journal.length - entriesKept(entry));
  }

  /** Overwrites and drops all values. */
  erase(): void {
    for (const value of this.#values.values()) value.fill(0);
    this.#values.clear();
    this.#names = [];
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
      for (const name of names) this.#names.splice(indexOfName(this.#names, name), 0, name);
    } else {
      this.#names = [...this.#names, ...names].sort(compareNames);
    }
  }
}
