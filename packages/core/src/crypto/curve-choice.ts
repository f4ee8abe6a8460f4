/**
 * Who computes on curve 25519 in this context: the platform, or the kernel of `@coppice/wasm/curve`. Engines differ by a factor of ten
 * in what the platform's own takes, so that both are timed at work.
 */
import { type Time, systemTime } from "@coppice/kit";
import type { CurveKernel } from "@coppice/wasm/curve";
import { type Bytes, fromHex } from "../codec/bytes.ts";
import { loadCurveKernel } from "./curve-kernel.ts";
import type { Curve25519Choice, Curve25519Options, CurveContext, VerifyingCosts } from "./curve-options.ts";

/** Verifies on the platform, and gives what it was given no second look. */
export type Verify = (publicKey: Bytes, message: Bytes, signature: Bytes) => Promise<boolean>;

/** Code gets faster while it is used: it is measured this many times, that many milliseconds apart. */
const MEASUREMENTS = 4;
const APART_MS = 200;
/** What a measurement takes, in milliseconds: some clocks tick once in one. */
const SLICE_MS = 2;
const TOGETHER = 8;

/** RFC 8032 §7.1, test 3. */
const SAMPLE = {
  publicKey: fromHex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
  message: fromHex("af82"),
  signature: fromHex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ),
};

const NOBODY: VerifyingCosts = {
  platform: Infinity,
  platformTogether: Infinity,
  kernel: Infinity,
  kernelKnown: Infinity,
};

/** The choice of a context. */
export class CurveChoice {
  readonly #time: Time;
  readonly #load: () => Promise<CurveKernel>;
  readonly #context: { readonly options: Required<Curve25519Options> };
  #kernel: CurveKernel | undefined;
  #isMissing = false;
  #finding: Promise<void> | undefined;
  #costs: VerifyingCosts | undefined;
  #measurements = 0;
  #due = 0;
  #running: Promise<void> | undefined;

  /** `load` rejects where there is no WebAssembly. */
  constructor(
    load: () => Promise<CurveKernel>,
    context: { readonly options: Required<Curve25519Options> },
    time: Time = systemTime,
  ) {
    this.#load = load;
    this.#context = context;
    this.#time = time;
  }

  get tableBytes(): number {
    return this.#context.options.tableBytes;
  }

  /** The kernel, once it is loaded and may be used. */
  get kernel(): CurveKernel | undefined {
    return this.#context.options.implementation === "platform" ? undefined : this.#kernel;
  }

  describe(): Curve25519Choice {
    const who = (together: boolean, known: boolean): "platform" | "kernel" =>
      this.isKernel({ together, known }) ? "kernel" : "platform";
    const both = (together: boolean): Record<"new" | "known", "platform" | "kernel"> => ({
      new: who(together, false),
      known: who(together, true),
    });
    return {
      implementation: this.#context.options.implementation,
      isLoaded: this.#kernel !== undefined,
      costs: this.#costs,
      verify: { alone: both(false), together: both(true) },
    };
  }

  /** Whether the kernel verifies: a signature alone or one of several, by a key that is known or new. */
  isKernel({ together, known }: { readonly together: boolean; readonly known: boolean }): boolean {
    if (this.kernel === undefined) return false;
    if (this.#context.options.implementation === "kernel") return true;
    const costs = this.#costs ?? NOBODY;
    return (known ? costs.kernelKnown : costs.kernel) < (together ? costs.platformTogether : costs.platform);
  }

  /** To be called before verifications. What it returns is to be awaited if it is a promise. */
  prepare(verify: Verify): Promise<void> | undefined {
    const { implementation } = this.#context.options;
    if (implementation === "platform" || this.#isMissing) return undefined;
    if (implementation === "kernel") return this.#kernel === undefined ? this.#find() : undefined;
    if (this.#measurements === MEASUREMENTS) return undefined;
    if (this.#running !== undefined || this.#time.elapsed() < this.#due) return undefined;
    this.#measurements++;
    // Nobody waits for it.
    this.#running = this.#measure(verify).finally(() => {
      this.#running = undefined;
      this.#due = this.#time.elapsed() + APART_MS;
    });
    return undefined;
  }

  /** The measurement that is under way. For tests. */
  get measured(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  #find(): Promise<void> {
    this.#finding ??= this.#load().then(
      (kernel) => {
        this.#kernel = kernel;
      },
      () => {
        this.#isMissing = true;
      },
    );
    return this.#finding;
  }

  async #measure(verify: Verify): Promise<void> {
    await this.#find();
    const kernel = this.#kernel;
    if (kernel === undefined) return;
    const { publicKey, message, signature } = SAMPLE;
    // A copy each time: it is imported anew.
    const once = (): Promise<boolean> => verify(new Uint8Array(publicKey), message, signature);
    const table = kernel.makeTable(publicKey);
    const known = table === undefined ? SAMPLE : { ...SAMPLE, table };
    const before = this.#costs ?? NOBODY;
    this.#costs = {
      platform: Math.min(before.platform, await this.#cost(1, once)),
      platformTogether: Math.min(
        before.platformTogether,
        await this.#cost(TOGETHER, () => Promise.all(Array.from({ length: TOGETHER }, once))),
      ),
      kernel: Math.min(before.kernel, await this.#cost(1, () => kernel.verifyMany([SAMPLE]))),
      kernelKnown: Math.min(before.kernelKnown, await this.#cost(1, () => kernel.verifyMany([known]))),
    };
  }

  /** Microseconds of one of the `operations` that `run` does. */
  async #cost(operations: number, run: () => unknown): Promise<number> {
    const start = this.#time.elapsed();
    for (let runs = 1; ; runs++) {
      await run();
      const elapsed = this.#time.elapsed() - start;
      if (elapsed >= SLICE_MS) return (elapsed * 1_000) / (runs * operations);
    }
  }
}

let shared: CurveChoice | undefined;

/** The one choice of this context, which shows in `context` from now on. Passed in, so that a bundler makes no chunk for it. */
export function choiceIn(context: CurveContext): CurveChoice {
  const choice = (shared ??= new CurveChoice(loadCurveKernel, context));
  context.describe = () => choice.describe();
  return choice;
}
