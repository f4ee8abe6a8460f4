/**
 * What the model knows: one conversation on one database, the contexts that have it open, and the Delivery Service. Everything is
 * immutable, so that the parts of a state that a step does not touch are shared.
 */

/** The bytes of a message: a key is an epoch and a generation of the own ratchet in it. */
export interface Sealed {
  readonly epoch: number;
  readonly generation: number;
  /** Of the message; a call of `send` has one. */
  readonly id: string;
  readonly resent: boolean;
}

/** The bytes of a Commit: its key is of the handshake ratchet, which is another one. */
export interface Commit {
  readonly epoch: number;
  readonly generation: number;
  /** What it is made for: two Commits with the same key differ in it. */
  readonly call: string;
}

export interface OutboxEntry {
  readonly id: string;
  readonly sealed: Sealed | undefined;
  readonly resent: boolean;
}

export type ItemState = "sending" | "sent" | "failed";

/** A conversation as its partition holds it. */
export interface Conversation {
  readonly status: "active" | "removed" | "rolled back";
  /** The Welcome by which this device came in; 0 if it was there from the beginning. */
  readonly welcome: number;
  readonly epoch: number;
  /** The next of the own ratchets in this epoch. */
  readonly generation: number;
  readonly handshake: number;
  /** Entries of the log that were processed. */
  readonly position: number;
  readonly outbox: readonly OutboxEntry[];
  readonly items: readonly (readonly [id: string, state: ItemState])[];
  readonly pending: Commit | undefined;
}

export interface Store {
  readonly version: number;
  /** Undefined before there is one, and after `forget`. */
  readonly conversation: Conversation | undefined;
  /** What the account remembers of a conversation that was forgotten. */
  readonly forgotten: { readonly welcome: number; readonly epoch: number } | undefined;
}

export type LogEntry =
  | { readonly kind: "message"; readonly sealed: Sealed }
  /** An own Commit, or a peer's. */
  | { readonly kind: "commit"; readonly commit: Commit | undefined }
  | { readonly kind: "removal" };

export interface Welcome {
  readonly number: number;
  readonly epoch: number;
  /** Entries of the log before the epoch. */
  readonly position: number;
}

export interface Server {
  readonly epoch: number;
  readonly isMember: boolean;
  readonly log: readonly LogEntry[];
  readonly inbox: readonly Welcome[];
  /** Requests that nobody waits for any more; they may still arrive. */
  readonly strays: readonly Request[];
}

export type Request =
  { readonly kind: "post"; readonly batch: readonly Sealed[] } | { readonly kind: "submit"; readonly commit: Commit };

export type Answer = "accepted" | "too old" | "lost" | "refused";

/** What the application asked a context for and is not done. */
export type Call =
  | { readonly kind: "send"; readonly id: string }
  | { readonly kind: "update"; readonly id: string; readonly isMade: boolean }
  | { readonly kind: "forget" };

/** What a turn is taken for. */
export type Job =
  | { readonly kind: "queue"; readonly id: string }
  | { readonly kind: "make"; readonly call: string }
  | { readonly kind: "process"; readonly upTo: number }
  | { readonly kind: "prepare" }
  | { readonly kind: "confirm"; readonly batch: readonly Sealed[] }
  | { readonly kind: "refuse"; readonly batch: readonly Sealed[] }
  | { readonly kind: "unseal" }
  | { readonly kind: "adopt"; readonly commit: Commit }
  | { readonly kind: "drop"; readonly commit: Commit };

/** A turn that holds the conversation's lock, or did so until it was stolen. */
export interface Turn {
  readonly job: Job;
  /** Whether it is the call's; otherwise the work's. */
  readonly isCall: boolean;
  /** Written, but not announced, and the lock is not free. */
  readonly isWritten: boolean;
}

/** What comes after the log was read. */
export type Then = "go on" | "unseal" | "join" | { readonly drop: Commit };

/** A context's work with the Delivery Service. */
export type Work =
  | { readonly at: "rest" }
  | { readonly at: "read"; readonly then: Then }
  | { readonly at: "turn"; readonly job: Job; readonly then: Then }
  | { readonly at: "request"; readonly request: Request; readonly answer: Answer | undefined }
  | { readonly at: "join"; readonly welcome: Welcome }
  | { readonly at: "enter"; readonly welcome: Welcome }
  | { readonly at: "acknowledge"; readonly welcome: Welcome };

