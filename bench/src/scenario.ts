/** What a benchmark is made of. Scenarios run inside the engine they measure: they may not import Node's modules. */

/** The operation to time; `index` counts its runs from 0. What it returns is awaited if it is a promise. */
export type Operation = (index: number) => unknown;

/** An operation that uses up what it works on: gets as much of it as `times` runs need, untimed, before each sample. */
export interface Prepared {
  readonly prepare: (times: number) => Operation | Promise<Operation>;
}

export type Contestant = Operation | Prepared;

/** The same work, on the same inputs, by Coppice and by others. */
export interface Contest {
  readonly coppice: Contestant;
  /** By name, with the version where it is a package: `@noble/hashes`, `SubtleCrypto`, `bare verification`. */
  readonly peers: Readonly<Record<string, Contestant>>;
}

export interface Scenario {
  /** Begins with the area, so that `--filter` can select it: `hash: SHA-256`. */
  readonly name: string;
  /** Sizes to measure, and what they count. */
  readonly sizes: readonly number[];
  readonly sizeUnit: "bytes" | "members" | "messages";
  /**
   * Most that `coppice` may take, as a multiple of `reference`. Leave it out where no promise is made.
   */
  readonly limit?: number;
  /** The peer that `ratio` and `limit` refer to. Default: the fastest of them. */
  readonly reference?: string;
  /** Makes the inputs, from the size alone, and checks that all contestants agree on the result. */
  readonly setup: (size: number) => Contest | Promise<Contest>;
}

/** One line of the table. Times are medians, in microseconds for one operation. */
export interface Row {
  readonly name: string;
  readonly engine: string;
  readonly n: number;
  /** What `n` counts. */
  readonly unit: Scenario["sizeUnit"];
  readonly coppice: number;
  readonly peers: Readonly<Record<string, number>>;
  /** Most that `ratio` may be; `null` if nothing is promised. */
  readonly limit: number | null;
  /** `coppice` divided by the time of `reference`; `null` without peers. */
  readonly ratio: number | null;
  readonly reference: string | null;
}
