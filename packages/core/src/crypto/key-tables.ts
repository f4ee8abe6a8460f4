/** Tables of the public keys of those who sign often: with one, the kernel verifies in a third of the time. */
import type { CurveKernel, Ed25519Table } from "@coppice/wasm/curve";
import { type Bytes, equalBytes } from "../codec/bytes.ts";

/** From this use on a key has a table. Making one takes about as long as verifying two signatures. */
const USES = 4;

class Known {
  readonly bytes: Bytes;
  readonly reference: WeakRef<Known> = new WeakRef<Known>(this);
  uses = 0;
  table: Ed25519Table | undefined;

  constructor(publicKey: Bytes) {
    this.bytes = new Uint8Array(publicKey);
  }
}

/**
 * Keeps tables in memory, the most recently used ones, up to a number of bytes. A table lasts for as long as the bytes of its key are referred to
 * (a leaf of a tree): it goes with the member. None is ever stored.
 */
export class KeyTables {
  readonly #kernel: CurveKernel;
  readonly #limits: { readonly tableBytes: number };
  readonly #known = new WeakMap<Bytes, Known>();
  /** Keys with tables, the one used last at the end. Does not keep them alive. */
  readonly #recent = new Set<WeakRef<Known>>();

  /** `tableBytes`: of all tables together. */
  constructor(kernel: CurveKernel, limits: { readonly tableBytes: number }) {
    this.#kernel = kernel;
    this.#limits = limits;
  }

  /** Counts a use of a key; its table from the fourth use on, if it is a point. */
  use(publicKey: Bytes): Ed25519Table | undefined {
    if (this.#kernel.tableLength > this.#limits.tableBytes) return undefined;
    let known = this.#known.get(publicKey);
    // A caller may have put another key into the same buffer.
    if (known === undefined || !equalBytes(known.bytes, publicKey)) known = this.#meet(publicKey);
    if (++known.uses < USES) return undefined;
    known.table ??= this.#kernel.makeTable(known.bytes);
    if (known.table === undefined) return undefined;
    const { table, reference } = known;
    this.#recent.delete(reference);
    this.#recent.add(reference);
    this.#discard();
    return table;
  }

  /** Bytes that tables take now. */
  get byteLength(): number {
    for (const reference of this.#recent) if (reference.deref() === undefined) this.#recent.delete(reference);
    return this.#recent.size * this.#kernel.tableLength;
  }

  #meet(publicKey: Bytes): Known {
    const known = new Known(publicKey);
    this.#known.set(publicKey, known);
    return known;
  }

  /** A key that loses its table has to be used often again. */
  #discard(): void {
    for (const reference of this.#recent) {
      if (this.byteLength <= this.#limits.tableBytes) return;
      const known = reference.deref();
      if (known !== undefined) {
        known.table = undefined;
        known.uses = 0;
      }
      this.#recent.delete(reference);
    }
  }
}
