/** What the operations of one hash function share. */
import type { Arena } from "./arena.ts";
import type { KernelExports } from "./instantiate.ts";

export interface HashContext {
  readonly exports: KernelExports;
  readonly arena: Arena;
  /** Number of the hash function in `assembly/hash.ts`. */
  readonly id: number;
  readonly Nh: number;
  readonly blockLength: number;
}

/** Erases what a failed operation has left. Returns the error to throw. */
export function abandon({ exports, arena }: Pick<HashContext, "exports" | "arena">, error: unknown): unknown {
  exports.erase();
  arena.erase();
  return error;
}