export interface Context {
  readonly life: "running" | "frozen" | "dead";
  /** What it knows of the conversation without reading; undefined if it does not know that there is one. */
  readonly known: { readonly version: number; readonly conversation: Conversation } | undefined;
  /** It has to read before it goes on. */
  readonly isUncertain: boolean;
  /** An announcement by another context is on its way to it. */
  readonly isTold: boolean;
  readonly holdsLock: boolean;
  readonly turn: Turn | undefined;
  readonly call: Call | undefined;
  /** `stolen`: it has not noticed yet. */
  readonly leads: "no" | "yes" | "stolen";
  readonly isCaughtUp: boolean;
  readonly work: Work;
}

/** What may still happen: the bounds of a scenario. */
export interface Budget {
  readonly sends: number;
  readonly updates: number;
  readonly forgets: number;
  readonly crashes: number;
  readonly freezes: number;
  /** Requests or answers that are lost. */
  readonly losses: number;
  readonly peerCommits: number;
  /** Times that a peer removes this device and invites it again. */
  readonly reinvitations: number;
}

/** What nobody in the model can see, and the invariants judge by. */
export interface Witness {
  /** Bytes that were given to the network, in no order. */
  readonly wire: readonly string[];
  /** Messages that `send` has stored, unless the conversation was forgotten since. */
  readonly accepted: readonly string[];
  /** The highest version of the partition so far; -1 once one came twice. */
  readonly highest: number;
  /** Welcomes whose membership was stored, as often as it was. */
  readonly entered: readonly number[];
  /** Welcomes that were refused for good. */
  readonly refused: readonly number[];
  readonly acknowledged: readonly number[];
}

export interface State {
  readonly store: Store;
  readonly server: Server;
  readonly contexts: readonly Context[];
  readonly budget: Budget;
  readonly witness: Witness;
}

/**
 * Numbers for values: equal values get the same, and no others. The parts of states are shared, so that few are ever looked into.
 */
class Numbers {
  readonly #byObject = new WeakMap<object, number>();
  readonly #byText = new Map<string, number>();

  of(value: object): number {
    const known = this.#byObject.get(value);
    if (known !== undefined) return known;
    const text = this.#text(value);
    const number = this.#byText.get(text) ?? this.#byText.size;
    this.#byText.set(text, number);
    this.#byObject.set(value, number);
    return number;
  }

  #text(value: object): string {
    let text = Array.isArray(value) ? "[" : "";
    // Fields that are made in another order would count as another value: no harm but time.
    for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
      if (inner !== undefined)
        text += `${name}:${typeof inner === "object" && inner !== null ? `#${this.of(inner)}` : JSON.stringify(inner)},`;
    }
    return text;
  }
}

/**
 * A name for each state that does not tell which context is which, nor the numbers of versions: of two, only which is later matters,
 * unless they may come `twice`.
 */
export function canonicalNames({ mayRepeat }: { readonly mayRepeat: boolean }): (state: State) => string {
  const numbers = new Numbers();
  const names = new WeakMap<Context, string>();
  const nameOf = (context: Context): string => {
    const named = names.get(context);
    if (named !== undefined) return named;
    const { known, turn, call, work, ...flags } = context;
    const parts = [known?.conversation, turn, call, work].map((part) => (part === undefined ? "" : numbers.of(part)));
    const name = `${Object.values(flags).join("/")}/${parts.join("/")}`;
    names.set(context, name);
    return name;
  };
  const witnesses = new WeakMap<Witness, string>();
  const nameOfWitness = (witness: Witness): string => {
    const named = witnesses.get(witness);
    if (named !== undefined) return named;
    const { highest, ...seen } = witness;
    const name = `${mayRepeat ? highest : Math.min(highest, 0)}/${Object.values(seen)
      .map((part) => numbers.of(part))
      .join("/")}`;
    witnesses.set(witness, name);
    return name;
  };
  return ({ store, server, contexts, budget, witness }) => {
    const version = mayRepeat ? store.version : 0;
    const who = contexts.map((context) => {
      const { known } = context;
      const age = known === undefined ? 0 : mayRepeat ? known.version : Number(known.version < store.version);
      return `${nameOf(context)}.${age}`;
    });
    const { conversation, forgotten } = store;
    const seen = nameOfWitness(witness);
    const stored = [conversation, forgotten].map((part) => (part === undefined ? "" : numbers.of(part))).join();
    return `${version},${stored},${numbers.of(server)},${numbers.of(budget)},${seen};${who.sort().join(";")}`;
  };
}
