/** Ed25519 on the platform, with signatures verified by the kernel where that is faster. */
import type { CurveKernel, Ed25519Signature } from "@coppice/wasm/curve";
import type { Bytes } from "../codec/bytes.ts";
import type { CurveChoice, Verify } from "./curve-choice.ts";
import type { PlatformEddsa } from "./eddsa-encodings.ts";
import { KeyTables } from "./key-tables.ts";

export { choiceIn } from "./curve-choice.ts";

interface Call {
  readonly publicKey: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
  readonly settle: (verdict: boolean | Promise<boolean>) => void;
}

/** The same scheme, and the same verdicts. */
export function verifiedByChoice(platform: PlatformEddsa, choice: CurveChoice): PlatformEddsa {
  return { ...platform, verify: new Verifier(platform.verify, choice).verify };
}

class Verifier {
  readonly #platform: Verify;
  readonly #choice: CurveChoice;
  #tables: KeyTables | undefined;
  #waiting: Call[] = [];

  constructor(platform: Verify, choice: CurveChoice) {
    this.#platform = platform;
    this.#choice = choice;
  }

  /** Calls that are made in one turn of the event loop are verified together. */
  readonly verify: Verify = async (publicKey, message, signature) => {
    const loading = this.#choice.prepare(this.#platform);
    if (loading !== undefined) await loading;
    if (this.#choice.kernel === undefined) return this.#platform(publicKey, message, signature);
    return new Promise((settle) => {
      this.#waiting.push({ publicKey, message, signature, settle });
      if (this.#waiting.length === 1) queueMicrotask(this.#run);
    });
  };

  readonly #run = (): void => {
    const calls = this.#waiting;
    this.#waiting = [];
    const { kernel } = this.#choice;
    const mine: { readonly call: Call; readonly signature: Ed25519Signature }[] = [];
    for (const call of calls) {
      const signature = kernel && this.#forKernel(kernel, call, calls.length > 1);
      if (signature === undefined) call.settle(this.#platform(call.publicKey, call.message, call.signature));
      else mine.push({ call, signature });
    }
    if (kernel === undefined || mine.length === 0) return;
    try {
      const verdicts = kernel.verifyMany(mine.map(({ signature }) => signature));
      for (const [i, { call }] of mine.entries()) call.settle(verdicts[i] ?? false);
    } catch {
      // A trap is a defect of the kernel, and no verdict.
      for (const { call } of mine) call.settle(this.#platform(call.publicKey, call.message, call.signature));
    }
  };

  /** What the kernel is to verify; undefined if the platform is faster. */
  #forKernel(
    kernel: CurveKernel,
    { publicKey, message, signature }: Call,
    together: boolean,
  ): Ed25519Signature | undefined {
    const isKnown = this.#choice.isKernel({ together, known: true });
    const table = isKnown ? (this.#tables ??= new KeyTables(kernel, this.#choice)).use(publicKey) : undefined;
    if (table !== undefined) return { publicKey, message, signature, table };
    return this.#choice.isKernel({ together, known: false }) ? { publicKey, message, signature } : undefined;
  }
}
