/** Who reads a group, remembered between Commits: a message to a big group would spend most of its time looking it up. */
import { bytesKey, clientKey } from "./client-key.ts";
import type { DomainReads, GroupRecord } from "./store.ts";

/** Readers of all remembered groups together. */
const MOST_READERS = 500_000;

/** Groups that are remembered. */
const MOST_GROUPS = 20_000;

interface Known {
  readonly incarnation: string;
  readonly readersSeq: number;
  readonly readers: ReadonlySet<string>;
}

export class ReadersCache {
  readonly #known = new Map<string, Known>();
  #count = 0;

  /** Keys of those who read the group as `tx` sees it. */
  async load(tx: DomainReads, group: GroupRecord): Promise<ReadonlySet<string>> {
    const known = this.#known.get(bytesKey(group.groupId));
    if (known?.incarnation === group.incarnation && known.readersSeq === group.readersSeq) return known.readers;
    return new Set((await tx.readers(group.groupId)).map(clientKey));
  }

  /** Remembers what is so now that a transaction has taken effect. */
  remember({ groupId, incarnation, readersSeq }: GroupRecord, readers: ReadonlySet<string>): void {
    const key = bytesKey(groupId);
    this.#forget(key);
    this.#known.set(key, { incarnation, readersSeq, readers });
    this.#count += readers.size;
    for (const [oldest] of this.#known) {
      if (this.#count <= MOST_READERS && this.#known.size <= MOST_GROUPS) return;
      this.#forget(oldest);
    }
  }

  clear(): void {
    this.#known.clear();
    this.#count = 0;
  }

  #forget(key: string): void {
    this.#count -= this.#known.get(key)?.readers.size ?? 0;
    this.#known.delete(key);
  }
}
