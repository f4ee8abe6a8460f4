/** What a benchmark is made of. Scenarios run inside the engine they measure: they may not import Node's modules. */

/** The operation to time; `index` counts its runs from 0. What it returns is awaited if it is a promise. */
export type Operation = (index: number) => unknown;

/** An operation that uses up what it works on: gets as much of it as `times` runs need, untimed, before each sample. */
export interface Prepared {
  readonly prepare: (times: number) => Operation | Promise<Operation>;
}

export type Contestant = Operation | Prepared;

/** Public-key operations: signing, importing a key and verifying, generating an X25519 key, importing one and agreeing. */
export interface Work {
  readonly sign?: number;
  readonly verify?: number;
  readonly generate?: number;
  readonly agree?: number;
  /** Different keys of others among those that are verified or agreed with; default 1. Engines are faster with one again and again. */
  readonly keys?: number;
}

/** The same work, on the same inputs, by Coppice and by others. */
export interface Contest {
  readonly coppice: Contestant;
  /** By name, with the version where it is a package: `@noble/hashes`, `SubtleCrypto`. */
  readonly peers: Readonly<Record<string, Contestant>>;
  /** The public-key operations that the step cannot do without. Bare, on SubtleCrypto, they are the row's limit. */
  readonly work?: Work;
}

/** Sizes in bytes, to compare instead of times. */
export interface Sizes {
  readonly bytes: Readonly<Record<string, number>> & { readonly coppice: number };
  /** What has to be in there, in bytes. */
  readonly limit?: number;
}

export interface Scenario {
  /** Begins with the area, so that `--filter` can select it: `hash: SHA-256`. */
  readonly name: string;
  /** Sizes to measure, and what they count. */
  readonly sizes: readonly number[];
  readonly sizeUnit: "bytes" | "members" | "messages" | "operations" | "conversations";
  /** Sizes that only `--large` asks for: they take minutes. */
  readonly largeSizes?: readonly number[];
  /** Where it can be measured; default everywhere. */
  readonly engines?: readonly string[];
  /** Most that `ratio` may be. Leave it out where no promise is made. */
  readonly promise?: number | ((size: number, engine: string) => number | undefined);
  /** The peer that `ratio` refers to. Default: the limit, and where there is none the fastest peer. */
  readonly reference?: string;
  /** Makes the inputs, from the size alone, and checks that all contestants agree on the result. */
  readonly setup: (size: number) => Contest | Sizes | Promise<Contest | Sizes>;
}

/** One line of the table. Times are medians, in microseconds for one operation. */
export interface Row {
  readonly name: string;
  readonly engine: string;
  readonly n: number;
  /** What `n` counts. */
  readonly unit: Scenario["sizeUnit"];
  /** What `coppice`, `peers` and `limit` are in. */
  readonly measured: "microseconds" | "bytes" | "count";
  readonly coppice: number;
  readonly peers: Readonly<Record<string, number>>;
  /** Peers that failed, and how. */
  readonly failed: Readonly<Record<string, string>>;
  /** What the bare public-key operations take, beside the samples of Coppice; of sizes, what has to be in there. */
  readonly limit: number | null;
  /** Of `coppice` to what `reference` names: the median of the rounds' ratios; `null` if there is nothing to compare with. */
  readonly ratio: number | null;
  /** `limit`, or a peer. */
  readonly reference: string | null;
  /** Most that `ratio` may be; `null` if nothing is promised. */
  readonly promise: number | null;
}
