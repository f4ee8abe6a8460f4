/** Who computes on curve 25519 in this context. What chooses is loaded when there is something to choose: `curve-choice.ts`. */

/** What may be asked for. */
export interface Curve25519Options {
  /**
   * `measured`: the faster one, found by timing both (default). `platform`: never loads the kernel. `kernel`: the kernel from the
   * first verification on, where WebAssembly may run. Keys are the platform's wherever it has the curve.
   */
  readonly implementation?: "measured" | "platform" | "kernel";
  /** Bytes that tables of known public keys may take in this context, 18,432 for each key. Default: 2 MiB. */
  readonly tableBytes?: number;
}

/** Microseconds of a verification, the least that was measured so far. */
export interface VerifyingCosts {
  /** On the platform, with the import of the key. */
  readonly platform: number;
  /** On the platform, with others at the same time: some have threads for it. */
  readonly platformTogether: number;
  /** In the kernel, with a key that was not seen before. */
  readonly kernel: number;
  /** In the kernel, with a key that has a table. */
  readonly kernelKnown: number;
}

type Implementation = "platform" | "kernel";

/** What this context does, for a report. */
export interface Curve25519Choice {
  readonly implementation: "measured" | Implementation;
  /** Whether the kernel is there: it is loaded when it is first wanted. */
  readonly isLoaded: boolean;
  /** Undefined as long as nothing was measured. */
  readonly costs: VerifyingCosts | undefined;
  /** Who verifies: a signature by itself or with others, by a key that is new or known. */
  readonly verify: Readonly<Record<"alone" | "together", Readonly<Record<"new" | "known", Implementation>>>>;
}

/** This context's. */
export interface CurveContext {
  options: Required<Curve25519Options>;
  /** Of what chooses, once it is loaded. */
  describe: (() => Curve25519Choice) | undefined;
}

const DEFAULTS: Required<Curve25519Options> = { implementation: "measured", tableBytes: 2 ** 21 };

export const curveContext: CurveContext = { options: DEFAULTS, describe: undefined };

/** Whether the curve kernel may stand in where the platform cannot. */
export const mayUseCurveKernel = (kind: "wasm" | "noble" | undefined): boolean =>
  kind !== "noble" && curveContext.options.implementation !== "platform";

/**
 * Fixes, for all groups of this context, who verifies Ed25519 signatures and how much memory tables of known keys may take. All
 * choices give the same verdicts. `TypeError` or `RangeError` for what is no choice.
 *
 * @example
 * ```ts run
 * import { describeCurve25519, useCurve25519 } from "@coppice/core";
 *
 * useCurve25519({ implementation: "platform" });
 * console.assert(describeCurve25519().verify.alone.new === "platform");
 * ```
 */
export function useCurve25519(options: Curve25519Options): void {
  const { implementation, tableBytes } = { ...DEFAULTS, ...options };
  if (!["measured", "platform", "kernel"].includes(implementation)) {
    throw new TypeError("implementation must be measured, platform or kernel");
  }
  if (!Number.isSafeInteger(tableBytes) || tableBytes < 0) throw new RangeError("tableBytes must be a number of bytes");
  curveContext.options = { implementation, tableBytes };
}

/**
 * Who verifies in this context, and what was measured.
 *
 * @example
 * ```ts run
 * import { describeCurve25519 } from "@coppice/core";
 *
 * // Nothing was verified in this context yet: the kernel of curves is not loaded, and the platform verifies.
 * const { isLoaded, verify } = describeCurve25519();
 * console.assert(!isLoaded && verify.together.known === "platform");
 * ```
 */
export function describeCurve25519(): Curve25519Choice {
  const onPlatform = { new: "platform", known: "platform" } as const;
  return (
    curveContext.describe?.() ?? {
      implementation: curveContext.options.implementation,
      isLoaded: false,
      costs: undefined,
      verify: { alone: onPlatform, together: onPlatform },
    }
  );
}
