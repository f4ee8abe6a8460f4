/** What a fuzz target is, and what it may find. */
import { toHex } from "../src/codec/bytes.ts";
import { isCoppiceError } from "../src/errors.ts";
import type { Random } from "./random.ts";

export interface Target {
  readonly name: string;
  /** One execution: `Finding` for a failure. */
  readonly run: (random: Random) => Promise<void> | void;
}

/** A failure, with what is needed to see it again. */
export class Finding extends Error {
  override readonly name: string = "Finding";
  readonly reproducer: Readonly<Record<string, string>>;

  constructor(message: string, reproducer: Readonly<Record<string, Uint8Array | string>>, cause?: unknown) {
    super(message, { cause });
    this.reproducer = Object.fromEntries(
      Object.entries(reproducer).map(([name, value]) => [name, typeof value === "string" ? value : toHex(value)]),
    );
  }
}

/** Anything but a `CoppiceError` is a finding: no input from outside may lead to another one. */
export function requireCoppiceError(error: unknown, reproducer: Readonly<Record<string, Uint8Array | string>>): void {
  if (error instanceof Finding) throw error;
  if (!isCoppiceError(error)) throw new Finding("an error that is no CoppiceError", reproducer, error);
}
