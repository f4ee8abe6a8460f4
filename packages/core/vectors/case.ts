/** What all vector formats share: fields are read from untrusted JSON, comparisons throw. */
import type { Bytes } from "../src/codec/bytes.ts";
import { EMPTY, equalBytes, fromHex, toHex } from "../src/codec/bytes.ts";
import type { CipherSuite } from "../src/crypto/cipher-suite.ts";
import { isCipherSuite } from "../src/crypto/cipher-suite.ts";
import type { HpkeKeyPair } from "../src/crypto/hpke.ts";

/** Typed access to one JSON object of a vector file. */
export class Case {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null) throw new TypeError("a vector case is a JSON object");
    this.#fields = value as Readonly<Record<string, unknown>>;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  keys(): string[] {
    return Object.keys(this.#fields);
  }

  number(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== "number") throw new TypeError(`${name} is not a number`);
    return value;
  }

  /** Epochs above 2^53 would be rounded by JSON; the files have none. */
  uint64(name: string): bigint {
    return BigInt(this.number(name));
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== "string") throw new TypeError(`${name} is not a string`);
    return value;
  }

  hex(name: string): Bytes {
    return fromHex(this.text(name));
  }

  /** A private key; some files drop the leading zeros of P-521 scalars. */
  privateKey(name: string, length: number): Bytes {
    const key = this.hex(name);
    const padded = new Uint8Array(Math.max(length, key.length));
    padded.set(key, padded.length - key.length);
    return padded;
  }

  optionalHex(name: string): Bytes | undefined {
    return this.has(name) ? this.hex(name) : undefined;
  }

  object(name: string): Case {
    return new Case(this.#fields[name]);
  }

  array(name: string): readonly unknown[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw new TypeError(`${name} is not an array`);
    return value;
  }

  objects(name: string): Case[] {
    return this.array(name).map((value) => new Case(value));
  }
}

/** Whether a case is of a suite that this build has, or of none. Vectors of drafts may have suites that are drafts as well. */
export const isOfKnownSuite = (vector: Case): boolean =>
  !vector.has("cipher_suite") || isCipherSuite(vector.number("cipher_suite"));

/** A vector format: how to recognise and verify its cases. */
export interface Format {
  /** File name without `.json`. */
  readonly name: string;
  /** Fields that only this format has, for files of another name. */
  readonly fields: readonly string[];
  readonly verify: (vector: Case, suite: (id: number) => Promise<CipherSuite>) => Promise<void>;
}

export function expectBytes(what: string, actual: Uint8Array, expected: Uint8Array): void {
  if (!equalBytes(actual, expected)) throw new Error(`${what}: ${toHex(actual)}, expected ${toHex(expected)}`);
}

export function expectEqual<T>(what: string, actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, expected ${String(expected)}`);
}

/** Fails unless the private key opens what is sealed to the public key. */
export async function expectKeyPair(suite: CipherSuite, keys: HpkeKeyPair): Promise<void> {
  await suite.hpke.open(keys, EMPTY, await suite.hpke.sealer(EMPTY)(keys.publicKey, new Uint8Array(1)));
}

export async function expectRefusal(what: string, attempt: () => unknown): Promise<void> {
  try {
    await attempt();
  } catch {
    return;
  }
  throw new Error(`${what}: was not refused`);
}
