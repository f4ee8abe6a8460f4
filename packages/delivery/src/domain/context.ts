/** What every part of the domain works with. */
import type { Bytes } from "@coppice/core";
import type { DomainClock } from "./clock.ts";
import type { DomainLimits } from "./limits.ts";
import type { Notice } from "./notice.ts";
import type { ReadersCache } from "./readers-cache.ts";
import type { DomainStore, DomainTransaction } from "./store.ts";

/** Called once the transaction has taken effect, in the order of transactions. */
export type Afterwards = (effect: () => void) => void;

export interface Context {
  readonly store: DomainStore;
  readonly clock: DomainClock;
  readonly limits: DomainLimits;
  readonly readers: ReadersCache;
  readonly sha256: (content: Uint8Array) => Bytes;
  readonly notify: (notice: Notice) => void;
  /** Runs a transaction, then what it left to do afterwards. */
  readonly change: <T>(body: (tx: DomainTransaction, afterwards: Afterwards) => Promise<T>) => Promise<T>;
}

/** Builds a context from its independent parts. */
export function makeContext(parts: Omit<Context, "change">): Context {
  return {
    ...parts,
    change: async (body) => {
      let effects: (() => void)[] = [];
      const result = await parts.store.transaction((tx) => {
        effects = [];
        return body(tx, (effect) => {
          effects.push(effect);
        });
      });
      for (const effect of effects) effect();
      return result;
    },
  };
}
